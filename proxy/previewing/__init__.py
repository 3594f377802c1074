"""Widgets as they would look, without a shop: for ``preview``.

In reading order: ``samples`` (goods to show), ``showing`` (a widget rendered, or why not), ``reading`` (HTML
as text), ``document`` (a page of its own), ``gallery`` (every widget, live, in a browser).
"""

from __future__ import annotations

from proxy.previewing.document import document
from proxy.previewing.gallery import Gallery, create_gallery
from proxy.previewing.reading import readable
from proxy.previewing.samples import EMPTY, sample
from proxy.previewing.showing import Shown, show

__all__ = ["EMPTY", "Gallery", "Shown", "create_gallery", "document", "readable", "sample", "show"]
