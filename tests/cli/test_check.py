"""``datacue-proxy check``, as an operator runs it."""

from __future__ import annotations

import json

import pytest
from harness.peers import page, reply

GOOD = reply(page("<div data-dc-products></div>"))


async def test_a_shop_that_is_well_is_told_so(command, shop):
    shop.answers["/"] = GOOD
    code, out, err = await command("check", "--upstream", shop.url, "/")
    assert (code, err) == (0, "")
    assert "1 page looked at: no problems." in out
    assert '{"type": "pageview", "subtype": "home"}' in out
    assert "\x1b" not in out


async def test_a_problem_names_the_setting_and_the_mend_and_tells_in_the_exit_code(command, shop, tmp_path):
    shop.answers["/"] = GOOD
    (tmp_path / "datacue.toml").write_text('[[slots]]\nselector = ".gone"\nwidget = "top"\n')
    code, out, err = await command("check", "/", "--json", DATACUE_UPSTREAM=shop.url)
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert (told["ok"], told["problems"]) == (False, 1)
    [problem] = [one for one in told["findings"] if one["level"] == "problem"]
    assert problem["about"] == "slots[0].selector"
    assert problem["mend"]
    assert told["pages"][0]["kind"] == "home"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "error: upstream: "),
        (("--upstream", "shop"), "error: upstream: "),
        (("--config", "none.toml"), "error: none.toml: "),
        (("--json", "--loud"), "error: No such option: --loud"),
    ],
)
def test_wrong_settings_end_in_one_line(cli, arguments, line):
    code, out, err = cli("check", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


async def test_recommendations_are_asked_of_the_embedded_engine_and_leave_no_visitor(command, shop, tmp_path):
    shop.answers["/"] = GOOD
    code, out, err = await command("check", "--upstream", shop.url, "/", "--ask")
    assert (code, err) == (0, "")
    assert "told to erase them again" in out
