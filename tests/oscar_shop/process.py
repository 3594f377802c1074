"""The shop as a process: built once for a machine, served once for a test session."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
STOP_SECONDS = 60


class OscarShop:
    """A running shop.

    Args:
        cache: folder that outlives the session; the built shop is kept there.
        folder: of this session; its baskets and orders are its own.
    """

    def __init__(self, cache, folder):
        self.folder = folder / "oscar"
        shutil.copytree(built(cache), self.folder)
        errors = self.folder / "errors.log"
        with errors.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "oscar_shop", str(self.folder)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment(), text=True,
            )  # fmt: skip
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            self.stop()
            raise AssertionError(f"oscar did not start:\n{errors.read_text()}")

    def stop(self):
        """Ends it."""
        self._process.communicate(timeout=STOP_SECONDS)

    def requests(self):
        """The heads of all requests that it got, each with its method, path and fields."""
        lines = (self.folder / "requests.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def environment():
    return {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore"}


def built(cache):
    """The folder of a shop with all its goods; built if it is new, or if anything that makes it changed."""
    said = hashlib.sha256(f"{version('django-oscar')} {version('django')} {version('pillow')}".encode())
    for source in sorted(HERE.glob("*.py")):
        said.update(source.read_bytes())
    finished = cache / said.hexdigest()[:16]
    if not finished.is_dir():
        draft = tempfile.mkdtemp(dir=cache)
        subprocess.run([sys.executable, "-m", "oscar_shop.build", draft], env=environment(), check=True)
        try:
            Path(draft).rename(finished)
        except OSError:  # another worker was faster
            shutil.rmtree(draft)
    return finished
