"""Which elements are open: WHATWG's stack, as far as finding an element's end needs it.

Kept are: what a start tag closes (13.2.6.4.7, "in body", and the table, list, ruby and option rules), what
an end tag closes and what it can't reach (scopes), and where SVG and MathML begin and end. Left out is what
changes the tree but no element's end: the list of active formatting elements and foster parenting.

The stack may start in the middle of a page, at the element whose end is looked for. Then an end tag that
matches nothing may be an ancestor's, and it is taken for that: everything that is open here ends with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, Protocol

from proxy.locate.markup import DRAWING, RAW_TEXT, VOID, attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Namespace = Literal["html", "svg", "math"]

MAX_DEPTH = 512
"""Open elements. Browsers flatten what is deeper; a page like that is left alone."""


def _names(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_SPECIAL = _names(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col"
    " colgroup dd details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3"
    " h4 h5 h6 head header hgroup hr html iframe img input keygen li link listing main marquee menu meta nav"
    " noembed noframes noscript object ol p param plaintext pre script search section select source style"
    " summary table tbody td template textarea tfoot th thead title tr track ul wbr xmp"
)
_CLOSES_P = _names(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search"
    " section summary table ul xmp"
)
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_NOT_NESTED = _names("a nobr")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_HEAD_ONLY = _names("base basefont bgsound link meta title noscript noframes style script template head html")
_ONCE = _names("html body")
_DOCUMENT = _names("html head body")
_COUNTED = _DOCUMENT | _names("template p")
_P = _names("p")
_BUTTON = _names("button")

_SCOPE = _names("applet caption html table td th marquee object template select")
_BUTTON_SCOPE = _SCOPE | _BUTTON
_TABLE_SCOPE = _names("html table template")
_END_SCOPES: dict[bytes, frozenset[bytes]] = {
    b"p": _BUTTON_SCOPE,
    b"li": _SCOPE | _names("ol ul"),
    b"table": _names("html template"),
    **dict.fromkeys(_names("caption colgroup tbody thead tfoot tr td th"), _TABLE_SCOPE),
    **dict.fromkeys(_ONCE, _names("template")),
    b"template": frozenset(),
}
"""What an end tag can't reach across, where it isn't _SCOPE (13.2.4.2, has an element in scope)."""

_ITEMS = {b"li": _names("li"), b"dd": _names("dd dt"), b"dt": _names("dd dt")}
"""What a list item closes, unless a special element but _NOT_BETWEEN stands between."""
_NOT_BETWEEN = _names("address div p")

_CELL = _names("td th caption colgroup")
_ROW = _names("tr caption colgroup")
_BODY = _names("tbody thead tfoot caption colgroup")
_TABLE_LEVEL: dict[bytes, frozenset[bytes]] = {
    **dict.fromkeys(_names("td th"), _CELL),
    b"tr": _ROW,
    **dict.fromkeys(_names("tbody thead tfoot caption colgroup"), _BODY),
}
_RUBY_BASE = _names("rb rt rtc rp")
_RUBY_TEXT = _names("rb rt rp")
_CHOICES = _names("option optgroup")
_CLOSES_CURRENT: dict[bytes, frozenset[bytes]] = {
    **dict.fromkeys(_HEADINGS, _HEADINGS),
    b"option": _names("option"),
    **dict.fromkeys(_names("optgroup hr"), _CHOICES),
    **dict.fromkeys(_names("rb rtc"), _RUBY_BASE),
    **dict.fromkeys(_names("rp rt"), _RUBY_TEXT),
}
"""What a start tag closes as long as it is the innermost element."""

_CLOSES = _CLOSES_P | _CLOSES_CURRENT.keys() | _TABLE_LEVEL.keys() | _NOT_NESTED | _BUTTON
"""Start tags that may close something."""

_ROOTS: dict[bytes, Namespace] = {b"svg": "svg", b"math": "math"}
_BREAKOUT = _names(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing"
    " menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
"""HTML start tags that end SVG and MathML (13.2.6.5)."""
_BREAKOUT_ENDS = _names("br p")
_FONT = re.compile(rb"(?:^|[ \t\n\r\f/\"'])(?:color|face|size)[ \t\n\r\f/=]|(?:color|face|size)$")
_SVG_HTML = _names("foreignobject desc title")
_MATH_TEXT = _names("mi mo mn ms mtext")
_MATH_ONLY = _names("mglyph malignmark")

_NEVER_AROUND = (
    VOID
    | RAW_TEXT
    | _SVG_HTML
    | _MATH_TEXT
    | _names("svg math annotation-xml head template")
    | frozenset(DRAWING)
)
"""Names that no element can have in which HTML elements are open."""

_IGNORED = -1
_ANCESTOR = -2


def _holds_html(name: bytes, namespace: Namespace, tag: bytes) -> bool:
    """Whether a foreign element is an integration point (13.2.6)."""
    if namespace == "svg":
        return name in _SVG_HTML
    if name == b"annotation-xml":
        encoding = attributes(tag).get(b"encoding", b"").lower()
        return encoding in {b"text/html", b"application/xhtml+xml"}
    return name in _MATH_TEXT


def _is_special(element: Element) -> bool:
    """Whether it is of the special category (13.2.4.2)."""
    return element.name in _SPECIAL if element.namespace == "html" else element.html_inside


class Watcher(Protocol):
    """Is told where an element ends.

    Args:
        inner: where its content ends, in bytes from the page's start.
        outer: where it ends itself: after its end tag, or the same.
        ended: whether it has an end tag of its own.
    """

    def __call__(self, inner: int, outer: int, /, *, ended: bool) -> None:
        """The element ends."""
        ...


class Element:
    """An element that is open.

    Attributes:
        name: lower-case tag name.
        namespace: of the element.
        html_inside: whether its content is HTML: always for HTML, else at integration points.
        tag: its attributes as they stand in the page.
        watchers: who wants to know where it ends.
    """

    __slots__ = ("html_inside", "name", "namespace", "tag", "watchers")

    def __init__(self, name: bytes, namespace: Namespace, tag: bytes, *, html_inside: bool) -> None:
        self.name = name
        self.namespace: Namespace = namespace
        self.tag = tag
        self.html_inside = html_inside
        self.watchers: Sequence[Watcher] = ()


class OpenElements:
    """The stack of open elements.

    Args:
        whole: whether it starts with the page, so that nothing can be open that it doesn't know.
    """

    def __init__(self, *, whole: bool) -> None:
        self.stack: list[Element] = []
        self._whole = whole
        self._templates = 0
        self._paragraphs = 0

    @property
    def foreign(self) -> bool:
        """Whether the innermost element is SVG or MathML."""
        return bool(self.stack) and self.stack[-1].namespace != "html"

    @property
    def in_template(self) -> bool:
        """Whether what comes next is inert."""
        return self._templates > 0

    def is_html(self, name: bytes, tag: bytes) -> bool:
        """Whether a start tag of this name and attributes, here, is an HTML element's (13.2.6)."""
        top = self.stack[-1] if self.stack else None
        if top is None or top.namespace == "html":
            return name not in _ROOTS
        if top.html_inside:
            return name not in _ROOTS and not (top.namespace == "math" and name in _MATH_ONLY)
        return name in _BREAKOUT or (name == b"font" and _FONT.search(tag.lower()) is not None)

    def may_close(self, name: bytes) -> bool:
        """Whether a start tag of this name may close anything here: for most, a quick no."""
        stack = self.stack
        return bool(stack) and (name in _CLOSES or stack[-1].namespace != "html" or stack[-1].name == b"head")

    def before(self, name: bytes, *, html: bool) -> list[Element]:
        """Take off what a start tag closes by coming.

        Args:
            name: of the tag.
            html: whether it is an HTML element's.

        Returns:
            What ends before it, innermost first.
        """
        closed: list[Element] = []
        stack = self.stack
        if not html:
            if stack[-1].name == b"head":
                closed.append(self._pop())
            return closed
        while stack and not stack[-1].html_inside:
            closed.append(self._pop())
        if name in _CLOSES_P:
            if name in _ITEMS:
                self._close_item(_ITEMS[name], closed)
            if self._paragraphs:
                self._close_in_scope(_P, _BUTTON_SCOPE, closed)
        if name in _CLOSES_CURRENT:
            while stack and stack[-1].name in _CLOSES_CURRENT[name]:
                closed.append(self._pop())
        elif name in _TABLE_LEVEL:
            self._close_in_scope(_TABLE_LEVEL[name], _TABLE_SCOPE, closed)
        elif name == b"button":
            self._close_in_scope(_BUTTON, _SCOPE, closed)
        elif name in _NOT_NESTED:
            self._close_formatting(name, closed)
        elif stack and stack[-1].name == b"head" and name not in _HEAD_ONLY:
            closed.append(self._pop())
        return closed

    def push(self, name: bytes, tag: bytes, *, html: bool, self_closing: bool) -> Element | None:
        """Open an element, after ``before``.

        Returns:
            It, or None if it has no content: void, or foreign and self-closing.
        """
        stack = self.stack
        if html:
            if name in VOID or name.startswith(b"esi:"):
                return None
            if name in _COUNTED:
                if name in _DOCUMENT and any(e.name != b"html" or name == b"html" for e in stack):
                    return None  # one is open already, written or implied
                self._templates += name == b"template"
                self._paragraphs += name == b"p"
            element = Element(name, "html", tag, html_inside=True)
        elif self_closing:
            return None
        elif name in _ROOTS and (not stack or stack[-1].html_inside):
            element = Element(name, _ROOTS[name], tag, html_inside=False)
        else:
            namespace = stack[-1].namespace
            element = Element(name, namespace, tag, html_inside=_holds_html(name, namespace, tag))
        stack.append(element)
        return element

    def end(self, name: bytes) -> tuple[list[Element], Element | None]:
        """Take off what an end tag closes. Something must be open.

        Returns:
            What ends before it without an end tag of its own, innermost first; and the element whose end tag
            it is, if there is one.
        """
        stack = self.stack
        closed: list[Element] = []
        if stack[-1].name == name:
            return closed, self._pop()
        if name in _BREAKOUT_ENDS:
            while stack and not stack[-1].html_inside:
                closed.append(self._pop())
        at = self._reach(name)
        if at == _IGNORED:
            return closed, None
        if at == _ANCESTOR:
            return [*closed, *self.close_all()], None
        if name in _FORMATTING and any(map(_is_special, stack[at + 1 :])):
            self._take_out(at, closed)
            return closed, None
        while len(stack) > at + 1:
            closed.append(self._pop())
        return closed, self._pop()

    def forget(self) -> bool:
        """Begin anew from here, if nobody watches and what comes next is ordinary HTML.

        Returns:
            Whether it did: from then on the stack no longer starts with the page.
        """
        if self._templates or self.foreign or any(element.watchers for element in self.stack):
            return False
        self.stack.clear()
        self._paragraphs = 0
        self._whole = False
        return True

    def close_all(self) -> Iterator[Element]:
        """The page is over: everything ends, innermost first."""
        while self.stack:
            yield self._pop()

    def _pop(self) -> Element:
        element = self.stack.pop()
        if element.name in _COUNTED and element.namespace == "html":
            self._templates -= element.name == b"template"
            self._paragraphs -= element.name == b"p"
        return element

    def _reach(self, name: bytes) -> int:
        """The place in the stack of the element that an end tag closes, or why there is none."""
        if name in VOID or name.startswith(b"esi:"):
            return _IGNORED
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            if stack[at].namespace == "html":
                break
            if stack[at].name == name:
                return at
        scope = _END_SCOPES.get(name, _SCOPE)
        wanted = _HEADINGS if name in _HEADINGS else {name}
        ordinary = name not in _SPECIAL and name not in _FORMATTING
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.namespace != "html":
                if element.html_inside and name not in _ONCE:
                    return _IGNORED
                continue
            if element.name in wanted:
                return at
            if element.name in scope or (ordinary and element.name in _SPECIAL):
                return _IGNORED
            if name == b"p" and element.name in _CLOSES_P:
                return _IGNORED  # no paragraph can be open around it
        return _IGNORED if self._whole or name in _NEVER_AROUND else _ANCESTOR

    def _close_in_scope(
        self, names: frozenset[bytes], scope: frozenset[bytes], closed: list[Element]
    ) -> None:
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.name in names and element.namespace == "html":
                while len(stack) > at:
                    closed.append(self._pop())
                return
            if element.name in scope or element.namespace != "html":
                return

    def _close_item(self, names: frozenset[bytes], closed: list[Element]) -> None:
        """``li``, ``dd`` and ``dt`` close their like, unless a block stands between (13.2.6.4.7)."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.name in names and element.namespace == "html":
                while len(stack) > at:
                    closed.append(self._pop())
                return
            if element.namespace != "html" or (element.name in _SPECIAL and element.name not in _NOT_BETWEEN):
                return

    def _take_out(self, at: int, closed: list[Element]) -> None:
        """End a formatting element, but neither the blocks in it nor the formatting around those.

        Source: 13.2.6.4.7, the adoption agency algorithm.
        """
        last_block = max((n for n, e in enumerate(self.stack) if n > at and _is_special(e)), default=at)
        inside = self.stack[at + 1 : last_block + 1]
        kept = [e for e in inside if _is_special(e) or (e.name in _FORMATTING and e.namespace == "html")]
        closed += [e for e in reversed(self.stack[at:]) if e not in kept]
        self.stack[at:] = kept

    def _close_formatting(self, name: bytes, closed: list[Element]) -> None:
        """A link in a link closes the outer one."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.name == name and element.namespace == "html":
                self._take_out(at, closed)
                return
            if element.name in _SCOPE or element.namespace != "html":
                return
