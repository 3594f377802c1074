"""The settings: where they come from, which wins, and what a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from proxy.errors import SettingsError
from proxy.listening import host_port
from proxy.models import PAGE_KINDS
from proxy.settings import Settings, SlotSettings, load


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder and an environment without our variables."""
    monkeypatch.chdir(tmp_path)
    for key in Settings.model_fields:
        monkeypatch.delenv(f"DATACUE_{key.upper()}", raising=False)
    return tmp_path


def complaint(file=None, **given):
    with pytest.raises(SettingsError) as caught:
        load(file, **given)
    error = caught.value
    assert str(error) == f"{error.key}: {error.problem}. {error.mend}"
    assert "\n" not in str(error)
    return error


# -- where they come from -----------------------------------------------------------------------------


def test_nothing_said_gives_the_defaults():
    settings = load()
    assert settings == Settings()
    assert settings.embedded_engine
    assert settings.consent_cookie() is None


def test_the_working_folder_s_datacue_toml_is_read(folder):
    (folder / "datacue.toml").write_text('upstream = "http://shop"\n[[pages]]\nkind = "home"\npath = "/"\n')
    settings = load()
    assert settings.upstream == "http://shop"
    assert settings.pages[0].path == "/"


def test_a_named_file_is_read_in_its_place(folder):
    (folder / "datacue.toml").write_text("deadline = 1")
    (folder / "other.toml").write_text("deadline = 2")
    assert load(Path("other.toml")).deadline == 2


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(folder, monkeypatch):
    (folder / "datacue.toml").write_text('deadline = 1\nlocale = "de_DE"\ncurrency = "EUR"')
    monkeypatch.setenv("DATACUE_DEADLINE", "2")
    monkeypatch.setenv("DATACUE_LOCALE", "fr_FR")
    settings = load(deadline=3)
    assert (settings.deadline, settings.locale, settings.currency) == (3, "fr_FR", "EUR")


def test_what_the_command_line_does_not_say_changes_nothing(folder):
    (folder / "datacue.toml").write_text("workers = 4")
    assert load(workers=None).workers == 4


def test_an_empty_variable_is_not_set(folder, monkeypatch):
    (folder / "datacue.toml").write_text('api_key = "from-the-file"')
    monkeypatch.setenv("DATACUE_API_KEY", "")
    monkeypatch.setenv("DATACUE_UPSTREAM", "")
    assert load().api_key == SecretStr("from-the-file")
    assert load().upstream is None


@pytest.mark.parametrize("text", ["old,new", " old , new ,", "old,,new"])
def test_lists_in_the_environment_are_separated_by_commas(monkeypatch, text):
    monkeypatch.setenv("DATACUE_SECRET_KEYS", text)
    monkeypatch.setenv("DATACUE_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    settings = load()
    assert [key.get_secret_value() for key in settings.secret_keys] == ["old", "new"]
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")


def test_tables_in_the_environment_are_toml(monkeypatch):
    monkeypatch.setenv("DATACUE_SLOTS", '[{ selector = "main", widget = "top", page = ["home", "cart"] }]')
    assert load().slots == (SlotSettings(selector="main", widget="top", page=["home", "cart"]),)


# -- what they become ---------------------------------------------------------------------------------


def test_a_slot_counts_on_the_kinds_that_it_names():
    assert SlotSettings(selector="p", widget="top").pages() is None
    assert SlotSettings(selector="p", widget="top", page=["home", "*"]).pages() is None
    assert SlotSettings(selector="p", widget="top", page="home").pages() == {"home"}
    assert SlotSettings(selector="p", widget="top", page=list(PAGE_KINDS)).pages() == set(PAGE_KINDS)


def test_consent_is_a_cookie_and_its_value():
    assert load(consent="choice = all=yes").consent_cookie() == ("choice", "all=yes")


@pytest.mark.parametrize("prefix", ["/_datacue", "/a/b", "/~shop.v2-x"])
def test_a_prefix_is_a_path(prefix):
    assert load(prefix=prefix).prefix == prefix


def test_an_upstream_that_is_not_set_is_none():
    assert Settings(upstream=None).upstream is None


def test_a_key_turns_the_embedded_engine_off():
    assert not load(api_key="k").embedded_engine


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        ("[::1]:80", "::1", 80),
        (":8000", "0.0.0.0", 8000),  # noqa: S104  what it means
        ("shop.example:0", "shop.example", 0),
    ],
)
def test_an_address_is_host_and_port(text, host, port):
    assert host_port(text) == (host, port)
    assert load(listen=text).listen == text


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_a_value_error(text):
    try:
        host, port = host_port(text)
    except ValueError:
        return
    assert host
    assert 0 <= port <= 65535


def test_secrets_are_never_shown():
    settings = load(api_key="s3cr3t", api_secret="s3cr3t", admin_token="s3cr3t", secret_keys=("s3cr3t",))
    assert "s3cr3t" not in repr(settings)
    assert "s3cr3t" not in settings.model_dump_json()


# -- what a wrong one is told -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "problem", "mend"),
    [
        ("upstream", "shop", "'shop' is no http://", "Write http://host:port"),
        ("upstream", "http://shop:80000", "is no address", "Write http://host:port"),
        ("upstream", "http://[::1", "is no address", "Write http://host:port"),
        ("upstream", "http://shop/?a=b", "must not hold a query", "Write http://host:port"),
        ("upstream", "http://shop/#a", "must not hold a query", "Write http://host:port"),
        ("upstream", 5, "is no text (it is 5)", "Write it in quotes"),
        ("events_url", "events", "is no http://", "Leave it out for https://events.datacue.co/"),
        ("listen", "http://localhost:80", "is no HOST:PORT", "as 127.0.0.1:8000"),
        ("listen", "::1:80", "is no HOST:PORT", "as 127.0.0.1:8000"),
        ("listen", "8000", "is no HOST:PORT", "as 127.0.0.1:8000"),
        ("admin_listen", "localhost:http", "is no HOST:PORT", "as 127.0.0.1:8001"),
        ("listen", "localhost:65536", "is no HOST:PORT", "as 127.0.0.1:8000"),
        ("prefix", "x", "is no path", "/_datacue"),
        ("prefix", "/x/", "is no path", "/_datacue"),
        ("prefix", "/a/../b", "is no path", "/_datacue"),
        ("prefix", "/ä", "is no path", "/_datacue"),
        ("consent", "yes", "is neither none nor cookie=value", "consent=granted"),
        ("consent", "a b=c", "is neither none nor cookie=value", "consent=granted"),
        ("consent", "a= ", "is neither none nor cookie=value", "consent=granted"),
        ("api_key", " ", "is empty", "Leave it out"),
        ("secret_keys", ("a", ""), "one of the keys is empty", "Leave it out"),
        ("workers", 0, "is too small (it is 0)", "Write 1 or more."),
        ("workers", 1000, "is too large (it is 1000)", "Write 256 or less."),
        ("workers", "many", "is no whole number (it is 'many')", "Write a number."),
        ("deadline", "soon", "is no number (it is 'soon')", "Write a number."),
        ("deadline", float("nan"), "is no number (it is nan)", "Write a number."),
        ("idle_timeout", 0, "is too small (it is 0)", "Write more than 0."),
        ("detect", "maybe", "is neither yes nor no", "Write true or false."),
        ("layout", "list", "is none of its values", "Write 'grid' or 'slider'."),
        ("trusted_proxies", 5, "is no list (it is 5)", "See docs/settings.md."),
        ("state_dir", 5, "input is not a valid path", "See docs/settings.md."),
        ("pages", {"path": "/"}, "is no list", "Begin each rule with [[pages]]"),
        ("slots", {"widget": "top"}, "is no list", "Begin each slot with [[slots]]"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write_instead(key, value, problem, mend):
    error = complaint(**{key: value})
    assert error.key == key
    assert problem in error.problem
    assert mend in error.mend


@pytest.mark.parametrize(
    ("toml", "key", "problem", "mend"),
    [
        ("[[pages]]\npath = '/'", "pages[0].kind", "is missing", "Add it."),
        ("[[pages]]\nkind = 404", "pages[0].kind", "is no text (it is 404)", "Write it in quotes"),
        ("[[pages]]\nkind = 'home'\nfacts = { name = 1 }", "pages[0].facts.name", "is no", ""),
        ("[[pages]]\nkind = 'home'\nquery = 'q'", "pages[0].query", "is no table (it is 'q')", ""),
        ("[[slots]]\nselector = 'p'\nwidget = 'top'\npage = 5", "slots[0].page", "is no text (it is 5)", ""),
        ("[[slots]]\nselector = 'p'\nwidget = 'tops'", "slots[0].widget", "(it is 'tops')", "or 'top'."),
        (
            "[[slots]]\nselektor = 'p'\nwidget = 'top'\nselector='p'",
            "slots[0].selektor",
            "",
            "mean selector?",
        ),
        ("slots = ['p']", "slots[0]", "is no table (it is 'p')", ""),
        ("deadlin = 1", "deadlin", "is no setting", "Did you mean deadline?"),
        ("zzz = 1", "zzz", "is no setting", "Known keys: admin_listen, "),
        (f"layout = '{'x' * 200}'", "layout", "x…)", "Write 'grid'"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_file_and_place(folder, toml, key, problem, mend):
    (folder / "datacue.toml").write_text(toml)
    error = complaint()
    assert error.key == f"datacue.toml: {key}"
    assert problem in error.problem
    assert mend in error.mend


def test_a_mistake_in_the_environment_is_named_by_its_variable(monkeypatch):
    monkeypatch.setenv("DATACUE_WORKERS", "many")
    assert complaint().key == "DATACUE_WORKERS"


def test_a_mistake_inside_a_table_of_the_environment_is_named_with_both(monkeypatch):
    monkeypatch.setenv("DATACUE_PAGES", '[{ path = "/" }]')
    assert complaint().key == "DATACUE_PAGES: pages[0].kind"


def test_a_table_in_the_environment_that_is_no_toml_is_told_how_one_looks(monkeypatch):
    monkeypatch.setenv("DATACUE_PAGES", "home=/")
    error = complaint()
    assert error.key == "DATACUE_PAGES"
    assert "is no TOML array" in error.problem
    assert "[{" in error.mend


def test_a_file_that_is_not_there_is_named():
    assert complaint(Path("nowhere.toml")).problem == "there is no such file"


@pytest.mark.parametrize("content", [b"a = ", b"upstream = http://shop", b"a = 1\na = 2", b"[[pages]\n"])
def test_a_file_that_is_no_toml_is_told_the_line(folder, content):
    (folder / "datacue.toml").write_bytes(content)
    error = complaint()
    assert error.key == "datacue.toml"
    assert re.search(r"is not TOML: .+ \(at .+\)", error.problem)


def test_a_file_that_can_not_be_read_is_named(folder):
    (folder / "latin.toml").write_bytes(b"locale = '\xe9'")
    assert complaint(Path("latin.toml")).problem.startswith("can't be read")
    assert complaint(folder).problem.startswith("can't be read")


@pytest.mark.parametrize("key", ["upstream", "events_url", "api_url"])
def test_a_password_in_an_address_is_refused_and_not_repeated(key):
    assert "hunter2" not in str(complaint(**{key: "http://me:hunter2@shop"}))


@pytest.mark.parametrize("key", ["api_key", "api_secret", "admin_token", "secret_keys"])
def test_a_wrong_secret_is_not_repeated(key):
    assert "4711" not in str(complaint(**{key: {"hunter": 4711}}))
