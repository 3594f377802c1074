"""How a widget speaks to the shop's visitors: titles, short words, prices and stars.

English titles are the vendor's own, so that a shop that moves over looks the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, get_currency_name
from msgspec import Struct

from proxy.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMATS_REMEMBERED = 4096
"""Formatted prices and numbers kept, about 1 MB each: Babel takes 13 µs for one, and they repeat."""


class Words(Struct, frozen=True):
    """The words of one language, as templates see them; every one can be replaced by a setting."""

    related: str
    similar: str
    recent: str
    top: str
    categories: str
    """Title of a category row that has no name of its own."""
    banners: str
    """Names the group of banners to screen readers."""
    banner: str
    """Alternative text of a banner that says nothing about itself."""
    was: str
    """Said, not shown, before the struck-through price."""
    now: str
    """Said, not shown, before the current price where another one is struck through."""
    stars: str
    """Alternative text of the stars; ``{stars}`` becomes the number."""
    stock: str
    """``{count}`` becomes the number of pieces."""


# One row a language, in the order of the fields above.
_LANGUAGES: dict[str, Words] = {
    language: Words(*words)
    for language, *words in (
        (
            *("en", "Recommended for you", "Similar products", "Recently viewed", "Top products"),
            *("Picked for you", "Offers", "See the offer", "Was", "Now"),
            *("{stars} out of 5 stars", "{count} in stock"),
        ),
        (
            *("de", "Für Sie empfohlen", "Ähnliche Produkte", "Zuletzt angesehen", "Beliebte Produkte"),
            *("Für Sie ausgesucht", "Angebote", "Zum Angebot", "Vorher", "Jetzt"),
            *("{stars} von 5 Sternen", "{count} auf Lager"),
        ),
        (
            *("es", "Recomendado para ti", "Productos similares", "Vistos recientemente", "Más populares"),
            *("Elegido para ti", "Ofertas", "Ver la oferta", "Antes", "Ahora"),
            *("{stars} de 5 estrellas", "{count} en stock"),
        ),
        (
            *("fr", "Recommandé pour vous", "Produits similaires", "Vus récemment", "Les plus populaires"),
            *("Choisi pour vous", "Offres", "Voir l'offre", "Avant", "Maintenant"),
            *("{stars} étoiles sur 5", "{count} en stock"),
        ),
        (
            *("it", "Consigliati per te", "Prodotti simili", "Visti di recente", "I più popolari"),
            *("Scelti per te", "Offerte", "Vedi l'offerta", "Prima", "Ora"),
            *("{stars} stelle su 5", "{count} disponibili"),
        ),
        (
            *(
                "nl",
                "Aanbevolen voor jou",
                "Vergelijkbare producten",
                "Laatst bekeken",
                "Populaire producten",
            ),
            *("Voor jou gekozen", "Aanbiedingen", "Bekijk de aanbieding", "Was", "Nu"),
            *("{stars} van 5 sterren", "{count} op voorraad"),
        ),
        (
            *("pt", "Recomendado para você", "Produtos semelhantes", "Vistos recentemente", "Mais populares"),
            *("Escolhido para você", "Ofertas", "Ver a oferta", "Antes", "Agora"),
            *("{stars} de 5 estrelas", "{count} em estoque"),
        ),
    )
}

LANGUAGES: tuple[str, ...] = tuple(_LANGUAGES)
"""Languages with words of their own; any other speaks English until its words are set."""


def parse_locale(name: str) -> Locale:
    """``en_US`` or ``en-US`` → the locale.

    Raises:
        SettingsError: nobody knows such a locale.
    """
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError) as error:
        problem = f"{name!r} is not a locale"
        raise SettingsError("locale", problem, "Write a language and a country: en_US, de_CH.") from error


def words_for(locale: Locale, replaced: Mapping[str, str] | None = None) -> Words:
    """The words of the locale's language, with the shop's own in place of some.

    Args:
        locale: as `parse_locale` gives it.
        replaced: word by its name in `Words`: ``{"related": "You may also like"}``.

    Raises:
        SettingsError: there is no word of that name.
    """
    words = _LANGUAGES.get(locale.language, _LANGUAGES["en"])
    own = dict(replaced or {})
    names = Words.__struct_fields__
    for name in own:
        if name not in names:
            raise SettingsError(f"words.{name}", "there is no such word", f"Known: {', '.join(names)}")
    return Words(**{name: own.get(name) or getattr(words, name) for name in names})


def price_formatter(locale: Locale, currency: str) -> Callable[[float, str], str]:
    """A function from (amount, ISO 4217 code or "" for the shop's own) to text, with a bounded memory.

    Raises:
        SettingsError: the shop's currency is unknown.
    """
    if get_currency_name(currency, locale="en") == currency:
        raise SettingsError(
            "currency", f"{currency!r} is not a currency", "Write its ISO 4217 code: USD, EUR."
        )

    @lru_cache(maxsize=FORMATS_REMEMBERED)
    def price(amount: float, code: str = "") -> str:
        return format_currency(amount, code or currency, locale=locale)

    return price


def number_formatter(locale: Locale) -> Callable[[float], str]:
    """A function from a number to text: 4.5 is ``4,5`` in German."""

    @lru_cache(maxsize=FORMATS_REMEMBERED)
    def number(value: float) -> str:
        return format_decimal(value, locale=locale)

    return number
