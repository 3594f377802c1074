"""Recommendations become HTML: the shop's templates, each item rendered once.

In reading order: ``lint`` and ``files`` (templates, checked before the first visitor), ``remember`` (the
bounded cache), ``cards`` (what a card says), ``renderer`` (a slot's HTML).
"""

from proxy.render.renderer import Renderer

__all__ = ["Renderer"]
