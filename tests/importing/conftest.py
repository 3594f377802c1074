"""Files as a shop exports them, read by the importer; and the command as its user runs it."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest
from harness.process import ROOT

from proxy.importer import Journal, Wishes, check, find_format, open_source, understand
from proxy.importer.files import read_records

SECONDS = 120


@pytest.fixture
def source(tmp_path):
    """A file with this content, opened."""
    opened = []

    def make(content, name="file.csv", encoding=None):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = open_source(str(path), stdin=None, spool=tmp_path, encoding=encoding, tick=lambda _: None)
        opened.append(found)
        return found

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def records(source):
    """What a file holds: its records, once its format is found out."""

    def read(content, resource="products", name="file.csv", encoding=None, **form):
        found = source(content, name, encoding)
        return list(read_records(found, find_format(found, resource, **form)))

    return read


@pytest.fixture
def file(source):
    """A file, understood."""

    def make(content, resource="products", verb="create", name="file.csv", wishes=None, **more):
        found = source(content, name)
        form = find_format(found, resource)
        return understand(found, form, resource, verb, wishes=wishes or Wishes(), **more)

    return make


@pytest.fixture
def items(file):
    """What becomes of a file: its items."""
    return lambda *arguments, **more: list(file(*arguments, **more).items())


@pytest.fixture
def checked(file):
    """A file that was read to its end, and the journal that knows what is bad in it."""
    journals = []

    def make(*arguments, **more):
        found = file(*arguments, **more)
        journal = Journal(None)
        journals.append(journal)
        return found, journal, check([found], journal, lambda _: None)

    yield make
    for journal in journals:
        journal.close()


@pytest.fixture
def start(tmp_path):
    """Starts the command in a folder of its own, where its settings and its state stay."""

    async def run(*arguments, toml="", stdin=None, folder=tmp_path):
        (folder / "datacue.toml").write_text(toml)
        clean = {key: value for key, value in os.environ.items() if not key.startswith("DATACUE_")}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "proxy", "import", *map(str, arguments),
            cwd=folder, env={**clean, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    return run


@pytest.fixture
def command(start):
    """Runs it to its end: (exit code, standard output, standard error)."""

    async def run(*arguments, stdin=None, **more):
        process = await start(*arguments, stdin=stdin, **more)
        out, err = await asyncio.wait_for(process.communicate(stdin), SECONDS)
        assert b"Traceback" not in err, err.decode()
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Runs the command in this process, for what needs no loop of its own: (code, output, errors)."""
    from proxy.cli import main

    def run(*arguments, toml=""):
        (tmp_path / "datacue.toml").write_text(toml)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["datacue-proxy", "import", *map(str, arguments)])
        for key in [key for key in os.environ if key.startswith("DATACUE_")]:
            monkeypatch.delenv(key)
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run
