from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idp.keyring import KeyringError, files, new_jwk

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PASSPHRASE = "a machine's long passphrase"


def _put(directory: Path, content: str | bytes, name: str = "sig-ES256-kid.jwk") -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def _code(path: Path, passphrase: str | None = None) -> str:
    with pytest.raises(KeyringError) as caught:
        files.read(path, passphrase)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    return caught.value.code


@pytest.fixture(scope="module")
def jwk() -> dict[str, Any]:
    return new_jwk("sig", "ES256", NOW) | {"kid": "kid"}


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize(
    "use_and_alg",
    [("sig", "ES256"), ("sig", "RS256"), ("sig", "PS256"), ("sig", "EdDSA"), ("field", "A256GCM")],
)
def test_a_key_reads_as_it_was_written(
    tmp_path: Path, passphrase: str | None, use_and_alg: tuple[str, str]
) -> None:
    jwk = new_jwk(*use_and_alg, NOW)
    stored = files.read(files.write(tmp_path, jwk, passphrase), passphrase)
    assert stored.jwk == jwk
    assert (stored.use, stored.info.algorithm, stored.info.kid) == (*use_and_alg, jwk["kid"])
    assert stored.info.born_at == NOW
    assert stored.encrypted is (passphrase is not None)


def test_a_kid_may_have_any_character_of_base64url(tmp_path: Path, jwk: dict[str, Any]) -> None:
    path = files.write(tmp_path, jwk | {"kid": "-a-_-"}, None)
    assert files.read(path, None).info.kid == "-a-_-"


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path: Path, jwk: dict[str, Any]) -> None:
    files.write(tmp_path, jwk, None)
    path = files.write(tmp_path, jwk, PASSPHRASE)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_no_key(
    tmp_path: Path, jwk: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(tmp_path, jwk, None)
    assert list(tmp_path.glob("*.jwk")) == []


def test_every_half_of_a_file_is_refused(tmp_path: Path, jwk: dict[str, Any]) -> None:
    whole = files.write(tmp_path, jwk, None).read_text()
    for length in range(0, len(whole), 7):
        assert _code(_put(tmp_path, whole[:length])) == "key_unreadable"


def test_every_half_of_an_encrypted_file_is_refused(tmp_path: Path, jwk: dict[str, Any]) -> None:
    whole = files.write(tmp_path, jwk, PASSPHRASE).read_text()
    for length in range(0, len(whole), 50):
        assert _code(_put(tmp_path, whole[:length]), PASSPHRASE) in {"key_unreadable", "passphrase_wrong"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"{" * 100_000,
        b"a.b.c.d.e",
        b"....",
        b"e30.e30.e30.e30.e30",
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    assert _code(_put(tmp_path, content), PASSPHRASE) in {"key_unreadable", "passphrase_wrong"}


@pytest.mark.parametrize(
    "change",
    [
        {"kid": "other"}, {"use": "mac"}, {"alg": "RS256"}, {"iat": "now"}, {"iat": 1e300}, {"iat": None},
        {"kty": "oct"}, {"kty": "oct", "k": "AAAA"}, {"kty": "oct", "k": 5}, {"kty": "RSA"}, {"kty": "x"},
        {"d": None}, {"d": "AAAA"}, {"x": "!"}, {"crv": "P-999"},
    ],
)  # fmt: skip
def test_a_key_with_a_wrong_member_is_refused(
    tmp_path: Path, jwk: dict[str, Any], change: dict[str, Any]
) -> None:
    assert _code(_put(tmp_path, json.dumps(jwk | change))) == "key_unreadable"


@pytest.fixture(scope="module")
def rsa_jwk() -> dict[str, Any]:
    return new_jwk("sig", "PS256", NOW) | {"kid": "kid"}


@pytest.mark.parametrize(
    "change",
    [
        {"n": "AQAB"}, {"e": "AQ"}, {"d": "AQAB"}, {"p": "AQAB"}, {"q": "AQ"}, {"d": None}, {"p": None},
        {"n": 5}, {"n": "中"}, {"q": []}, {"p": "AQ", "q": "Aw", "n": "Aw", "d": "AQ", "e": "AQ"},
        {"use": "enc"},
    ],
)  # fmt: skip
def test_an_rsa_key_whose_numbers_do_not_belong_together_is_refused(
    tmp_path: Path, rsa_jwk: dict[str, Any], change: dict[str, Any]
) -> None:
    assert _code(_put(tmp_path, json.dumps(rsa_jwk | change), "sig-PS256-kid.jwk")) == "key_unreadable"


def test_a_public_rsa_key_is_refused(tmp_path: Path, rsa_jwk: dict[str, Any]) -> None:
    public = {name: rsa_jwk[name] for name in ("kty", "use", "alg", "kid", "iat", "n", "e")}
    assert _code(_put(tmp_path, json.dumps(public), "sig-PS256-kid.jwk")) == "key_unreadable"


@pytest.mark.parametrize("secret", ["", "AAAA", "A" * 22, "A" * 86, "!", 5, None])
def test_a_secret_of_another_length_is_refused(tmp_path: Path, secret: object) -> None:
    jwk = new_jwk("mac", "HS256", NOW) | {"kid": "kid", "k": secret}
    assert _code(_put(tmp_path, json.dumps(jwk), "mac-HS256-kid.jwk")) == "key_unreadable"


def test_a_public_key_is_refused(tmp_path: Path, jwk: dict[str, Any]) -> None:
    public = {name: value for name, value in jwk.items() if name != "d"}
    assert _code(_put(tmp_path, json.dumps(public))) == "key_unreadable"


@pytest.mark.parametrize("name", ["key.jwk", "sig-ES256.jwk", "sig-ES256-other.jwk"])
def test_a_key_under_another_name_is_refused(tmp_path: Path, jwk: dict[str, Any], name: str) -> None:
    assert _code(_put(tmp_path, json.dumps(jwk), name)) == "key_unreadable"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, jwk: dict[str, Any], mode: int) -> None:
    path = files.write(tmp_path, jwk, None)
    path.chmod(mode)
    assert _code(path) == "file_permissions"


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    assert _code(tmp_path / "sig-ES256-kid.jwk") == "key_unreadable"
    (tmp_path / "sig-ES256-dir.jwk").mkdir(mode=0o700)
    assert _code(tmp_path / "sig-ES256-dir.jwk") == "key_unreadable"


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, jwk: dict[str, Any]) -> None:
    path = files.write(tmp_path, jwk, PASSPHRASE)
    assert _code(path) == "passphrase_missing"
    assert _code(path, "another machine's passphrase") == "passphrase_wrong"


def test_the_look_differs_after_each_kind_of_change(tmp_path: Path, jwk: dict[str, Any]) -> None:
    looks = [files.look(tmp_path)]
    path = files.write(tmp_path, jwk, None)
    looks.append(files.look(tmp_path))
    (tmp_path / "README.md").write_text("not a key")
    assert files.look(tmp_path) == looks[-1]
    path.write_text("changed in place")
    looks.append(files.look(tmp_path))
    path.unlink()
    assert files.look(tmp_path) == looks[0]
    assert len(set(looks)) == 3


@pytest.mark.parametrize("check", [files.look, files.check_directory])
def test_what_is_no_directory_is_an_error(tmp_path: Path, check: Any) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(KeyringError, match="directory_missing"):
            check(path)
