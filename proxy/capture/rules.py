"""``[[capture]]`` rules, compiled: which forms and which pages say what somebody did.

A rule whose event is ``cart``, ``checkout`` or ``order`` looks at a page that was asked for with GET; any
other rule, and ``checkout`` with another method, looks at a form and at how the shop answered it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from proxy.capture.model import EVENT_NAMES, EventName
from proxy.capture.success import Success, compile_success
from proxy.classify.rules import check_name, compile_path, compile_query, guess, segment_text
from proxy.errors import SettingsError
from proxy.facts.address import clean
from proxy.locate import FactSelector, SelectorError, parse_selector, split_fact
from proxy.models import PAGE_KINDS, PageKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_THING: Final = ("product_id", "variant_id")
FORM_FIELDS: Final[dict[EventName, tuple[str, ...]]] = {
    "cart.add": (*_THING, "quantity"),
    "cart.update": (*_THING, "quantity"),
    "cart.remove": _THING,
    "cart.clear": (),
    "wishlist.add": _THING,
    "wishlist.remove": _THING,
    "login": ("user_id",),
    "logout": (),
    "signup": ("user_id", "email", "title", "first_name", "last_name"),
    "checkout": (),
}
"""What a form may say, by event."""

NEEDED: Final[dict[EventName, str]] = {
    "cart.add": "product_id",
    "cart.update": "product_id",
    "cart.remove": "product_id",
    "wishlist.add": "product_id",
    "wishlist.remove": "product_id",
}
"""The field without which there is nothing to tell."""

LINE_FIELDS: Final = (*_THING, "link", "quantity", "price", "total", "currency")
"""What stands in one line of a cart or an order."""

VIEW_FACTS: Final[dict[EventName, tuple[str, ...]]] = {"cart": (), "checkout": (), "order": ("order_id",)}
"""What a page may say once."""

STARTS_OVER: Final = frozenset({"login", "signup"})
"""Events whose form comes again, at the same address, when it was filled in wrong."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
SELECTOR_MEND: Final = 'Write a CSS selector, as ".cart-line" or "input[name=qty]@value".'
EMPTY: Final = b"empty\0"
LINE: Final = b"line\0"
ANY: Final = "*"

Read = tuple[tuple[str, str, bool], ...]
Demanded = tuple[tuple[str, str], ...]


class Where(Struct, frozen=True):
    """Which requests a rule is about."""

    method: str
    prefix: str = ""
    path: Any = None
    """The compiled pattern over a readable path's bytes; None: any path. (re2 has no types.)"""
    captured: tuple[str, ...] = ()
    query: Read = ()
    demanded: Demanded = ()

    def match(self, method: str, path: str, parameters: Mapping[str, str]) -> dict[str, str] | None:
        """The fields that the request's address holds; None where it isn't one of these."""
        if method != self.method or not path.startswith(self.prefix):
            return None
        found = _read(parameters, self.query, self.demanded)
        if found is None or self.path is None:
            return found
        match = self.path.fullmatch(path.encode())
        if match is None:
            return None
        return found | dict(zip(self.captured, map(segment_text, match.groups()), strict=True))


class FormRule(Struct, frozen=True):
    """A form, and what in the answer means that it did what it asked for."""

    event: EventName
    where: Where
    form: Read
    demanded: Demanded
    fields: tuple[tuple[str, str], ...]
    success: Success
    here: str
    """How messages name it."""

    @property
    def reads_body(self) -> bool:
        """Whether the request's body has a say."""
        return bool(self.form or self.demanded)

    def read(self, address: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str] | None:
        """The event's fields; None where this form isn't the rule's."""
        found = _read(form, self.form, self.demanded)
        if found is None:
            return None
        found = {**dict(self.fields), **address, **found}
        needed = NEEDED.get(self.event)
        return None if needed is not None and not found.get(needed) else found


class ViewRule(Struct, frozen=True):
    """A page that shows a cart or an order, and where."""

    event: EventName
    name: str
    """Under which the page's facts stand."""
    where: Where | None
    """None: known by its kind alone."""
    kinds: frozenset[PageKind] | None
    fields: tuple[tuple[str, str], ...]
    selectors: tuple[FactSelector, ...]
    here: str
    """How messages name it."""


class Rules:
    """All of them, in the order in which they count: of each event the first that holds.

    Args:
        forms: rules about forms.
        views: rules about pages.
    """

    def __init__(self, forms: Sequence[FormRule] = (), views: Sequence[ViewRule] = ()) -> None:
        self._forms = tuple(forms)
        self._views = tuple(views)
        self.none = not (forms or views)
        """Whether there are none: most shops speak for themselves."""
        self.methods = frozenset(rule.where.method for rule in forms)
        """Of the requests that forms are sent with."""
        self.links = "GET" in self.methods
        """Whether some of what is done is done by links: a page that is left alone may be one."""
        self.selects = any(rule.selectors for rule in views)
        """Whether pages must be read for the rules' sake."""

    def forms(
        self, method: str, path: str, parameters: Mapping[str, str]
    ) -> list[tuple[FormRule, dict[str, str]]]:
        """The rules that a request may fall under, with what its address says."""
        if method not in self.methods:
            return []
        found = ((rule, rule.where.match(method, path, parameters)) for rule in self._forms)
        return [(rule, fields) for rule, fields in found if fields is not None]

    def views(
        self, path: str, parameters: Mapping[str, str], kind: PageKind | None
    ) -> list[tuple[ViewRule, dict[str, str]]]:
        """The rules that a page falls under, as far as its kind is known; the first of each event."""
        found: dict[EventName, tuple[ViewRule, dict[str, str]]] = {}
        for rule in self._views:
            if rule.event in found or (rule.kinds is not None and kind not in rule.kinds):
                continue
            fields = {} if rule.where is None else rule.where.match("GET", path, parameters)
            if fields is not None:
                found[rule.event] = rule, {**dict(rule.fields), **fields}
        return list(found.values())


def compile_capture(here: str, number: int, given: Mapping[str, Any]) -> FormRule | ViewRule:
    """Compiles one ``[[capture]]`` entry.

    Args:
        here: how messages name it: ``capture[0]``.
        number: unlike any other rule's.
        given: the keys as written; unset ones absent.

    Raises:
        SettingsError: names ``<here>.<key>``, the problem and the mend.
    """
    _check_choice(f"{here}.event", given["event"], EVENT_NAMES, "event")
    event: EventName = given["event"]
    method = given.get("method", "GET" if event in VIEW_FACTS else "POST")
    _check_choice(f"{here}.method", method, METHODS, "method")
    if event in VIEW_FACTS and method == "GET":
        _refuse(here, given, ("form", "success"), "belongs to forms, and this rule looks at a page")
        return _view(here, number, event, given)
    if event not in FORM_FIELDS:
        raise SettingsError(f"{here}.method", f"{event} is seen on a page", 'Leave it out, or write "GET".')
    _refuse(
        here,
        given,
        ("page", "lines", "line", "facts", "empty"),
        "belongs to pages, and this rule looks at a form",
    )
    return _form(here, event, method, given)


def _check_choice(key: str, written: str, known: Sequence[str], what: str) -> None:
    if written not in known:
        mend = f"{guess(written, known)}Write one of: {', '.join(known)}."
        raise SettingsError(key, f'"{written[:40]}" is no {what}', mend)


def _refuse(here: str, given: Mapping[str, Any], keys: Sequence[str], why: str) -> None:
    for key in keys:
        if given.get(key):
            raise SettingsError(
                f"{here}.{key}", why, "Leave it out; docs/capture.md has both kinds of rules."
            )


def _form(here: str, event: EventName, method: str, given: Mapping[str, Any]) -> FormRule:
    known = FORM_FIELDS[event]
    where = _where(here, method, given, known)
    if where is None:
        raise SettingsError(
            f"{here}.path", "the rule has neither path nor query", 'Add one such as "/cart/add".'
        )
    form, demanded = compile_query(f"{here}.form", given.get("form") or {})
    for field, _, _ in form:
        check_name(f"{here}.form", field, known)
    constants = _constants(here, given, known)
    found = {
        *where.captured,
        *(f for f, *_ in where.query),
        *(f for f, *_ in form),
        *(f for f, _ in constants),
    }
    if event == "signup" and not found & {"user_id", "email"}:
        raise SettingsError(
            f"{here}.form", "nothing says who signed up", 'Add user_id = "…", or email = "…".'
        )
    for needed in {NEEDED.get(event), "quantity" if event == "cart.update" else None} - {None, *found}:
        raise SettingsError(
            f"{here}.form", f"nothing says the {needed}", f'Add {needed} = "the form field\'s name".'
        )
    success = compile_success(f"{here}.success", given.get("success") or {}, moves=event in STARTS_OVER)
    return FormRule(event, where, form, demanded, constants, success, here)


def _view(here: str, number: int, event: EventName, given: Mapping[str, Any]) -> ViewRule:
    facts = VIEW_FACTS[event]
    where = _where(here, "GET", given, facts)
    kinds = _kinds(f"{here}.page", given.get("page"))
    if where is None and kinds is None:
        raise SettingsError(
            f"{here}.path", "the rule has neither path nor page", 'Add path = "/cart", or page = "cart".'
        )
    name = f"capture:{number}"
    selectors: list[FactSelector] = []
    for fact, written in (given.get("facts") or {}).items():
        check_name(f"{here}.facts", fact, facts)
        selectors += _selectors(f"{here}.facts.{fact}", name, fact, written, None)
    if given.get("empty"):
        selectors.append(_bare(f"{here}.empty", name, EMPTY, given["empty"]))
    selectors += _lines(here, name, given)
    if event == "cart" and not (given.get("lines") or given.get("empty")):
        raise SettingsError(
            f"{here}.lines", "is missing", 'Say what holds one line of the cart, as ".cart-line".'
        )
    return ViewRule(event, name, where, kinds, _constants(here, given, facts), tuple(selectors), here)


def _lines(here: str, name: str, given: Mapping[str, Any]) -> list[FactSelector]:
    line = given.get("line") or {}
    if not given.get("lines"):
        if line:
            raise SettingsError(f"{here}.lines", "is missing", 'Say what holds one line, as ".cart-line".')
        return []
    if not {"product_id", "link"} & line.keys():
        raise SettingsError(
            f"{here}.line", "nothing says the product_id", "Add product_id, or link: the product's page."
        )
    selectors = [_bare(f"{here}.lines", name, LINE, given["lines"])]
    for field, written in line.items():
        check_name(f"{here}.line", field, LINE_FIELDS)
        selectors += _selectors(f"{here}.line.{field}", name, field, written, given["lines"])
    return selectors


def _selectors(key: str, name: str, label: str, written: Any, within: str | None) -> list[FactSelector]:
    found = []
    for one in written if isinstance(written, list) else [written]:
        text, attribute = split_fact(one)
        try:
            # "@data-id" alone is the line's own attribute.
            inner = parse_selector(text) if text.strip() else None
            if within is not None:
                outer = parse_selector(within)
                inner = outer if inner is None else inner.within(outer)
            if inner is None:
                raise SettingsError(key, "names no element", SELECTOR_MEND)
        except SelectorError as error:
            raise SettingsError(key, str(error), SELECTOR_MEND) from None
        found.append(FactSelector(name, inner, attribute, label.encode() + b"\0"))
    return found


def _bare(key: str, name: str, label: bytes, written: str) -> FactSelector:
    try:
        return FactSelector(name, parse_selector(written), None, label, bare=True)
    except SelectorError as error:
        raise SettingsError(key, str(error), SELECTOR_MEND) from None


def _where(here: str, method: str, given: Mapping[str, Any], known: Sequence[str]) -> Where | None:
    path = given.get("path")
    query, demanded = compile_query(f"{here}.query", given.get("query") or {})
    for field, _, _ in query:
        check_name(f"{here}.query", field, known)
    if path is None and not query and not demanded:
        return None
    pattern, captured = (None, ()) if path is None else compile_path(f"{here}.path", path, known)
    literal = "" if path is None else path.partition("{")[0].rstrip("/")
    prefix = literal if literal.isascii() and "%" not in literal else ""
    return Where(method, prefix, pattern, captured, query, demanded)


def _kinds(key: str, given: Any) -> frozenset[PageKind] | None:
    if given is None:
        return None
    listed = given if isinstance(given, list) else [given]
    for kind in listed:
        _check_choice(key, kind, PAGE_KINDS, "page kind")
    return frozenset(listed)


def _constants(here: str, given: Mapping[str, Any], known: Sequence[str]) -> tuple[tuple[str, str], ...]:
    fields = given.get("fields") or {}
    for field in fields:
        check_name(f"{here}.fields", field, known)
    return tuple((field, clean(value)) for field, value in fields.items())


def _read(found: Mapping[str, str], read: Read, demanded: Demanded) -> dict[str, str] | None:
    """The fields; None where one that must be there isn't, or says something else."""
    for name, wanted in demanded:
        if name not in found or wanted not in {ANY, found[name]}:
            return None
    fields: dict[str, str] = {}
    for field, name, required in read:
        value = found.get(name)
        if value:
            fields[field] = value
        elif required:
            return None
    return fields
