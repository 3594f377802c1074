"""Recommendations become HTML: the shop's templates, and what came before isn't rendered again.

In reading order: ``lint`` and ``files`` (templates, checked before the first visitor), ``joins`` (the
plain ones among them), ``cards`` (what a card says), ``renderer`` (a slot's HTML, and what came before).
"""

from proxy.render.renderer import Renderer

__all__ = ["Renderer"]
