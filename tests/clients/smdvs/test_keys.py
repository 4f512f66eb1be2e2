"""Keys: made once, readable by the owner only, and printed without their private parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.rp.sealed import SealBroken
from clients.smdvs import keys


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first, second = keys.load(tmp_path / "keys"), keys.load(tmp_path / "keys")
    assert first.public_jwks == second.public_jwks
    assert second.fields.open(first.fields.seal("x", "c"), "c") == "x"


def test_key_files_are_for_the_owner_only(tmp_path: Path) -> None:
    keys.load(tmp_path / "keys")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_many_starters_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.load(tmp_path / "keys"), range(8)))
    assert len({json.dumps(found.public_jwks) for found in made}) == 1
    assert len({found.fields.digest("x", "c") for found in made}) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 3


def test_the_command_prints_the_public_key_set_and_nothing_private(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "SMDVS_ISSUER": "http://127.0.0.1:5000",
        "SMDVS_ENV": "development",
        "SMDVS_PUBLIC_URL": "http://127.0.0.1:5001",
        "SMDVS_SECRET_KEY": "0123456789abcdef" * 2,
        "SMDVS_KEYS_DIR": str(tmp_path / "keys"),
    }
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "clients.smdvs.keys"]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=True)
    (key,) = json.loads(done.stdout)["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_a_seal_opens_only_where_it_was_put(tmp_path: Path) -> None:
    fields = keys.load(tmp_path).fields
    sealed = fields.seal("李示例", "one")
    for broken, context in [
        (sealed, "two"),
        (sealed[:-6] + "AAAA==", "one"),
        ("x", "one"),
        ("", "one"),
        ("é.é", "one"),
    ]:
        with pytest.raises(SealBroken):
            fields.open(broken, context)
