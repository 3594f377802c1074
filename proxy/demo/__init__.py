"""The demo shop: furniture, server-rendered, without one line of JavaScript.

It is an ordinary shop that knows nothing of the proxy in front of it but the vendor's placeholders.
In reading order: ``catalogue`` (what is sold), ``illustrations`` (what it looks like), ``sessions``
and ``forms`` (who asks, and what was typed), ``state`` (baskets, accounts, orders), ``pages`` (the
routes), ``shop`` (the app).
"""
