"""The Dockerfile, as far as it can be tried without Docker: its paths, its shell, its layout, its health check."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.process import ROOT, without_settings

DOCKERFILE = (ROOT / "Dockerfile").read_text()
STEPS = [
    (step.split(maxsplit=1)[0], step.split(maxsplit=1)[1])
    for step in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    if step.strip()
]
COPIES = [argument.split() for step, argument in STEPS if step == "COPY" and "--from" not in argument]
SETTINGS = dict(pair.split("=", 1) for step, argument in STEPS if step == "ENV" for pair in argument.split())


@pytest.mark.parametrize("source", [source for *sources, _ in COPIES for source in sources])
def test_what_is_copied_exists_and_is_let_through(source):
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_nothing_is_let_through_that_is_not_copied():
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert set(allowed) == {source for *sources, _ in COPIES for source in sources}


@pytest.mark.parametrize("script", [argument for step, argument in STEPS if step == "RUN"])
def test_each_command_is_shell(script):
    subprocess.run(["sh", "-n", "-c", script], check=True)


def test_it_installs_by_hash_and_does_not_run_as_root():
    assert "--require-hashes --no-deps" in DOCKERFILE
    last_stage = [step for step, _ in STEPS][[step for step, _ in STEPS].index("FROM", 2) :]
    assert last_stage.index("USER") < last_stage.index("ENTRYPOINT")


def test_the_python_is_one_that_the_package_supports():
    minor = int(re.search(r"ARG PYTHON=3\.(\d+)", DOCKERFILE)[1])
    assert minor >= int(
        re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())[1]
    )


@pytest.fixture
def image(tmp_path):
    """The /app folder as the Dockerfile lays it out, and the environment to run in."""
    for *sources, target in COPIES:
        if not target.startswith("/app"):
            continue
        for source in sources:
            name = target.removeprefix("/app").strip("/") or source
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            (tmp_path / "app").mkdir(exist_ok=True)
            copy(ROOT / source, tmp_path / "app" / name)
    (tmp_path / "data").mkdir()
    inside = {key: value for key, value in SETTINGS.items() if key.startswith(("PYTHON", "DATACUE_"))}
    inside |= {"PYTHONPATH": str(tmp_path / "app"), "DATACUE_STATE_DIR": str(tmp_path / "data")}
    return tmp_path / "data", without_settings() | inside


def test_the_layout_runs(image):
    folder, environment = image
    (folder / "proxy.py").write_text("raise SystemExit('imported from the working folder')")
    code = "import proxy.render; proxy.render.Renderer(); print(proxy.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()) == folder.parent / "app" / "proxy" / "__init__.py"


async def test_the_entry_point_serves_and_the_health_check_sees_it(image, shop):
    folder, environment = image
    entry, command, check = (
        json.loads(re.search(rf"^{step} (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
        for step in ("ENTRYPOINT", "CMD", r"  CMD")
    )
    addresses = {"DATACUE_LISTEN": "127.0.0.1:0", "DATACUE_ADMIN_LISTEN": "127.0.0.1:0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *entry[1:], *command, cwd=folder, stderr=asyncio.subprocess.PIPE,
        env=environment | addresses | {"DATACUE_UPSTREAM": shop.url, "DATACUE_LOG_FORMAT": "json"},
    )  # fmt: skip
    try:
        line = b""
        while b'"event": "serving"' not in line:
            line = await asyncio.wait_for(process.stderr.readline(), 60)
            assert line
        admin = json.loads(line)["admin"].removeprefix("http://")
        probe = [part.replace("127.0.0.1:8001", admin) for part in check[1:]]
        assert probe != check[1:]
        healthy = await asyncio.create_subprocess_exec(sys.executable, *probe)
        assert await asyncio.wait_for(healthy.wait(), 30) == 0
        assert not (folder / "datacue.toml").exists()
        assert (folder / "secret.key").exists()
    finally:
        process.terminate()
        await process.wait()
