"""`make run` as contract.md promises it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
import requests

from tests.applications import Applications, serving


def test_both_applications_answer_when_the_ready_line_is_there(applications: Applications) -> None:
    assert requests.get(f"{applications.idp_url}/readyz", timeout=5).status_code == 200
    assert requests.get(f"{applications.smdvs_url}/smdvs/", timeout=5).status_code == 200
    discovery = requests.get(f"{applications.idp_url}/.well-known/openid-configuration", timeout=5).json()
    assert discovery["issuer"] == applications.idp_url


def test_the_ready_line_is_followed_by_accounts_and_outbox(tmp_path: Path) -> None:
    with serving(tmp_path) as applications:
        rest = applications.end(signal.SIGINT)
    assert applications.process.returncode == 0
    for word in ("demo_legal", "demo_admin", "Demo#2026pass", f"{applications.idp_url}/dev/outbox"):
        assert word in rest


def test_a_second_start_takes_seconds_and_loses_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        keys = requests.get(f"{first.idp_url}/oauth/jwks.json", timeout=5).json()
    started = time.monotonic()
    with serving(tmp_path) as second:
        assert time.monotonic() - started < 15
        assert requests.get(f"{second.idp_url}/oauth/jwks.json", timeout=5).json() == keys
    jwks = json.loads((tmp_path / "smdvs-jwks.json").read_text())
    assert all("d" not in key for key in jwks["keys"])


def test_when_one_part_dies_everything_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as applications:
        os.kill(_child(applications.process.pid, b"worker"), signal.SIGKILL)
        rest = applications.end()
    assert applications.process.returncode == 1
    assert "worker has ended by itself" in rest
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{applications.idp_url}/healthz", timeout=1)


def _child(parent: int, word: bytes) -> int:
    """The process id of the child whose command line has ``word``."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    found = [int(pid) for pid in children if word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
    assert len(found) == 1
    return found[0]
