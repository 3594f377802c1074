"""Pictures in the sizes that oscar's templates ask for; oscar leaves the choice of a thumbnailer open."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from oscar.core.thumbnails import AbstractThumbnailer
from PIL import Image


class Thumbnails(AbstractThumbnailer):
    """Writes each size once, beside the original."""

    def generate_thumbnail(self, source, **opts):
        width, _, height = opts["size"].partition("x")
        original = Path(settings.MEDIA_ROOT, source.name)
        name = f"{original.stem}-{opts['size']}.jpg"
        target = original.with_name(name)
        if not target.exists():
            with Image.open(original) as image:
                image.thumbnail((int(width or 10_000), int(height or 10_000)))
                image.save(target, quality=85)
        return SimpleNamespace(url=f"{settings.MEDIA_URL}{Path(source.name).parent}/{name}")

    def delete_thumbnails(self, source):
        """They go with the folder."""
