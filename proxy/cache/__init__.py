"""A cache of pages that the shop calls public: asked for once, personal all the same (RFC 9111).

What is kept are the shop's own bytes, from before anything of a visitor is written into them; where their
slots are is remembered with them. A shared cache's rules hold, and a few stricter ones: nothing that sets a
cookie, carries a nonce or a token, or answers somebody who was authorized.

In reading order: ``directives`` (what caches are told), ``asked`` (what a request says to this one),
``storable`` (what may be kept, and how long), ``entry`` (a page that is kept, and whether it may be used),
``store`` (all of them, within a limit), ``keeper`` (and where there was none to keep), ``landing`` (an answer
on its way there), ``pages`` (the app in front of the shop), ``purges`` (what is to be forgotten, told to all
workers).
"""

from proxy.cache.pages import PageCache
from proxy.cache.purges import PURGES_FILE, PurgeError, Purges
from proxy.cache.store import Store

__all__ = ["PURGES_FILE", "PageCache", "PurgeError", "Purges", "Store"]
