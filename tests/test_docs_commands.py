"""docs/commands.md says what ``--help`` says: every command, option, example and exit code.

``PYTHONPATH=. python tests/test_docs_commands.py`` writes it anew.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from proxy.cli import assemble

FILE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
COMMANDS = typer.main.get_command(assemble()).commands
"""By name, in the order of ``--help``."""

HEAD = """# Commands

One program, `datacue-proxy`; `python -m proxy` is the same. `--help` after any command says what is written here, `--version` which version it is.

- **Settings** come from `datacue.toml` in the working folder, from the environment and from options: [settings](settings.md).
- **Mistakes** of an option or a setting end in one line, `error: KEY: what is wrong. What to write instead.`, and exit code 2.
- **Colours** come only on a terminal, and not where `NO_COLOR` is set. What programs read comes with `--json`, on standard output alone.
- **Completion** of commands, options, widgets and page kinds in bash, zsh and fish: `datacue-proxy --install-completion`, or `--show-completion` to see the script first. It is the installed program's: `python -m proxy` has none.

| command | does |
|---|---|
"""


def plain(text):
    """Help without rich's markup."""
    return re.sub(r"\[/?bold\]", "", text).replace("\\[", "[")


def parts(command):
    """(what it does, examples, exit codes) of a command's help."""
    text = plain(f"{command.help or ''}\n\n{command.epilog or ''}")
    body, _, rest = re.sub(r"\n\s*Examples?\n", "\0", text, count=1).partition("\0")
    examples, _, codes = rest.partition("Exit codes")
    paragraphs = [" ".join(one.split()) for one in body.strip().split("\n\n") if one.strip()]
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    return paragraphs, lines, " ".join(codes.split())


def options(command):
    """(what is written, help) of each parameter that is shown."""
    for param in command.params:
        if getattr(param, "hidden", False) or param.name == "help":
            continue
        if param.param_type_name == "argument":
            yield (param.metavar or param.name.upper()).strip("[]"), param.help or ""
        else:
            flag = getattr(param, "is_flag", False)
            metavar = "" if flag else f" {param.metavar or param.name.upper()}"
            yield f"{', '.join(param.opts)}{metavar}", param.help or ""


def section(name, command, level=2):
    paragraphs, examples, codes = parts(command)
    lines = [f"{'#' * level} {name}", "", *[line for text in paragraphs for line in (text, "")]]
    if examples:
        lines += ["```sh", *examples, "```", ""]
    rows = [(written, " ".join(plain(text).split())) for written, text in options(command)]
    if rows:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{written}` | {text.replace('|', chr(92) + '|')} |" for written, text in rows]
        lines.append("")
    if codes:
        lines += [f"Exit codes: {codes}", ""]
    for inner, one in getattr(command, "commands", {}).items():
        lines.append(section(f"{name} {inner}", one, level + 1))
    return "\n".join(lines)


def document():
    rows = [
        f"| [`{name}`](#{name}) | {parts(command)[0][0].partition('. ')[0].rstrip('.')} |"
        for name, command in COMMANDS.items()
    ]
    sections = [section(name, command) for name, command in COMMANDS.items()]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(sections)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_docs_say_of_each_command_what_its_help_says(name):
    assert section(name, COMMANDS[name]) in FILE.read_text("utf-8")


def test_the_docs_list_every_command_and_no_other():
    text = FILE.read_text("utf-8")
    assert re.findall(r"^## (\S+)$", text, re.MULTILINE) == [*COMMANDS]
    assert re.findall(r"^\| \[`(\S+)`\]", text, re.MULTILINE) == [*COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_sentence_examples_and_exit_codes(name):
    paragraphs, examples, codes = parts(COMMANDS[name])
    assert paragraphs[0].endswith(".")
    assert examples
    assert codes.startswith("0 ")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_example_is_one_that_the_command_line_takes(name):
    for line in parts(COMMANDS[name])[1]:
        words = shlex.split(line.rpartition("| ")[2])
        assert words[:2] == ["datacue-proxy", name], line
        command, given = COMMANDS[name], words[2:]
        while hasattr(command, "commands"):
            command, given = command.commands[given[0]], given[1:]
        command.make_context(name, given)


if __name__ == "__main__":
    FILE.write_text(document(), "utf-8")
