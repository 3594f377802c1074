"""docs/settings.md and the settings say the same: every key, every default, every example."""

from __future__ import annotations

import json
import re
import tomllib
import typing
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from proxy.lifespan import check
from proxy.settings import Settings, load

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "settings.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (?:`(.*?)`|(required)) \| (.+) \|$", re.MULTILINE)
ARRAYS = [name for name, field in Settings.model_fields.items() if "Settings, ..." in str(field.annotation)]
"""The settings that are arrays of tables: each has a section of its own."""
TABLES = {"": Settings} | {
    f"### [[{name}]]": typing.get_args(Settings.model_fields[name].annotation)[0] for name in ARRAYS
}


def documented(heading):
    """(default as written, meaning) by key: of the section under a heading, or of all the others."""
    found = {}
    for section in re.split(r"^(?=##)", TEXT, flags=re.MULTILINE):
        title = section.splitlines()[0]
        if (title if title in TABLES else "") == heading:
            found |= {
                key: (default or required, text) for key, default, required, text in ROW.findall(section)
            }
    return found


def examples(name):
    text = (ROOT / name).read_text()
    return re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


ALL_EXAMPLES = [
    pytest.param(toml, id=f"{path.relative_to(ROOT)}-{index}")
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    for index, toml in enumerate(examples(path.relative_to(ROOT)))
]


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_is_documented_and_every_documented_key_exists(heading):
    assert documented(heading).keys() == TABLES[heading].model_fields.keys()


@pytest.mark.parametrize(
    ("heading", "key"), [(heading, key) for heading, table in TABLES.items() for key in table.model_fields]
)
def test_the_documented_default_is_the_default(heading, key):
    written, meaning = documented(heading)[key]
    default = TABLES[heading].model_fields[key].default
    if written == "required":
        assert default is PydanticUndefined
    elif written == "none":
        assert default is None
    else:
        plain = json.loads(json.dumps(default, default=str))
        assert plain == tomllib.loads(f"value = {written}")["value"]
    assert meaning


@pytest.mark.parametrize("key", Settings.model_fields)
def test_each_setting_says_in_the_code_what_it_is_for(key):
    source = (ROOT / "proxy" / "settings.py").read_text()
    if key not in ARRAYS:  # their tables say it
        assert re.search(rf'^    {key}: .+\n    """.+', source, re.MULTILINE)


@pytest.mark.parametrize("key", Settings.model_fields)
def test_the_documentation_names_each_choice(key):
    annotation = Settings.model_fields[key].annotation
    if typing.get_origin(annotation) is typing.Literal:
        for choice in typing.get_args(annotation):
            assert f"`{choice}`" in documented("")[key][1]


@pytest.mark.parametrize("toml", ALL_EXAMPLES)
def test_each_example_is_read_and_can_be_used(toml, tmp_path, monkeypatch):
    (tmp_path / "datacue.toml").write_text(toml)
    monkeypatch.chdir(tmp_path)
    settings = load()
    if settings.templates is not None:
        (tmp_path / settings.templates).mkdir()
    check(
        settings if settings.upstream else settings.model_copy(update={"upstream": "http://shop"}), log=None
    )


def test_the_example_of_several_keys_in_the_environment_is_read(monkeypatch, tmp_path):
    example = re.search(r"^```sh\nDATACUE_SECRET_KEYS=(.*)\n```", TEXT, re.MULTILINE)
    monkeypatch.setenv("DATACUE_SECRET_KEYS", example[1])
    monkeypatch.chdir(tmp_path)
    assert load().secret_keys == (SecretStr("the-old-key"), SecretStr("the-new-key"))
