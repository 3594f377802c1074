"""One style for all commands: help, mistakes in one line, colours only for people, completion in every shell."""

from __future__ import annotations

import importlib
import os
import pty
import subprocess
import sys
import tomllib
import types

import pytest
from harness.process import ROOT, environment

from proxy.cli import main

VARIABLE = "_DATACUE_PROXY_COMPLETE"


def test_the_program_says_its_version_and_without_a_command_its_help(cli):
    code, out, _ = cli("--version")
    assert code == 0
    assert out[0].isdigit()
    code, out, err = cli()
    assert code == 2
    assert "Usage: datacue-proxy" in out + err
    assert "preview" in out + err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("chek",), "error: No such command 'chek'"),
        (("check", "--upstraem", "x"), "error: No such option: --upstraem"),
        (("run", "--workers", "many"), "error: Invalid value for '--workers'"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_that_leads_to_the_help(cli, arguments, line):
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.endswith("--help'.\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_come_on_a_terminal_unless_nobody_wants_them(tmp_path, no_color):
    ours, theirs = pty.openpty()
    variables = environment(TERM="xterm-256color")
    variables.pop("NO_COLOR", None)
    if no_color:
        variables["NO_COLOR"] = no_color
    try:
        done = subprocess.run(
            [sys.executable, "-m", "proxy", "check"],
            cwd=tmp_path,
            env=variables,
            stderr=theirs,
            check=False,
        )
        said = os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert said.endswith(b"Say --upstream http://127.0.0.1:8080.\r\n")
    assert (b"\x1b[" in said) is not bool(no_color)


@pytest.mark.parametrize(
    ("shell", "words", "more", "wanted"),
    [
        ("bash", "datacue-proxy preview re", {"COMP_WORDS": "datacue-proxy preview re", "COMP_CWORD": "2"}, {"related", "recent"}),
        ("bash", "datacue-proxy ch", {"COMP_WORDS": "datacue-proxy ch", "COMP_CWORD": "1"}, {"check"}),
        ("zsh", "datacue-proxy preview sim", {}, {"similar"}),
        ("fish", "datacue-proxy outbox re", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}, {"replay"}),
    ],
)  # fmt: skip
def test_commands_and_widgets_are_completed(cli, shell, words, more, wanted):
    variables = {VARIABLE: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": words, **more}
    _, out, _ = cli(**variables)
    assert all(word in out for word in wanted)
    assert "demo" not in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(cli, shell):
    code, out, _ = cli(**{VARIABLE: f"source_{shell}"})
    assert code == 0
    assert f"{VARIABLE}=complete_{shell}" in out


def test_ctrl_c_before_a_command_heeds_it_is_its_exit_code_and_no_traceback(monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("proxy.cli.assemble", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_the_installed_command_begins_where_python_m_does_and_heeds_ctrl_c_while_modules_are_read(
    monkeypatch,
):
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, function = pyproject["project"]["scripts"]["datacue-proxy"].partition(":")
    assert module == "proxy.__main__"

    class Interrupted(types.ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "proxy.cli", Interrupted("proxy.cli"))
    with pytest.raises(SystemExit) as ended:
        getattr(importlib.import_module(module), function)()
    assert ended.value.code == 130


def test_a_command_reads_no_module_that_only_others_need():
    read = "import sys; from proxy.cli import assemble; assemble('engine'); print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", read], text=True, cwd=ROOT).split()
    assert "proxy.cli.engine" in modules
    assert not {"proxy.cli.run", "proxy.lifespan", "pydantic", "httpx"} & {*modules}


# The other commands' own tests start them so.
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("import products missing.csv", 2),
        ("crawl --sitemap nowhere", 2),
        ("init --upstream http://127.0.0.1:9", 1),
        ("preview related", 0),
        ("outbox list", 0),
        ("forget nobody", 0),
    ],
)
def test_a_command_runs_as_its_user_starts_it(tmp_path, command, code):
    ended = subprocess.run(
        [sys.executable, "-m", "proxy", *command.split()],
        cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == code, ended.stderr
    assert b"Traceback" not in ended.stderr
