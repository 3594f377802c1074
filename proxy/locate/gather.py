"""What a page says about itself, cut out as it passes, within bounds.

A shop's page that exceeds a bound loses the fact at hand, never the page.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from proxy.locate.markup import attributes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proxy.locate.elements import Element, Watcher
    from proxy.locate.plan import FactSelector, FactSelectors
    from proxy.models import RawFacts

MAX_FACTS = 256 * 1024
"""Bytes of all facts of one page."""
MAX_SCRIPT = 64 * 1024
"""Bytes of one inline script with ``datacueConfig``; the vendor's plugins write below 10 KiB. A longer one
is no plugin's, and is dropped: half a script can't be read."""
MAX_JSON_LD = 128 * 1024
"""Bytes of one JSON-LD block; lists of a category's products reach 60 KiB. A longer one is dropped."""
MAX_TITLE = 1024
"""Bytes of the title; a longer one is dropped."""
MAX_VALUE = 4 * 1024
"""Bytes of one attribute or text; longer ones are cut: a long description still describes."""
MAX_ENTRIES = 4096
"""Entries of each kind of fact. A category page with microdata has some 20 for each of its products."""
_OVERHEAD = 16
"""Bytes that an entry counts for beside its own, so that empty ones are bounded, too."""

_Fact = TypeVar("_Fact", bytes, tuple[bytes, bytes], tuple[bytes, ...])

RawKind = Literal["script", "json_ld", "title"]
_CAPS: dict[RawKind, int] = {"script": MAX_SCRIPT, "json_ld": MAX_JSON_LD, "title": MAX_TITLE}
_META_PREFIXES = (b"og:", b"product:", b"twitter:")
_VALUE_ATTRIBUTES = (b"content", b"href", b"src", b"datetime", b"value")


class Text:
    """Collects the text of one element."""

    __slots__ = ("_left", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._left = MAX_VALUE

    def add(self, piece: bytes) -> None:
        """Text has passed."""
        if self._left:
            piece = piece[: self._left]
            self._left -= len(piece)
            self._parts.append(piece)

    def value(self) -> bytes:
        """All of it, cut at MAX_VALUE."""
        return b"".join(self._parts)


class Gatherer:
    """Fills the facts of one page.

    Args:
        found: where they go.
        wanted: the operator's selectors for this page.

    Attributes:
        since: where the raw text that is being cut out begins, in bytes from the page's start; or None.
        found: the facts so far.
        texts: what is collected from the text that passes now.
        size: bytes of them, within MAX_FACTS.
    """

    def __init__(self, found: RawFacts, wanted: FactSelectors | None) -> None:
        self.since: int | None = None
        self.found = found
        self._wanted = () if wanted is None else wanted.all
        self._raw: RawKind = "script"
        self.size = 0
        self.texts: list[Text] = []
        self._titled = False

    def raw_text(self, name: bytes, tag: bytes, start: int) -> None:
        """A raw text element's text begins."""
        if name == b"title" and not self._titled:
            self._titled = True
            self._raw, self.since = "title", start
        elif name == b"script":
            found = attributes(tag)
            kind = found.get(b"type", b"").partition(b";")[0].strip().lower()
            if kind == b"application/ld+json":
                self._raw, self.since = "json_ld", start
            elif b"src" not in found:
                self._raw, self.since = "script", start

    def passed(self, reached: int) -> None:
        """The page was read up to there: drop raw text that has become too long."""
        if self.since is not None and reached - self.since > _CAPS[self._raw]:
            self.since = None

    def raw_text_end(self, text: bytes) -> None:
        """The raw text that began at ``since`` is whole."""
        self.since = None
        found = self.found
        if self._raw == "title":
            self._put(found.meta, (b"title", text))
        elif self._raw == "json_ld":
            self._put(found.json_ld, text)
        elif b"datacueConfig" in text:
            self._put(found.scripts, text)

    def text(self, piece: bytes) -> None:
        """Ordinary text has passed."""
        for one in self.texts:
            one.add(piece)

    def tag(
        self, name: bytes, found: Mapping[bytes, bytes], around: Sequence[Element], *, hollow: bool
    ) -> list[Watcher]:
        """A start tag has passed that a needle was found in.

        Args:
            name: lower-case.
            found: its attributes.
            around: the elements around it, outermost first.
            hollow: whether it has no content.

        Returns:
            Who must know where the element ends.
        """
        watchers: list[Watcher] = []
        if name == b"meta":
            self._meta(found)
        elif name == b"link" and b"canonical" in found.get(b"rel", b"").lower().split():
            self._put(self.found.meta, (b"canonical", found.get(b"href", b"")[:MAX_VALUE]))
        if b"itemscope" in found:
            kind, prop = found.get(b"itemtype", b""), found.get(b"itemprop", b"")
            self._put(self.found.microdata, (b"open", kind[:MAX_VALUE], prop[:MAX_VALUE]))
            if hollow:
                self._close_item(0, 0, ended=True)
            else:
                watchers.append(self._close_item)
        elif b"itemprop" in found:
            prop = found[b"itemprop"][:MAX_VALUE]
            value = next((found[key] for key in _VALUE_ATTRIBUTES if key in found), b"" if hollow else None)
            if value is not None:
                self._prop(prop, value[:MAX_VALUE])
            else:
                watchers.append(self._listen(partial(self._prop, prop)))
        for one in self._wanted:
            if one.selector.matches(name, found, around):
                if one.bare:
                    self._select(one, b"")
                elif one.attribute is None:
                    if not hollow:
                        watchers.append(self._listen(partial(self._select, one)))
                elif one.attribute in found:
                    self._select(one, found[one.attribute][:MAX_VALUE])
        return watchers

    def _meta(self, found: Mapping[bytes, bytes]) -> None:
        for key in (b"property", b"name"):
            about = found.get(key, b"").strip().lower()
            if (about.startswith(_META_PREFIXES) or about == b"description") and b"content" in found:
                self._put(self.found.meta, (about, found[b"content"][:MAX_VALUE]))
                return

    def _listen(self, done: partial[None]) -> Watcher:
        text = Text()
        self.texts.append(text)

        def ended(_inner: int, _outer: int, *, ended: bool) -> None:
            del ended  # without an end tag of its own, its text is its text all the same
            self.texts.remove(text)
            done(text.value())

        return ended

    def _prop(self, prop: bytes, value: bytes) -> None:
        self._put(self.found.microdata, (b"prop", prop, value))

    def _close_item(self, _inner: int, _outer: int, *, ended: bool) -> None:
        del ended
        self._put(self.found.microdata, (b"close",))

    def _select(self, one: FactSelector, value: bytes) -> None:
        self._put(self.found.selected.setdefault(one.name, []), one.label + value)

    def _put(self, into: list[_Fact], fact: _Fact) -> None:
        size = _OVERHEAD + (len(fact) if isinstance(fact, bytes) else sum(map(len, fact)))
        if self.size + size <= MAX_FACTS and len(into) < MAX_ENTRIES:
            self.size += size
            into.append(fact)
