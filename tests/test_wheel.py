"""The wheel as its user gets it: what is in it, and whether an installation of it works by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ("templates", "static")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from this tree without network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The bin folder of a new environment: the wheel, and the packages that it needs from this one."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    offline = ["--no-index", "--no-deps", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*pip, *offline, str(wheel)], check=True, timeout=100)
    site = next((folder / "lib").glob("python*/site-packages"))
    # Behind the installed wheel on the path, and added without its .pth files: not this tree's package.
    ours = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    (site / "requirements.pth").write_text(str(ours))
    return python.parent


def run(*command, folder):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATACUE_", "PYTHONPATH", "COVERAGE"))}
    return subprocess.run(
        [str(part) for part in command], check=False, cwd=folder, env=clean,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_everything_that_is_no_code_ships(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in DATA:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"proxy/{path.relative_to(ROOT)}" in names
    for path in (ROOT / "proxy").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names


def test_nothing_else_ships(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"proxy", "datacue_proxy"}
    assert not [name for name in names if "__pycache__" in name or "test" in Path(name).name.split("_")[0]]


def test_the_licence_and_the_readme_are_part_of_it(wheel):
    archive = zipfile.ZipFile(wheel)
    info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = archive.read(info).decode()
    assert "License-Expression: MIT" in metadata
    assert "# datacue-proxy" in metadata
    assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


def test_the_installed_package_is_the_wheel_s(installed, tmp_path):
    done = run(installed / "python", "-c", "import proxy; print(proxy.__file__)", folder=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent), done.stderr


def test_the_command_and_the_module_are_there(installed, tmp_path):
    version = run(installed / "datacue-proxy", "--version", folder=tmp_path)
    assert version.stdout.strip() == "0.1.0", version.stderr
    help_ = run(installed / "python", "-m", "proxy", "--help", folder=tmp_path)
    assert help_.returncode == 0, help_.stderr
    for command in ("run", "engine", "demo"):
        assert command in help_.stdout


def test_an_installation_finds_its_templates_and_its_files(installed, tmp_path):
    code = (
        "from proxy.render import Renderer; from proxy.prepared import static_files;"
        "Renderer(); print(sorted(static_files(None)))"
    )
    done = run(installed / "python", "-c", code, folder=tmp_path)
    assert "datacue.css" in done.stdout, done.stderr


def test_an_installation_finds_the_demo_shop_s_pages(installed, tmp_path):
    done = run(
        installed / "python", "-c", "from proxy.demo.shop import create_shop; create_shop()", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_an_installation_checks_its_settings(installed, tmp_path):
    done = run(installed / "datacue-proxy", "run", "--upstream", "shop", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: upstream: ")
