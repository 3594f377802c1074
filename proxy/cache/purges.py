"""What is to be forgotten, told to every worker: a short file that each looks at, once a second at most."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proxy.cache.store import Key, Store

PURGES_FILE = "purges"
"""Its name in ``state_dir``."""

NOTICE_SECONDS = 1.0
"""Between two looks at the file: as late as another worker may forget."""

MAX_FILE = 1024 * 1024
"""Bytes of the file: beyond, it begins anew, and everything is forgotten once."""

EVERYTHING = "*"


class PurgeError(Exception):
    """A purge can't be written down; the message says why."""


class _Purge(msgspec.Struct, array_like=True):
    host: str
    path: str
    exact: bool = False


class Purges:
    """Writes purges down, and carries out those of others.

    Args:
        file: shared by all workers; made at the first purge.
        clock: seconds, monotonic.
    """

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        self._read = self._size()
        self._looked = clock()

    def tell(self, host: str, path: str, *, exact: bool = False) -> None:
        """Has an address forgotten by every worker.

        Args:
            host: in lower case, or ``*`` for every host.
            path: with its query; a ``*`` at its end stands for whatever follows.
            exact: whether a ``*`` is nothing but that: strangers' addresses may have one.

        Raises:
            PurgeError: the file can't be written.
        """
        line = msgspec.json.encode(_Purge(host, path, exact)) + b"\n"
        begin = self._size() > MAX_FILE
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if begin else 0)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._file, flags, 0o600)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError as error:
            raise PurgeError(f"{self._file} can't be written: {error.strerror}") from None

    def carry_out(self, store: Store, *, at_once: bool = False) -> None:
        """Forgets what was told since the last look; does nothing if that was just now."""
        moment = self._clock()
        if not at_once and moment - self._looked < NOTICE_SECONDS:
            return
        self._looked = moment
        size = self._size()
        if size < self._read:
            self._read = size
            store.forget_where(lambda _: True)
        elif size > self._read:
            try:
                with self._file.open("rb") as file:
                    file.seek(self._read)
                    new = file.read(size - self._read)
            except OSError:  # nobody knows what it says: too much is better than too little
                self._read = size
                store.forget_where(lambda _: True)
                return
            whole = new[: new.rfind(b"\n") + 1]  # somebody may be writing the rest now
            self._read += len(whole)
            for line in whole.splitlines():
                self._forget(line, store)

    @staticmethod
    def _forget(line: bytes, store: Store) -> None:
        try:
            purge = msgspec.json.decode(line, type=_Purge)
        except msgspec.DecodeError:
            store.forget_where(lambda _: True)
            return
        host, path = purge.host.encode("latin-1", "replace"), purge.path.encode("latin-1", "replace")
        if purge.exact:
            for scheme in ("http", "https"):
                store.forget((scheme, host, path))
            return
        begins = path.removesuffix(b"*")

        def matches(key: Key) -> bool:
            _, its_host, target = key
            if purge.host not in {EVERYTHING, ""} and its_host != host:
                return False
            return target.startswith(begins) if begins != path else target == path

        store.forget_where(matches)

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
