"""Files as a shop exports them, read by the importer; and the command as its user runs it."""

from __future__ import annotations

import pytest
from harness import commands

from proxy.importer import Journal, Wishes, check, find_format, open_source, understand
from proxy.importer.files import read_records


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
        return await commands.start("import", *arguments, folder=folder, piped=stdin is not None)

    return run


@pytest.fixture
def command(start):
    """Runs it to its end: (exit code, standard output, standard error)."""

    async def run(*arguments, stdin=None, **more):
        return await commands.ended(await start(*arguments, stdin=stdin, **more), stdin)

    return run


@pytest.fixture
def here(tmp_path, cli):
    """Runs the command in this process, for what needs no loop of its own: (code, output, errors)."""

    def run(*arguments, toml=""):
        (tmp_path / "datacue.toml").write_text(toml)
        return cli("import", *arguments)

    return run
