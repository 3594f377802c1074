"""The settings: one typed object, read once from ``datacue.toml``, the environment and the command line.

The command line wins over the environment (``DATACUE_<KEY>``), which wins over the file. Only the
assembly (``lifespan.py``, ``server.py``, ``cli/``, ``demo/``) sees this object; everyone else gets
values. Each field says its default, its unit and why one would change it; ``docs/settings.md`` is
checked against them by a test.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from proxy.errors import SettingsError
from proxy.listening import host_port
from proxy.models import PAGE_KINDS, WIDGETS, PageKind, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FILE = Path("datacue.toml")
VENDOR_EVENTS = "https://events.datacue.co/"
VENDOR_API = "https://api.datacue.co/v1"

Position = Literal["before", "prepend", "append", "after", "replace"]

COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A cookie's name is a token (RFC 6265, 4.1.1)."""

PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
"""Segments of unreserved characters (RFC 3986, 2.3): the same however a client or a cache spells them."""

SHOWN = 80
"""Characters of a wrong value that an error repeats: enough to recognize it."""

MENDS = {
    "api_key": "Leave it out for the embedded engine.",
    "api_secret": "Leave it out if you have none.",
    "admin_token": "Leave it out where the admin address is on loopback.",
    "secret_keys": "Leave it out, and one is made and kept.",
    "upstream": "Write http://host:port, as http://127.0.0.1:8080.",
    "events_url": f"Leave it out for {VENDOR_EVENTS}",
    "api_url": f"Leave it out for {VENDOR_API}",
    "listen": "Write HOST:PORT, as 127.0.0.1:8000.",
    "admin_listen": "Write HOST:PORT, as 127.0.0.1:8001.",
    "prefix": "Write a path such as /_datacue.",
    "consent": 'Write none, or the cookie and its value as "consent=granted".',
    "pages": "Begin each rule with [[pages]], in double brackets.",
    "slots": "Begin each slot with [[slots]], in double brackets.",
    "capture": "Begin each rule with [[capture]], in double brackets.",
    "user_cookie": "Write the cookie's name, as customer_id.",
    "user_jwt": "Write the cookie's name and the claim, as session:sub.",
}
"""What to write instead, where the kind of mistake alone doesn't tell."""

UNION_MEMBERS = frozenset({"str", "list[str]"})
"""What pydantic puts behind the key of a field that takes a text or a list of texts."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PageSettings(_Table):
    """One ``[[pages]]`` rule; the first that matches wins."""

    kind: str
    """What such a page shows: home, product, category, search, cart, checkout, order, 404, or none."""
    path: str | None = None
    """``/product/{product_id}``: ``{name}`` is one path segment or a part of it, ``{name*}`` the rest."""
    query: dict[str, str] = {}
    """Event field = query parameter; the rule matches only where the parameter is there."""
    fields: dict[str, str] = {}
    """Event field = constant value."""
    facts: dict[str, str | list[str]] = {}
    """Fact = selector (or several) whose text, or ``selector@attribute``, holds it: for pages that
    say nothing about themselves in JSON-LD, microdata or OpenGraph."""


class SlotSettings(_Table):
    """One ``[[slots]]`` entry: a place for a widget in a shop whose HTML can't be touched."""

    selector: str
    widget: Widget
    position: Position = "append"
    page: str | list[str] = "*"
    """A page kind, a list of them, or ``*``."""

    def kinds(self) -> list[str]:
        """What ``page`` names, as a list."""
        return [self.page] if isinstance(self.page, str) else self.page

    def pages(self) -> frozenset[PageKind] | None:
        """The page kinds on which it counts; None for all."""
        names = self.kinds()
        return None if "*" in names else frozenset(kind for kind in PAGE_KINDS if kind in names)


class CaptureSettings(_Table):
    """One ``[[capture]]`` rule: a form or a page that says what somebody did."""

    event: str
    """cart, cart.add, cart.update, cart.remove, cart.clear, wishlist.add, wishlist.remove, login, logout,
    signup, checkout or order."""
    method: str | None = None
    """Of the request. None: GET for cart, checkout and order, which are pages; POST for the others, forms."""
    path: str | None = None
    """As in [[pages]]."""
    query: dict[str, str] = {}
    """As in [[pages]]."""
    form: dict[str, str] = {}
    """Event field = form field, which must be there; ``field?`` may be missing, ``field=value`` demands a
    value, ``field=*`` any."""
    fields: dict[str, str] = {}
    """Event field = constant value."""
    success: dict[str, str | int | list[str | int]] = {}
    """What in the answer says that the form was accepted: status, location, not_location, cookie."""
    page: str | list[str] | None = None
    """The kinds of page that show it, as far as [[pages]] and well-known paths tell them."""
    lines: str | None = None
    """Selector of the element that holds one line of the cart or order."""
    line: dict[str, str | list[str]] = {}
    """Within each line, field = selector or ``selector@attribute``: product_id, variant_id, link, quantity,
    price, total, currency."""
    facts: dict[str, str | list[str]] = {}
    """Elsewhere in the page, the same: order_id."""
    empty: str | None = None
    """Selector that only the page of an empty cart matches."""


class Preset(_Table):
    """What a preset's file holds."""

    facts: dict[str, str | list[str]] = {}
    """As in [[pages]], for pages that no rule is about."""
    pages: tuple[PageSettings, ...] = ()
    slots: tuple[SlotSettings, ...] = ()
    capture: tuple[CaptureSettings, ...] = ()


class Settings(_Table):
    """Everything that can be set. Durations are seconds, sizes are bytes unless a field says otherwise."""

    # -- the vendor -------------------------------------------------------------------------------
    api_key: SecretStr | None = None
    """DataCue API key. Without one the embedded engine answers, offline."""
    api_secret: SecretStr | None = None
    """DataCue API secret: needed only to send orders and sign-ups."""
    events_url: str = VENDOR_EVENTS
    """Where events go. Staging: https://staging-events.datacue.co/"""
    api_url: str = VENDOR_API
    """The REST API."""
    # -- addresses --------------------------------------------------------------------------------
    upstream: str | None = None
    """Origin of the shop, as http://host:port. Required for `run`."""
    listen: str = "127.0.0.1:8000"
    """Public address, HOST:PORT."""
    admin_listen: str = "127.0.0.1:8001"
    """Health, metrics, console. Keep it on loopback: beyond it a token is asked for."""
    admin_token: SecretStr | None = None
    """Bearer token of the admin address; required as soon as that isn't loopback."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that serve. One a core is enough."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1")
    """Addresses or networks whose X-Forwarded-* is believed."""
    preserve_host: bool = True
    """Whether the shop sees the Host that the visitor asked for; false sends the upstream's own."""
    # -- visitors ---------------------------------------------------------------------------------
    secret_keys: tuple[SecretStr, ...] = ()
    """Signing keys, newest last. None: one is made and kept in state_dir."""
    state_dir: Path = Path(".datacue")
    """Where the outbox, the engine's data and the generated key live."""
    consent: str = "none"
    """`none`, or `cookie=value`: the cookie that grants personalization."""
    privacy_signals: bool = True
    """Whether `Sec-GPC: 1` and `DNT: 1` deny personalization."""
    # -- pages ------------------------------------------------------------------------------------
    deadline: float = Field(default=0.3, ge=0.0, le=30.0)
    """Seconds from the request's start after which a slot keeps the shop's own content."""
    view_window: float = Field(default=5.0, ge=0.0, le=60.0)
    """Seconds for which fragments of one visitor and one page share an answer, and count as one page view."""
    prefix: str = "/_datacue"
    """Path under which the include, click, track and static endpoints live."""
    detect: bool = True
    """Whether page kinds are also found from the URL and the page itself, not by [[pages]] alone."""
    remove_vendor_scripts: bool = True
    """Whether DataCue's own scripts are taken out of a personalized page: they would count it twice."""
    pages: tuple[PageSettings, ...] = ()
    slots: tuple[SlotSettings, ...] = ()
    capture: tuple[CaptureSettings, ...] = ()
    preset: Literal["demo", "magento", "opencart", "oscar", "prestashop", "woocommerce"] | None = None
    """A well-known shop, whose pages, slots and forms need no rules of yours; those that you write win."""
    user_cookie: str | None = None
    """Name of the shop's own cookie that holds the id of who is logged in. Only the shop's Set-Cookie is
    believed."""
    user_jwt: str | None = None
    """`cookie:claim`: the same, where the cookie is a JSON Web Token."""
    esi: bool = True
    """Whether the shop is told that ESI is processed (`Surrogate-Capability`), and that it is."""
    shell: Literal["none", "auto", "esi", "ssi"] = "none"
    """Whether pages that shared caches may keep leave with includes in their slots, and which; `auto`: `esi`
    where a trusted proxy in front says that it processes ESI."""
    click_links: bool = True
    """Whether links in widgets lead through `{prefix}/click/...`, so that clicks are counted."""
    # -- looks ------------------------------------------------------------------------------------
    templates: Path | None = None
    """Folder whose templates override the shipped ones, file by file."""
    static: Path | None = None
    """Folder whose files override the shipped stylesheet and script, file by file."""
    locale: str = "en_US"
    """How prices and titles are written."""
    currency: str = "USD"
    """ISO 4217 code of the shop's prices."""
    layout: Literal["grid", "slider"] = "grid"
    """How product lists are laid out; the slider is CSS only."""
    section_size: int = Field(default=8, ge=1, le=16)
    """Products in a list, at the most."""
    stylesheet: bool = True
    """Whether the first widget of a page brings our stylesheet."""
    # -- limits -----------------------------------------------------------------------------------
    outbox: str | None = None
    """Folder of the outbox's SQLite files, one a worker. None: `outbox` in state_dir."""
    page_cache: int = Field(default=0, ge=0, le=65_536)
    """Megabytes of the shop's public pages that each worker of `run` keeps, so that the shop is asked once
    (RFC 9111); 0 keeps none."""
    connect_timeout: float = Field(default=5.0, gt=0)
    """Seconds to reach the shop."""
    response_timeout: float = Field(default=60.0, gt=0)
    """Seconds until the shop's response begins: 504 after that."""
    idle_timeout: float = Field(default=60.0, gt=0)
    """Seconds without a byte from the shop, once its response has begun."""
    vendor_timeout: float = Field(default=5.0, gt=0)
    """Seconds that a call to DataCue may take, whether or not a page still waits for it."""
    max_request_body: int | None = Field(default=None, ge=0)
    """Bytes of a request's body: 413 beyond. None leaves the limit to the shop."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is worth a line on standard error."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """`auto` writes for people on a terminal and JSON elsewhere."""

    @field_validator("trusted_proxies", "secret_keys", mode="before")
    @classmethod
    def _commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_key", "api_secret", "admin_token")
    @classmethod
    def _said(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip():
            raise ValueError("is empty")
        return value

    @field_validator("secret_keys")
    @classmethod
    def _keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(key.get_secret_value().strip() for key in value):
            raise ValueError("one of the keys is empty: everybody could forge a visitor's cookie")
        return value

    @field_validator("upstream", "events_url", "api_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if "@" in value:
            raise ValueError("must not hold a user name or password")  # nor may the message
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"{value!r} is no address: {str(error).lower()}") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{value!r} is no http:// or https:// address")
        if parts.query or parts.fragment:
            raise ValueError(f"{value!r} must not hold a query or a fragment")
        return value

    @field_validator("prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        if not PREFIX.fullmatch(value) or {".", ".."} & set(value.split("/")):
            raise ValueError(f"{value!r} is no path of letters, digits and . _ ~ - that ends without a slash")
        return value

    @field_validator("consent")
    @classmethod
    def _consent(cls, value: str) -> str:
        name, separator, wanted = value.partition("=")
        if value != "none" and not (separator and COOKIE_NAME.fullmatch(name.strip()) and wanted.strip()):
            raise ValueError(f"{value!r} is neither none nor cookie=value")
        return value

    @field_validator("user_cookie")
    @classmethod
    def _user_cookie(cls, value: str | None) -> str | None:
        if value is not None and not COOKIE_NAME.fullmatch(value):
            raise ValueError(f"{value!r} is no cookie's name")
        return value

    @field_validator("user_jwt")
    @classmethod
    def _user_jwt(cls, value: str | None) -> str | None:
        name, _, claim = (value or "cookie:claim").partition(":")
        if not (COOKIE_NAME.fullmatch(name) and claim and all(claim.split("."))):
            raise ValueError(f"{value!r} is not cookie:claim")
        return value

    @field_validator("listen", "admin_listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        host_port(value)
        return value

    @property
    def embedded_engine(self) -> bool:
        """Whether the embedded engine answers in place of DataCue."""
        return self.api_key is None

    def consent_cookie(self) -> tuple[str, str] | None:
        """The cookie and the value that grant personalization; None where none is asked for."""
        if self.consent == "none":
            return None
        name, _, value = self.consent.partition("=")
        return name.strip(), value.strip()


def load(file: Path | None = None, **given: Any) -> Settings:
    """Reads the settings.

    Args:
        file: the TOML file; None takes ``datacue.toml`` where there is one.
        given: what the command line (or the embedding app) says; None means "not said".

    Raises:
        SettingsError: naming the key at fault and the mend.
    """
    values = _from_file(file)
    origin = dict.fromkeys(values, str(file or DEFAULT_FILE))
    for key in Settings.model_fields:
        text = os.environ.get(f"DATACUE_{key.upper()}")
        if text:  # an empty one is what `KEY=${KEY}` in a compose file leaves behind: not set
            values[key] = _from_environment(key, text)
            origin[key] = f"DATACUE_{key.upper()}"
    for key, value in given.items():
        if value is not None:
            values[key] = value
            origin[key] = ""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _explain(error, origin) from None


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        if not DEFAULT_FILE.is_file():
            return {}
        file = DEFAULT_FILE
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(str(file), "there is no such file", "Check its name, or leave it out.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            str(file), f"can't be read: {error}", "Check its permissions and encoding."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            str(file), f"is not TOML: {error}", "Mend that line; strings need quotes."
        ) from None


def _from_environment(key: str, text: str) -> object:
    """Tables come as TOML, everything else as the text that it is."""
    if key not in {"pages", "slots", "capture"}:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"DATACUE_{key.upper()}", f"is no TOML array: {error}", 'Write [{ path = "/", kind = "home" }].'
        ) from None


def _explain(error: ValidationError, origin: dict[str, str]) -> SettingsError:
    """The first complaint, in the operator's words."""
    first = error.errors(include_url=False)[0]
    location = tuple(part for part in first["loc"] if part not in UNION_MEMBERS)
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    where = origin.get(str(location[0]), "") if location else ""
    if where and where != f"DATACUE_{key.upper()}":
        key = f"{where}: {key}"
    elif where:
        key = where
    if first["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _known_keys(location)
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        mend = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(known)}."
        return SettingsError(key, "is no setting", mend)
    problem, mend = _mistake(first["type"], first["msg"], first["input"], first.get("ctx", {}))
    if any(word in key.lower() for word in ("secret", "token", "api_key")):
        problem = problem.partition(" (it is ")[0]
    mend = mend or MENDS.get(".".join(map(str, location)), "See docs/settings.md.")
    return SettingsError(key, problem, mend)


def _mistake(kind: str, message: str, given: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong, and the mend where this kind of mistake tells it; kinds are pydantic's names."""
    shown = repr(given)
    it_is = f"(it is {shown if len(shown) <= SHOWN else shown[:SHOWN] + '…'})"
    match kind:
        case "missing":
            return "is missing", "Add it."
        case "value_error":
            return message.removeprefix("Value error, "), ""
        case "literal_error":
            return f"is none of its values {it_is}", f"Write {context['expected']}."
        case "string_type":
            return f"is no text {it_is}", 'Write it in quotes, as "text".'
        case "bool_parsing" | "bool_type":
            return f"is neither yes nor no {it_is}", "Write true or false."
        case "greater_than_equal" | "greater_than":
            least = f"{context['ge']:g} or more" if "ge" in context else f"more than {context['gt']:g}"
            return f"is too small {it_is}", f"Write {least}."
        case "less_than_equal":
            return f"is too large {it_is}", f"Write {context['le']:g} or less."
        case _ if kind.startswith(("int_", "float_", "finite_")):
            return f"is no {'whole ' if kind.startswith('int_') else ''}number {it_is}", "Write a number."
        case "tuple_type" | "list_type":
            return f"is no list {it_is}", ""
        case "dict_type" | "model_type":
            return f"is no table {it_is}", ""
        case _:
            return f"{message[:1].lower()}{message[1:]} {it_is}", ""


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    tables: dict[str, type[BaseModel]] = {
        "pages": PageSettings,
        "slots": SlotSettings,
        "capture": CaptureSettings,
    }
    if len(location) > 1 and (table := tables.get(str(location[0]))):
        return sorted(table.model_fields)
    return sorted(Settings.model_fields)


__all__ = ["WIDGETS", "CaptureSettings", "PageSettings", "Settings", "SlotSettings", "load"]
