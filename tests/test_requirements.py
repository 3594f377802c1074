"""The hash-locked lists are whole: ``pip install --no-deps`` takes them at their word."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)


def locked(name):
    """name → version, of what a list installs here."""
    lines = (
        Requirement(f"{m[1]}=={m[2]}" + (f" ; {m[3]}" if m[3] else ""))
        for m in LOCKED.finditer((ROOT / name).read_text())
    )
    return {
        canonicalize_name(line.name): next(iter(line.specifier)).version
        for line in lines
        if line.marker is None or line.marker.evaluate()
    }


def needed(requirement):
    """What a package asks for, with the extras that it is asked for with."""
    for line in requires(requirement.name) or ():
        each = Requirement(line)
        if each.marker is None or any(
            each.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)
        ):
            yield each


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-dev.txt", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_a_list_holds_all_that_its_packages_ask_for(name, asked):
    versions, seen = locked(name), set()
    todo = [Requirement(line) for line in asked]
    while todo:
        requirement = todo.pop()
        if str(requirement) in seen or (
            requirement.marker and not requirement.marker.evaluate({"extra": ""})
        ):
            continue
        seen.add(str(requirement))
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{name} lacks {requirement}: run make lock"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement} isn't {version}: run make lock"
        )
        todo += needed(requirement)
    assert {canonicalize_name(Requirement(line).name) for line in seen} == set(versions)
