"""Packages from npm that tests use: installed from their lock into ``var/``, once for each version of it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.applications import ROOT


def installed(source: Path, files: tuple[str, ...]) -> Path:
    """A copy of these files of ``source`` beside the packages of its lock.

    Two test processes may install at once: the first to finish wins, the other takes what is there.
    """
    content = b"".join((source / name).read_bytes() for name in files)
    directory = ROOT / "var" / source.name / hashlib.sha256(content).hexdigest()[:16]
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=directory.parent))
        for name in files:
            shutil.copy(source / name, part)
        _install(part, source.name)
        try:
            part.rename(directory)
        except OSError:
            shutil.rmtree(part)
    return directory


def program(name: str) -> str:
    """The path of node or npm; without it the test fails and says what to do."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed; `make test` says what to install", pytrace=False)
    return found


def _install(directory: Path, name: str) -> None:
    done = subprocess.run(
        [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"npm can't install {name}:\n{done.stderr}", pytrace=False)
