"""Shells by themselves: tags, includes, and a view that nobody has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from proxy.models import Page, Slot
from proxy.shell import Shells, shareable
from proxy.shelling import Shelling, ShellView

HOME = Page("home")


def test_a_tag_goes_out_and_comes_back_as_the_shops():
    shells = Shells("esi", "/dc", "1")
    for tag in (b'"abc"', b'W/"abc"', b'""', b'"a--dcw.00"'):
        marked = shells.entity_tag(tag, "esi")
        assert marked.startswith(b'W/"')
        assert shells.request([(b"if-none-match", marked)], "esi") == ([(b"if-none-match", tag)], True)
        assert shells.request([(b"if-none-match", marked)], "ssi") == ([], False)
        assert Shells("esi", "/dc", "2").request([(b"if-none-match", marked)], "esi") == ([], False)


@pytest.mark.parametrize("field", [b"*", b'"abc"', b'W/"abc", "d"', b"junk"])
def test_other_tags_pass(field):
    headers = [(b"a", b"b"), (b"if-none-match", field)]
    assert Shells("ssi", "/dc", "1").request(headers, "ssi") == (headers, False)


def test_what_is_no_tag_stays():
    assert Shells("ssi", "/dc", "1").entity_tag(b"broken", "ssi") == b"broken"


@pytest.mark.parametrize(
    ("mode", "method", "headers", "trusted", "language"),
    [
        ("none", "GET", [], True, None), ("esi", "GET", [], False, "esi"), ("ssi", "HEAD", [], False, "ssi"), ("esi", "POST", [], True, None),
        ("esi", "GET", [(b"upgrade", b"websocket")], True, None), ("auto", "GET", [], True, None),
        ("auto", "GET", [(b"surrogate-capability", b'v="ESI/1.0"')], True, "esi"),
        ("auto", "GET", [(b"surrogate-capability", b'v="ESI/1.0"')], False, None),
    ],
)  # fmt: skip
def test_the_language_of_a_shell(mode, method, headers, trusted, language):
    assert Shells(mode, "/dc", "1").language(method, headers, trusted=trusted) == language


def test_an_include_without_content_has_nothing_around_it():
    shells = Shells("esi", "/dc", "1")
    assert shells.include(Slot("top"), HOME, b"", "esi") == (
        b'<!--esi <esi:include src="/dc/fragments/top?page=home" onerror="continue"/>-->'
    )
    assert (
        shells.include(Slot("top"), HOME, b"", "ssi")
        == b'<!--# include virtual="/dc/fragments/top?page=home" -->'
    )


@pytest.mark.parametrize("language", ["esi", "ssi"])
def test_what_cannot_be_included_is_not(language):
    shells = Shells(language, "/dc", "1")
    assert shells.include(Slot("top"), Page("search", term="x" * 3000), b"", language) is None
    assert shells.include(Slot("banners", static_img="/a.jpg"), HOME, b"", language) is None
    for own in (b"<esi:vars>", b"</esi:remove>", b"<!--esi x-->", b"<!--#echo-->"):
        assert shells.include(Slot("top"), HOME, own, language) is None


@pytest.mark.parametrize(
    ("asked", "said", "may"),
    [
        ([], [], True), ([], [(b"cache-control", b"no-cache")], True), ([], [(b"cache-control", b"max-age=1, Private")], False),
        ([(b"authorization", b"x")], [], False), ([(b"authorization", b"x")], [(b"cache-control", b"s-maxage=1")], True),
        ([(b"cookie", b"x")], [(b"vary", b"cookie")], True), ([], [(b"vary", b"accept, *")], False), ([], [(b"set-cookie", b"")], False),
    ],
)  # fmt: skip
def test_only_the_shop_says_what_may_be_shared(asked, said, may):
    assert shareable(asked, said) is may


async def test_a_shell_has_no_view_and_knows_nobody():
    view = ShellView(None)
    assert not view.begun
    view.begin(HOME)
    view.begin(Page("cart"))
    assert view.page == HOME
    assert await view.slot(Slot("top"), utf8=True) is None
    assert await view.settle() is None
    assert Shelling.known(SimpleNamespace()) is False
