"""Keys in files: one key however many start at once, for its owner alone; its public half is shown."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.rp import key_files


def test_all_who_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "rp.jwk"
    with ThreadPoolExecutor(6) as threads:
        kids = {key.kid for key in threads.map(lambda _: key_files.signing_key(path), range(6))}
    assert len(kids) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["rp.jwk"]


def test_the_command_shows_the_public_half(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert key_files.main([str(tmp_path / "rp.jwk")]) == 0
    [shown] = json.loads(capsys.readouterr().out)["keys"]
    assert shown.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert key_files.main([]) == 2
