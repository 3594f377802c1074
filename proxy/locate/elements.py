"""Which elements are open: WHATWG's stack, as far as finding an element's end needs it.

Kept are: what a start tag closes (13.2.6.4.7, "in body", and the table, list, ruby and option rules), what
an end tag closes and what it can't reach (scopes), and where SVG and MathML begin and end. Left out is what
changes the tree but no element's end: the list of active formatting elements and foster parenting.

The stack may start in the middle of a page, at the element whose end is looked for. Then an end tag that
matches nothing may be an ancestor's, and it is taken for that: everything that is open here ends with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from proxy.locate.markup import VOID

if TYPE_CHECKING:
    from collections.abc import Iterator

Namespace = Literal["html", "svg", "math"]

MAX_DEPTH = 512
"""Open elements. Browsers flatten what is deeper; a page like that is left alone."""


def _names(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_SPECIAL = _names(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col"
    " colgroup dd details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4"
    " h5 h6 head header hgroup hr html iframe img input keygen li link listing main marquee menu meta nav"
    " noembed noframes noscript object ol p param plaintext pre script search section select source style"
    " summary table tbody td template textarea tfoot th thead title tr track ul wbr xmp"
)
_CLOSES_P = _names(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search section"
    " summary table ul xmp"
)
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_SCOPE = _names("applet caption html table td th marquee object template select")
_BUTTON_SCOPE = _SCOPE | {b"button"}
_LIST_SCOPE = _SCOPE | {b"ol", b"ul"}
_TABLE_SCOPE = _names("html table template")
_TABLE_PARTS = _names("caption colgroup tbody thead tfoot tr td th")
_SAME_LEVEL: dict[bytes, frozenset[bytes]] = {
    b"li": _names("li"),
    b"dd": _names("dd dt"),
    b"dt": _names("dd dt"),
}
_TABLE_LEVEL: dict[bytes, frozenset[bytes]] = {
    b"td": _names("td th caption colgroup"),
    b"th": _names("td th caption colgroup"),
    b"tr": _names("tr caption colgroup"),
    b"tbody": _names("tbody thead tfoot caption colgroup"),
    b"thead": _names("tbody thead tfoot caption colgroup"),
    b"tfoot": _names("tbody thead tfoot caption colgroup"),
    b"caption": _names("caption colgroup tbody thead tfoot"),
    b"colgroup": _names("caption colgroup tbody thead tfoot"),
}
_CURRENT_ONLY: dict[bytes, frozenset[bytes]] = {
    **dict.fromkeys(_HEADINGS, _HEADINGS),
    b"option": _names("option"),
    b"optgroup": _names("option optgroup"),
    b"hr": _names("option optgroup"),
    b"rb": _names("rb rt rtc rp"),
    b"rtc": _names("rb rt rtc rp"),
    b"rp": _names("rb rt rp"),
    b"rt": _names("rb rt rp"),
}
"""Closed by that start tag where they are the innermost element, again and again."""

_HEAD_ONLY = _names("base basefont bgsound link meta title noscript noframes style script template head html")
_BREAKOUT = _names(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu"
    " meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
"""HTML start tags that end SVG and MathML (13.2.6.5)."""

_SVG_HTML = _names("foreignobject desc title")
_MATH_TEXT = _names("mi mo mn ms mtext")


class Watcher(Protocol):
    """Is told where an element ends.

    Args:
        inner: where its content ends, in bytes from the page's start.
        outer: where it ends itself: after its end tag, or the same.
        ended: whether it has an end tag of its own.
    """

    def __call__(self, inner: int, outer: int, /, *, ended: bool) -> None: ...


class Element:
    """An element that is open.

    Attributes:
        name: lower-case tag name.
        namespace: of the element.
        html_inside: whether its content is HTML: always for HTML, else at integration points.
        tag: its attributes as they stand in the page, or b"" where nobody will ask.
        watchers: who wants to know where it ends.
    """

    __slots__ = ("html_inside", "name", "namespace", "tag", "watchers")

    def __init__(self, name: bytes, namespace: Namespace, tag: bytes) -> None:
        self.name = name
        self.namespace: Namespace = namespace
        self.tag = tag
        self.html_inside = (
            namespace == "html"
            or (namespace == "svg" and name in _SVG_HTML)
            or (
                namespace == "math"
                and (name in _MATH_TEXT or (name == b"annotation-xml" and b"html" in tag.lower()))
            )
        )
        self.watchers: list[Watcher] = []


class OpenElements:
    """The stack of open elements.

    Args:
        whole: whether it starts with the page, so that nothing can be open that it doesn't know.
    """

    def __init__(self, *, whole: bool) -> None:
        self.stack: list[Element] = []
        self._whole = whole
        self._templates = 0

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
        if not self.stack or self.stack[-1].html_inside:
            top = self.stack[-1] if self.stack else None
            if name in {b"svg", b"math"}:
                return False
            return not (top is not None and top.namespace == "math" and name in {b"mglyph", b"malignmark"})
        return name in _BREAKOUT or (
            name == b"font" and any(a in tag.lower() for a in (b"color", b"face", b"size"))
        )

    def before(self, name: bytes, tag: bytes) -> list[Element]:
        """Take off what a start tag closes by coming.

        Returns:
            What ends before it, innermost first.
        """
        stack = self.stack
        if not stack:
            return []
        closed: list[Element] = []
        if not stack[-1].html_inside:
            if self.is_html(name, tag):
                while stack and not stack[-1].html_inside:
                    closed.append(self._pop())
            else:
                return closed
        if name in _CLOSES_P:
            if name in _SAME_LEVEL:
                self._close_item(name, closed)
            self._close_in_scope(_names("p"), _BUTTON_SCOPE, closed)
        if name in _CURRENT_ONLY:
            while stack and stack[-1].name in _CURRENT_ONLY[name]:
                closed.append(self._pop())
        elif name in _TABLE_LEVEL:
            self._close_in_scope(_TABLE_LEVEL[name], _TABLE_SCOPE, closed)
        elif name == b"button":
            self._close_in_scope(_names("button"), _SCOPE, closed)
        elif name in {b"a", b"nobr"}:
            self._close_formatting(name, closed)
        elif stack and stack[-1].name == b"head" and name not in _HEAD_ONLY:
            closed.append(self._pop())
        return closed

    def push(self, name: bytes, tag: bytes, *, self_closing: bool) -> Element | None:
        """Open an element, after ``before``.

        Returns:
            It, or None if it has no content: void, or foreign and self-closing.
        """
        if self.is_html(name, tag):
            if name in VOID or name.startswith(b"esi:"):
                return None
            if name in {b"html", b"body"} and any(e.name == name for e in self.stack):
                return None  # its attributes go to the one that is open
            namespace: Namespace = "html"
            self._templates += name == b"template"
        elif name == b"svg" and (not self.stack or self.stack[-1].html_inside):
            namespace = "svg"
        elif name == b"math" and (not self.stack or self.stack[-1].html_inside):
            namespace = "math"
        else:
            namespace = self.stack[-1].namespace
        if namespace != "html" and self_closing:
            return None
        element = Element(name, namespace, tag)
        self.stack.append(element)
        return element

    def end(self, name: bytes) -> tuple[list[Element], Element | None]:
        """Take off what an end tag closes.

        Returns:
            What ends before it without an end tag of its own, innermost first; and the element whose end tag
            it is, if there is one.
        """
        stack = self.stack
        closed: list[Element] = []
        if not stack:
            return closed, None
        if name in {b"br", b"p"} and not stack[-1].html_inside:
            while stack and not stack[-1].html_inside:
                closed.append(self._pop())
        at = self._reach(name)
        if at == _IGNORED:
            return closed, None
        if at == _ANCESTOR:
            while stack:
                closed.append(self._pop())
            return closed, None
        if name in _FORMATTING and any(e.name in _SPECIAL and e.namespace == "html" for e in stack[at + 1 :]):
            # The adoption agency takes the formatting element out, and leaves the blocks in it open.
            return [stack.pop(at)], None
        while len(stack) > at + 1:
            closed.append(self._pop())
        return closed, self._pop()

    def close_all(self) -> Iterator[Element]:
        """The page is over: everything ends, innermost first."""
        while self.stack:
            yield self._pop()

    def _pop(self) -> Element:
        element = self.stack.pop()
        self._templates -= element.name == b"template" and element.namespace == "html"
        return element

    def _reach(self, name: bytes) -> int:
        """The place in the stack of the element that an end tag closes, or why there is none."""
        stack = self.stack
        if name in VOID:
            return _IGNORED
        if name in _TABLE_PARTS or name == b"table":
            scope = _TABLE_SCOPE - {b"table"} if name == b"table" else _TABLE_SCOPE
        elif name == b"template":
            scope = frozenset()
        elif name == b"p":
            scope = _BUTTON_SCOPE
        elif name == b"li":
            scope = _LIST_SCOPE
        elif name in {b"body", b"html"}:
            scope = _names("template")
        else:
            scope = _SCOPE
        wanted = _HEADINGS if name in _HEADINGS else {name}
        ordinary = name not in _SPECIAL and name not in _FORMATTING
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.namespace != "html":
                if element.name == name:
                    return at
                if element.html_inside and name not in {b"body", b"html"}:
                    return _IGNORED
                continue
            if element.name in wanted:
                return at
            if element.name in scope or (ordinary and element.name in _SPECIAL):
                return _IGNORED
            if name == b"p" and element.name in _CLOSES_P:
                return _IGNORED  # no paragraph can be open around it
        return _IGNORED if self._whole or name in {b"br"} else _ANCESTOR

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

    def _close_item(self, name: bytes, closed: list[Element]) -> None:
        """``li``, ``dd`` and ``dt`` close their like, unless a block stands between (13.2.6.4.7)."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.name in _SAME_LEVEL[name] and element.namespace == "html":
                while len(stack) > at:
                    closed.append(self._pop())
                return
            if element.namespace != "html" or (
                element.name in _SPECIAL and element.name not in {b"address", b"div", b"p"}
            ):
                return

    def _close_formatting(self, name: bytes, closed: list[Element]) -> None:
        """A link in a link closes the outer one."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            element = stack[at]
            if element.name == name and element.namespace == "html":
                if all(e.name not in _SPECIAL for e in stack[at + 1 :]):
                    while len(stack) > at:
                        closed.append(self._pop())
                else:
                    closed.append(stack.pop(at))
                return
            if element.name in _SCOPE or element.namespace != "html":
                return


_IGNORED = -1
_ANCESTOR = -2
