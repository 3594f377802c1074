"""Environments for the rivals: made once, under ``.bench`` at the tree's top, from hash-locked lists."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MADE = HERE.parents[1] / ".bench"

INSTALL_SECONDS = 600


class Missing(Exception):
    """A rival can't be installed here; the message says why."""


def python(name: str) -> Path:
    """The interpreter of an environment that has ``NAME.txt`` installed.

    Raises:
        Missing: pip can't install it.
    """
    # Rivals run on the same Python as we do, or the contest would be one of interpreters.
    wanted = f"# {sys.base_prefix}: {sys.version}\n{(HERE / f'{name}.txt').read_text(encoding='utf-8')}"
    folder = MADE / name
    interpreter, done = folder / "bin" / "python", folder / "installed.txt"
    if not (done.exists() and done.read_text(encoding="utf-8") == wanted):
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "--no-deps", "-r", str(HERE / f"{name}.txt")])
        done.write_text(wanted, encoding="utf-8")
    return interpreter


def node(name: str) -> tuple[str, Path]:
    """Node.js, and a folder with a rival's packages installed.

    Raises:
        Missing: there is no Node.js or npm, or npm can't install it.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise Missing("Node.js and npm are not installed")
    wanted = (HERE / name / "package-lock.json").read_text(encoding="utf-8")
    folder = MADE / name
    done = folder / "installed.json"
    if not (done.exists() and done.read_text(encoding="utf-8") == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / name, folder)
        _run([npm, "ci", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"])
        done.write_text(wanted, encoding="utf-8")
    shutil.copy(HERE / name / "server.js", folder / "server.js")
    return program, folder


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise Missing(f"{Path(command[0]).name} could not install it: {' '.join(last)}") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"it was not installed after {INSTALL_SECONDS} s") from None
