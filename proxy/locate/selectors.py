"""CSS selectors that a stream can decide: at an element's start tag, from it and its ancestors alone.

So there are type, universal, id, class and attribute selectors, descendant and child combinators, and
lists. What depends on what comes later, on siblings or on the visitor is refused with the reason.

Source: Selectors Level 4, https://www.w3.org/TR/selectors-4/. Names compare as in HTML: type and attribute
names without regard to case, ids, classes and values with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from proxy.locate.markup import attributes, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proxy.locate.elements import Element

_ESCAPED = r"\\(?:[0-9a-fA-F]{1,6}[ \t]?|[^0-9a-fA-F\n\r\f])"
_IDENT = re.compile(
    rf"--[\w-]*|-?(?:[A-Za-z_\u0080-\U0010ffff]|{_ESCAPED})(?:[\w\u0080-\U0010ffff-]|{_ESCAPED})*",
)
_ATTRIBUTE = re.compile(
    r"\[\s*(?P<name>[\w\u0080-\U0010ffff:.-]+)\s*"
    r"(?:(?P<operator>[~|^$*]?=)\s*(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<bare>[\w\u0080-\U0010ffff-]+))"
    r"\s*(?P<flag>[iIsS])?\s*)?\]",
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t]?|(.))")

Operator = Literal["", "=", "~=", "|=", "^=", "$=", "*="]

_REFUSED = {
    "+": "siblings can't be told while the page streams through",
    "~": "siblings can't be told while the page streams through",
    ":": "pseudo-classes and pseudo-elements can't be told while the page streams through",
    "&": "nesting has no meaning here",
    "|": "HTML has no namespaces to choose from",
}


class SelectorError(ValueError):
    """A selector that can't be used.

    Args:
        selector: what was written.
        part: the part at fault.
        reason: why, as a clause.
    """

    def __init__(self, selector: str, part: str, reason: str) -> None:
        super().__init__(f"{reason}: {part!r} in {selector!r}" if part != selector else f"{reason}: {part!r}")
        self.selector = selector
        self.part = part
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AttributeTest:
    """One ``[name operator value]``; classes and ids are written as ``~=`` and ``=``."""

    name: bytes
    operator: Operator = ""
    value: bytes = b""
    ignore_case: bool = False

    def holds(self, found: Mapping[bytes, bytes]) -> bool:
        """Whether an element with these attributes passes."""
        actual = found.get(self.name)
        if actual is None:
            return False
        if not self.operator:
            return True
        if b"&" in actual:
            actual = resolve(actual)
        wanted = self.value
        if self.ignore_case:
            actual, wanted = actual.lower(), wanted.lower()
        match self.operator:
            case "=":
                return actual == wanted
            case "~=":
                return wanted in actual.split()
            case "|=":
                return actual == wanted or actual.startswith(wanted + b"-")
            case "^=":
                return bool(wanted) and actual.startswith(wanted)
            case "$=":
                return bool(wanted) and actual.endswith(wanted)
            case _:
                return bool(wanted) and wanted in actual


@dataclass(frozen=True, slots=True)
class Compound:
    """Tests of one element, all of which must hold."""

    name: bytes | None
    tests: tuple[AttributeTest, ...]

    def matches(self, name: bytes, found: Mapping[bytes, bytes]) -> bool:
        """Whether an element passes."""
        return (self.name is None or self.name == name) and all(test.holds(found) for test in self.tests)

    def needle(self) -> bytes | None:
        """Lower-case bytes that each tag it matches must hold; None if there are none."""
        names = [
            t.value if t.name in {b"id", b"class"} and t.operator in {"=", "~="} else t.name
            for t in self.tests
        ]
        longest = max(names, key=len, default=b"")
        return longest.lower() or (None if self.name is None else b"<" + self.name)


@dataclass(frozen=True, slots=True)
class Complex:
    """A compound and what must stand around it, innermost first."""

    subject: Compound
    ancestors: tuple[tuple[Literal[" ", ">"], Compound], ...]

    def matches(self, name: bytes, found: Mapping[bytes, bytes], open_elements: Sequence[Element]) -> bool:
        """Whether the element that starts now, in these, is the subject."""
        return self.subject.matches(name, found) and _around(
            self.ancestors, open_elements, len(open_elements)
        )


def _around(
    ancestors: tuple[tuple[Literal[" ", ">"], Compound], ...], open_elements: Sequence[Element], below: int
) -> bool:
    if not ancestors:
        return True
    combinator, compound = ancestors[0]
    for at in range(below - 1, -1, -1):
        element = open_elements[at]
        if compound.matches(element.name, attributes(element.tag)) and _around(
            ancestors[1:], open_elements, at
        ):
            return True
        if combinator == ">":
            return False
    return False


@dataclass(frozen=True, slots=True)
class Selector:
    """A list of complex selectors, any of which may match."""

    text: str
    any_of: tuple[Complex, ...]

    @property
    def needs_ancestors(self) -> bool:
        """Whether more than the start tag is asked for."""
        return any(one.ancestors for one in self.any_of)

    def needles(self) -> frozenset[bytes] | None:
        """Lower-case bytes, one of which each matching tag must hold; None if any tag may match."""
        needles = {one.subject.needle() for one in self.any_of}
        return None if None in needles else frozenset(n for n in needles if n)

    def matches(self, name: bytes, found: Mapping[bytes, bytes], open_elements: Sequence[Element]) -> bool:
        """Whether the element that starts now matches.

        Args:
            name: lower-case.
            found: its attributes.
            open_elements: around it, outermost first.
        """
        return any(one.matches(name, found, open_elements) for one in self.any_of)

    def within(self, outer: Selector) -> Selector:
        """What this selects inside of what another one selects."""
        return Selector(
            f"{outer.text} {self.text}",
            tuple(
                Complex(inner.subject, (*inner.ancestors, (" ", around.subject), *around.ancestors))
                for around in outer.any_of
                for inner in self.any_of
            ),
        )


def parse_selector(text: str) -> Selector:
    """Compile a selector list.

    Raises:
        SelectorError: unknown syntax, or something that a stream can't decide.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> Selector:
        found = [self._complex()]
        while self._peek() == ",":
            self._at += 1
            found.append(self._complex())
        return Selector(self._text, tuple(found))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _space(self) -> None:
        while self._peek() in {" ", "\t", "\r", "\n", "\f"}:
            self._at += 1

    def _complex(self) -> Complex:
        self._space()
        subject = self._compound()
        ancestors: list[tuple[Literal[" ", ">"], Compound]] = []
        while True:
            self._space()
            if self._peek() in {"", ","}:
                return Complex(subject, tuple(reversed(ancestors)))
            child = self._peek() == ">"
            if child:
                self._at += 1
                self._space()
            ancestors.append((">" if child else " ", subject))
            subject = self._compound()

    def _compound(self) -> Compound:
        start = self._at
        name: bytes | None = None
        if self._peek() == "*":
            self._at += 1
        elif (ident := self._ident()) is not None:
            name = ident.lower().encode()
        tests: list[AttributeTest] = []
        while (mark := self._peek()) in {".", "#", "["} and mark:
            tests.append(self._attribute() if mark == "[" else self._named(mark))
        if self._at == start or self._peek() not in {"", " ", "\t", "\r", "\n", "\f", ",", ">"}:
            raise self._refuse()
        return Compound(name, tuple(tests))

    def _ident(self) -> str | None:
        match = _IDENT.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], match[0])

    def _named(self, mark: str) -> AttributeTest:
        self._at += 1
        ident = self._ident()
        if ident is None:
            raise SelectorError(self._text, self._text[self._at - 1 :], f"a name must follow {mark!r}")
        return (
            AttributeTest(b"class", "~=", ident.encode())
            if mark == "."
            else AttributeTest(b"id", "=", ident.encode())
        )

    def _attribute(self) -> AttributeTest:
        match = _ATTRIBUTE.match(self._text, self._at)
        if match is None:
            raise SelectorError(self._text, self._text[self._at :], "not an attribute selector")
        self._at = match.end()
        value = match["double"] or match["single"] or match["bare"] or ""
        return AttributeTest(
            match["name"].lower().encode(),
            cast("Operator", match["operator"] or ""),
            value.encode(),
            ignore_case=(match["flag"] or "").lower() == "i",
        )

    def _refuse(self) -> SelectorError:
        rest = self._text[self._at :]
        if not rest or rest[0] in ",>":
            return SelectorError(self._text, self._text, "an element is missing")
        part = re.match(r"::?[\w-]+(?:\([^)]*\)?)?|.", rest, re.DOTALL)
        return SelectorError(self._text, part[0] if part else rest, _REFUSED.get(rest[0], "unknown syntax"))
