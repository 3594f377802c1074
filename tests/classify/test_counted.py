from __future__ import annotations

import time

import crawleruseragents
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.classify import counted, is_bot, not_counted

CHROME = (
    b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
CONSENT = ("consent", "granted")


def why(
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    consent: tuple[str, str] | None = None,
    signals: bool = True,
) -> str | None:
    return not_counted(method, [(b"host", b"shop"), (b"user-agent", CHROME), *headers], consent, signals)


def test_a_visitor_is_counted() -> None:
    assert why((b"accept", b"text/html"), (b"sec-gpc", b"0"), (b"dnt", b"0"), (b"cookie", b"a=b")) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ((b"sec-purpose", b"prefetch;prerender"), "prefetch"),
        ((b"sec-purpose", b"prefetch"), "prefetch"),
        ((b"purpose", b"Prefetch"), "prefetch"),
        ((b"x-purpose", b"preview"), "prefetch"),
        ((b"x-moz", b"prefetch"), "prefetch"),
        ((b"sec-gpc", b"1"), "gpc"),
        ((b"dnt", b" 1 "), "dnt"),
    ],
)
def test_a_header_says_why(header: tuple[bytes, bytes], reason: str) -> None:
    assert why(header) == reason


def test_a_head_request_shows_nothing() -> None:
    assert why(method="HEAD") == "head"


def test_a_form_is_counted() -> None:
    assert why(method="POST") is None


def test_gpc_is_named_before_dnt() -> None:
    assert why((b"dnt", b"1"), (b"sec-gpc", b"1")) == "gpc"


def test_signals_may_be_told_not_to_count() -> None:
    assert why((b"dnt", b"1"), (b"sec-gpc", b"1"), signals=False) is None


@pytest.mark.parametrize(
    ("cookies", "consent", "reason"),
    [
        ([], CONSENT, "consent"),
        ([b"consent=granted"], CONSENT, None),
        ([b'a=b; consent="granted" ; c'], CONSENT, None),
        ([b"a=b", b"consent=granted"], CONSENT, None),
        ([b"consent=denied"], CONSENT, "consent"),
        ([b"consent"], CONSENT, "consent"),
        ([b"Consent=granted; xconsent=granted"], CONSENT, "consent"),
        ([b"consent=granted; consent=denied"], CONSENT, "consent"),
        ([b"consent=granted%20all"], ("consent", "granted all"), None),
        ([b"consent=%FF\xff"], CONSENT, "consent"),
        ([b"consent=anything"], ("consent", ""), None),
        ([b"consent="], ("consent", ""), "consent"),
        ([], None, None),
    ],
)
def test_consent_is_a_cookie_with_its_value(
    cookies: list[bytes], consent: tuple[str, str] | None, reason: str | None
) -> None:
    assert why(*[(b"cookie", value) for value in cookies], consent=consent) == reason


@pytest.mark.parametrize(
    "agent",
    [b"kube-probe/1.29", b"ELB-HealthChecker/2.0", b"GoogleHC/1.0", b"Consul Health Check", b"HAProxy/2.8"],
)
def test_a_health_check_is_named(agent: bytes) -> None:
    assert not_counted("GET", [(b"user-agent", agent)], None, honour_signals=True) == "health"


def test_a_bot_is_named() -> None:
    assert not_counted("GET", [(b"user-agent", b"Googlebot/2.1")], None, honour_signals=True) == "bot"


def test_a_missing_user_agent_is_no_bot() -> None:
    assert not_counted("GET", [(b"host", b"shop")], None, honour_signals=True) is None


def test_every_crawler_that_is_listed_is_a_bot() -> None:
    agents = [agent for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA for agent in entry["instances"]]
    assert [agent for agent in agents if not is_bot(agent.encode())] == []


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        b"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
        b"\xff" * 5_000,
        b"",
    ],
)
def test_a_browser_is_no_bot(agent: bytes) -> None:
    assert not is_bot(agent)


def test_a_headless_browser_is_a_bot() -> None:
    assert is_bot(CHROME.replace(b"Chrome/", b"HeadlessChrome/"))


def test_a_pattern_that_the_engine_cant_take_leaves_the_others_working() -> None:
    compiled = counted.compile_patterns(["good[bB]ot", "(?<!x)bad", "other"])
    assert [compiled.search(agent) is not None for agent in (b"a goodBot", b"another", b"bad")] == [
        True,
        True,
        False,
    ]


def test_every_pattern_of_the_list_is_used() -> None:
    assert all(counted.compiles(entry["pattern"]) for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA)


def test_a_known_user_agent_costs_microseconds() -> None:
    headers = [(b"user-agent", CHROME)] + [(b"x-%d" % n, b"v") for n in range(20)]
    not_counted("GET", headers, CONSENT, honour_signals=True)
    started = time.process_time()
    for _ in range(1_000):
        not_counted("GET", headers, CONSENT, honour_signals=True)
    assert time.process_time() - started < 0.1  # 100 µs each; measured: 4


@given(
    st.lists(
        st.tuples(st.sampled_from([b"user-agent", b"cookie", b"dnt", b"purpose", b"sec-gpc"]), st.binary())
    )
)
def test_no_header_makes_it_raise(headers: list[tuple[bytes, bytes]]) -> None:
    not_counted("GET", headers, CONSENT, honour_signals=True)


def test_our_own_crawler_is_a_bot() -> None:
    assert is_bot(b"datacue-proxy/0.1.0 (crawl)")
