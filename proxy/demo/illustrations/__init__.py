"""What the goods look like: drawn here, in SVG, so that the shop needs no photographs.

``canvas`` is paint and pencils, then one file a kind of thing, and ``scenes`` puts them together.
Every picture is made once and kept: there are as many as the catalogue has.
"""

from __future__ import annotations

from functools import cache

from proxy.demo.illustrations import scenes

product_photo = cache(scenes.product_photo)
banner_photo = cache(scenes.banner_photo)
room_photo = cache(scenes.room_photo)
campaign_photo = cache(scenes.campaign_photo)
