"""Header policy: promises 13, 14 and 21, on raw lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import headers, surrogate
from proxy.headers import Client, TrustedProxies

CLIENT = Client("203.0.113.9", "https", b"shop.example", trusted=False)


def to_shop(fields, *, peer="203.0.113.9", client=CLIENT, trusted=False, host=None, version=b"1.1"):
    return headers.for_shop(
        fields, peer=peer, client=client, trusted=trusted, host=host, http_version=version
    )


@pytest.mark.parametrize("name", sorted(headers.HOP_BY_HOP))
def test_hop_by_hop_fields_are_stripped_both_ways(name):
    fields = [(b"host", b"shop.example"), (name, b"x"), (b"x-kept", b"1")]
    assert name not in dict(to_shop(fields))
    assert headers.from_shop(fields) == [(b"host", b"shop.example"), (b"x-kept", b"1")]


def test_fields_that_connection_nominates_are_stripped_both_ways():
    fields = [(b"connection", b"close, X-Secret"), (b"x-secret", b"1"), (b"x-kept", b"1")]
    assert headers.from_shop(fields) == [(b"x-kept", b"1")]
    assert b"x-secret" not in dict(to_shop(fields))


@pytest.mark.parametrize("name", sorted(headers.KEPT_WHEN_NOMINATED - {b"content-length"}))
def test_connection_cannot_take_away_what_the_message_means(name):
    fields = [(b"connection", name), (name, b"value")]
    assert (name, b"value") in headers.from_shop(fields)
    assert (name, b"value") in to_shop(fields)


def test_repeated_fields_stay_repeated_and_in_order():
    fields = [(b"cookie", b"a=1"), (b"accept", b"x"), (b"cookie", b"b=2"), (b"accept", b"y")]
    kept = [field for field in to_shop(fields) if field[0] in {b"cookie", b"accept"}]
    assert kept == fields
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert headers.from_shop(cookies) == cookies
    assert headers.personal(cookies)[:2] == cookies


def test_framing_is_left_to_the_connection():
    assert b"content-length" not in dict(to_shop([(b"content-length", b"3")]))


def test_an_unknown_peers_forwarding_fields_are_replaced():
    fields = [
        (b"host", b"shop.example"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"forwarded", b"for=1.2.3.4"),
        (b"x-forwarded-proto", b"gopher"),
        (b"x-forwarded-host", b"evil.example"),
        (b"x-forwarded-port", b"1"),
    ]
    sent = to_shop(fields)
    assert headers.values_of(sent, b"x-forwarded-for") == [b"203.0.113.9"]
    assert headers.values_of(sent, b"x-forwarded-proto") == [b"https"]
    assert headers.values_of(sent, b"x-forwarded-host") == [b"shop.example"]
    assert headers.values_of(sent, b"forwarded") == [b'for=203.0.113.9;host="shop.example";proto=https']
    assert headers.value_of(sent, b"x-forwarded-port") is None


def test_a_trusted_proxys_forwarding_fields_are_continued():
    fields = [
        (b"x-forwarded-for", b"198.51.100.7"),
        (b"x-forwarded-for", b"198.51.100.8"),
        (b"forwarded", b"for=198.51.100.7"),
        (b"forwarded", b"for=198.51.100.8"),
    ]
    sent = to_shop(fields, peer="127.0.0.1", trusted=True)
    assert headers.values_of(sent, b"x-forwarded-for") == [b"198.51.100.7, 198.51.100.8, 127.0.0.1"]
    assert headers.value_of(sent, b"forwarded").startswith(
        b"for=198.51.100.7, for=198.51.100.8, for=127.0.0.1;"
    )


def test_ipv6_is_quoted_in_forwarded():
    sent = to_shop([], peer="2001:db8::1")
    assert headers.value_of(sent, b"forwarded").startswith(b'for="[2001:db8::1]";')


def test_a_peer_without_an_address_is_unknown():
    sent = to_shop([], peer="")
    assert headers.value_of(sent, b"x-forwarded-for") == b"unknown"
    assert headers.value_of(sent, b"forwarded").startswith(b"for=unknown;")


def test_a_hosts_quotes_cannot_break_out_of_forwarded():
    sent = to_shop([], client=CLIENT._replace(host=b'a";for=evil\\'))
    assert b'host="a\\";for=evil\\\\";proto' in headers.value_of(sent, b"forwarded")


def test_via_names_us_after_the_others():
    assert headers.value_of(to_shop([]), b"via") == b"1.1 datacue-proxy"
    sent = to_shop([(b"via", b"2 cdn"), (b"via", b"1.1 edge")], version=b"1.0")
    assert headers.values_of(sent, b"via") == [b"2 cdn, 1.1 edge, 1.0 datacue-proxy"]


def test_a_loop_is_noticed_by_our_own_name():
    assert not headers.loops([(b"via", b"1.1 datacue-proxy, 1.1 datacue-proxy, 1.1 datacue-proxy")])
    assert headers.loops(
        [(b"via", b"1.1 datacue-proxy, 1.1 datacue-proxy"), (b"via", b"1.1 datacue-proxy,1.1 datacue-proxy")]
    )


def test_host_is_kept_or_rewritten_as_set():
    assert headers.value_of(to_shop([(b"host", b"a")]), b"host") == b"a"
    assert headers.value_of(to_shop([(b"host", b"a")], host=b"b"), b"host") == b"b"


def test_a_clients_own_datacue_fields_never_reach_the_shop():
    fields = [(b"x-datacue-event", b"{}"), (b"x-datacue-user", b"{}"), (b"x-datacue-anything", b"1")]
    assert not [name for name, _ in to_shop(fields) if name.startswith(b"x-datacue")]


@pytest.mark.parametrize(
    "name", [b"x_forwarded_for", b"x-forwarded_proto", b"forwarded", b"x_datacue_user", b"proxy_connection"]
)
def test_an_underscore_cannot_stand_in_for_our_own_fields(name):
    assert (name, b"evil") not in to_shop([(name, b"evil")])


def test_other_underscores_pass():
    assert (b"x_custom", b"1") in to_shop([(b"x_custom", b"1")])


def test_what_the_shop_says_to_us_never_reaches_the_browser():
    fields = [
        (b"x-datacue-event", b"{}"),
        (b"x-datacue-user", b"{}"),
        (b"x-datacue-off", b"1"),
        (b"x-datacue", b"x"),
    ]
    assert headers.unsaid([*fields, (b"etag", b'"1"')]) == [(b"etag", b'"1"')]


@pytest.mark.parametrize("name", sorted(headers.DESCRIBES_BYTES | headers.CACHING))
def test_a_rewritten_page_loses_what_was_true_of_the_shops_bytes(name):
    assert headers.personal([(name, b"x"), (b"vary", b"accept")]) == [(b"vary", b"accept"), headers.PRIVATE]


def test_a_page_with_our_cookie_on_the_shops_bytes_keeps_their_validators():
    fields = [(b"etag", b'"1"'), (b"cache-control", b"public, max-age=60"), (b"content-length", b"3")]
    assert headers.uncached(fields) == [(b"etag", b'"1"'), (b"content-length", b"3"), headers.PRIVATE]


def test_the_client_is_the_peer_where_nobody_is_trusted():
    trusted = TrustedProxies(["10.0.0.0/8"])
    asked = [(b"host", b"shop"), (b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-proto", b"https")]
    assert trusted.client("203.0.113.9", "http", asked) == Client(
        "203.0.113.9", "http", b"shop", trusted=False
    )


def test_the_client_is_the_right_most_address_that_is_not_ours():
    trusted = TrustedProxies(["10.0.0.0/8"])
    asked = [
        (b"host", b"inner"),
        (b"x-forwarded-for", b"1.2.3.4, 198.51.100.7"),
        (b"x-forwarded-for", b"10.0.0.2"),
        (b"x-forwarded-proto", b"HTTPS, http"),
        (b"x-forwarded-host", b"shop.example, inner"),
    ]
    assert trusted.client("10.0.0.1", "http", asked) == Client(
        "198.51.100.7", "https", b"shop.example", trusted=False
    )


def test_an_address_that_is_none_ends_the_chain():
    trusted = TrustedProxies(["10.0.0.0/8"])
    asked = [(b"x-forwarded-for", b"198.51.100.7, unknown, 10.0.0.2")]
    assert trusted.client("10.0.0.1", "http", asked).ip == "10.0.0.2"


def test_behind_trusted_proxies_alone_the_first_of_them_is_the_client():
    trusted = TrustedProxies(["10.0.0.0/8"])
    asked = [(b"accept", b"*/*"), (b"x-forwarded-for", b"10.0.0.3, 10.0.0.2")]
    assert trusted.client("10.0.0.1", "http", asked) == Client("10.0.0.3", "http", b"", trusted=True)


@pytest.mark.parametrize(
    ("hop", "ip"),
    [
        (b"198.51.100.7:4711", "198.51.100.7"),
        (b"[2001:db8::1]:4711", "2001:db8::1"),
        (b"2001:db8::1", "2001:db8::1"),
    ],
)
def test_forwarded_addresses_may_carry_a_port(hop, ip):
    asked = [(b"x-forwarded-for", hop)]
    assert TrustedProxies(["127.0.0.1"]).client("127.0.0.1", "http", asked).ip == ip


def test_a_trusted_proxy_without_forwarding_is_the_client_itself():
    assert TrustedProxies(["127.0.0.1"]).client("127.0.0.1", "http", [(b"host", b"a")]) == Client(
        "127.0.0.1", "http", b"a", trusted=True
    )


def test_trust_reads_ipv4_inside_ipv6_and_ignores_what_is_no_address():
    trusted = TrustedProxies(["10.0.0.0/8", "::1"])
    assert "::ffff:10.1.2.3" in trusted
    assert "::1" in trusted
    assert "" not in trusted
    assert "localhost" not in trusted


def test_what_is_known_of_strangers_is_bounded():
    trusted = TrustedProxies(["10.0.0.0/8"])
    for number in range(TrustedProxies.MAX_KNOWN + 10):
        assert f"10.0.{number // 256}.{number % 256}" in trusted
    assert len(trusted._known) <= TrustedProxies.MAX_KNOWN


def test_a_network_that_is_none_is_refused():
    with pytest.raises(ValueError, match="nonsense"):
        TrustedProxies(["nonsense"])


def test_tokens_are_found_without_their_parameters():
    fields = [(b"cache-control", b"public, No-Transform"), (b"connection", b"Upgrade;x=1")]
    assert headers.has_token(fields, b"cache-control", b"no-transform")
    assert headers.has_token(fields, b"connection", b"upgrade")
    assert not headers.has_token(fields, b"cache-control", b"private")


names = st.sampled_from([b"a", b"b", b"set-cookie", b"cookie", b"connection", b"x-datacue-off"])


@given(st.lists(st.tuples(names, st.binary(max_size=8))))
def test_policy_never_reorders_or_invents(fields):
    kept = headers.from_shop(fields)
    remaining = iter(fields)
    assert all(field in remaining for field in kept)


def test_a_strangers_word_on_the_original_uri_does_not_reach_the_shop():
    for name in (b"x-original-uri", b"x_original_uri"):
        said = [(b"host", b"shop.example"), (name, b"/p/p1")]
        assert b"/p/p1" not in [value for _, value in to_shop(said)]
        assert (name, b"/p/p1") in to_shop(said, peer="127.0.0.1", trusted=True)


ESI = b'varnish="ESI/1.0"'


def capability(fields, **more):
    return [value for name, value in to_shop(fields, **more) if name.startswith(b"surrogate")]


def test_a_strangers_word_on_esi_does_not_reach_the_shop():
    for name in (b"surrogate-capability", b"surrogate_capability"):
        assert capability([(name, ESI)]) == []
        assert capability([(name, ESI)], peer="127.0.0.1", trusted=True) == [ESI]


def test_what_we_say_of_ourselves_reaches_the_shop_without_what_a_stranger_said():
    said = surrogate.announced([(b"surrogate-capability", ESI)])
    assert capability(said) == [b'datacue="ESI/1.0"']
    assert capability(surrogate.announced([])) == [b'datacue="ESI/1.0"']
    assert capability(said, peer="127.0.0.1", trusted=True) == [ESI + b', datacue="ESI/1.0"']
