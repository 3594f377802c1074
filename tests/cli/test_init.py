"""``datacue-proxy init``: what it writes is what ``run`` starts with."""

from __future__ import annotations

from harness.docs import PATIENT
from harness.peers import page, product, reply
from harness.process import Proxy
from harness.wire import ask


async def test_what_is_written_runs_as_it_is_and_personalizes_pages(command, shop, vendor, tmp_path):
    shop.answers["/"] = reply(page("<main>hello</main>"))
    code, out, err = await command("init", "--yes", "--upstream", shop.url)
    assert (code, err) == (0, "")
    assert "datacue.toml is written. Next:" in out
    assert "datacue-proxy check" in out
    vendor.recommendations = {"related_product_skus": [product(1)]}
    folder = tmp_path / "proxy"
    folder.mkdir()
    toml = (tmp_path / "datacue.toml").read_text()
    more = f'api_key = "k"\nevents_url = "{vendor.url}/"\n'
    proxy = await Proxy(folder, more + toml, environment=PATIENT).start()
    try:
        answer = await ask(proxy.address, "/")
    finally:
        await proxy.stop()
    assert b"Product 1" in answer.body


async def test_a_file_that_is_there_stays_unless_told_otherwise(command, shop, tmp_path):
    file = tmp_path / "datacue.toml"
    file.write_text("# mine\n")
    code, out, err = await command("init", "--yes", "--upstream", shop.url)
    assert (code, out) == (2, "")
    assert err.startswith("error: datacue.toml: is there already. Say --force")
    assert file.read_text() == "# mine\n"
    shop.answers["/"] = reply(page("<main></main>"))
    code, out, _ = await command(
        "init", "--yes", "--upstream", shop.url, "--force", "--output", "datacue.toml"
    )
    assert code == 0
    assert shop.url in file.read_text()


def test_without_an_address_and_without_a_terminal_nothing_is_guessed(cli, tmp_path):
    code, out, err = cli("init")
    assert (code, out) == (2, "")
    assert err.startswith("error: --upstream: ")
    assert not (tmp_path / "datacue.toml").exists()


async def test_a_shop_that_can_not_be_looked_at_ends_with_1_and_says_what_was_written(command, tmp_path):
    code, out, err = await command("init", "--yes", "--upstream", "http://127.0.0.1:1")
    assert code == 1
    assert err.startswith("error: the shop could not be looked at: ")
    assert err.endswith("Mend that, then do this again with --force.\n")
    assert "datacue.toml is written all the same, without anything about this shop's pages. Next:" in out
    assert "# The shop could not be looked at" in (tmp_path / "datacue.toml").read_text()
