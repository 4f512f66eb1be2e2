from __future__ import annotations

import json
import logging
import multiprocessing
import os
import shutil
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt

from idp import clock
from idp.domain.keys import KeyState
from idp.keyring import FIELD_LEAD_TTL, LEAD_TTL, TOKEN_TTL, Keyring, KeyringError, files, new_jwk
from idp.oauth import signatures
from tests.oauth.relying_party import base64url

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
PASSPHRASE = "a machine's long passphrase"
CONTEXT = "accounts.phone"
COMPLETE = 7
"""How many keys an installation begins with."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("template")
    Keyring.open(directory).ensure(NOW)
    return directory


@pytest.fixture
def directory(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "keys"))


@pytest.fixture
def keyring(directory: Path) -> Keyring:
    return Keyring.open(directory)


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets a second pass by on the clock that spaces the looks at the directory."""
    passed = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: passed[0])

    def pass_by() -> None:
        passed[0] += 1.0

    return pass_by


def _kids(jwks: dict[str, list[dict[str, Any]]]) -> set[str]:
    return {key["kid"] for key in jwks["keys"]}


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.jwk"))


def _signs(keyring: Keyring, alg: str, now: datetime) -> str | None:
    return keyring.signing_key(alg, now).kid


def test_ensure_makes_a_complete_private_set_once(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "keys"
    keyring = Keyring.open(directory)
    keyring.ensure(NOW)
    names = _names(directory)
    assert {tuple(name.split("-")[:2]) for name in names} == {
        ("sig", "ES256"), ("sig", "RS256"), ("sig", "PS256"), ("sig", "EdDSA"),
        ("field", "A256GCM"), ("index", "HS256"), ("mac", "HS256"),
    }  # fmt: skip
    assert {stat.S_IMODE((directory / name).stat().st_mode) for name in names} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    keyring.ensure(LATER)
    assert _names(directory) == names


def test_ensure_closes_a_directory_that_a_checkout_left_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    Keyring.open(tmp_path).ensure(NOW)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_ensure_adds_only_what_is_missing(directory: Path, keyring: Keyring) -> None:
    [mac] = directory.glob("mac-*")
    mac.unlink()
    before = set(_names(directory))
    keyring.ensure(NOW)
    assert before < set(_names(directory))
    assert len(_names(directory)) == COMPLETE


def _ensure(directory: Path) -> str | None:
    keyring = Keyring.open(directory)
    keyring.ensure(NOW)
    return keyring.signing_key("ES256", NOW).kid


def test_several_processes_starting_at_once_make_one_set(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        kids = set(processes.map(_ensure, [tmp_path] * 6))
    assert len(kids) == 1
    assert len(_names(tmp_path)) == COMPLETE


def test_several_threads_starting_at_once_make_one_set(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        kids = set(threads.map(_ensure, [tmp_path] * 8))
    assert len(kids) == 1
    assert len(_names(tmp_path)) == COMPLETE


def test_what_a_dead_writer_left_is_removed_and_never_read(directory: Path, keyring: Keyring) -> None:
    leftover = directory / ".new-abc"
    leftover.write_text('{"kty": "oc')
    assert keyring.mac_key
    keyring.ensure(NOW)
    assert not leftover.exists()


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_what_the_signing_key_signs_the_published_keys_verify(keyring: Keyring, alg: str) -> None:
    key = keyring.signing_key(alg, NOW)
    registry = signatures.registry(alg)
    token = jwt.encode({"alg": alg, "kid": key.kid or ""}, {"sub": "x"}, key, registry=registry)
    assert jwt.decode(token, keyring.verification_keyset(NOW), registry=registry).claims == {"sub": "x"}


def test_to_verify_no_private_key_is_at_hand(keyring: Keyring) -> None:
    assert not any(key.is_private for key in keyring.verification_keyset(NOW))


@pytest.mark.parametrize("alg", ["PS256", "EdDSA"])
def test_an_older_installation_gets_the_missing_key_and_it_signs_at_once(directory: Path, alg: str) -> None:
    [path] = directory.glob(f"sig-{alg}-*")
    path.unlink()
    old = Keyring.open(directory)
    with pytest.raises(KeyringError) as caught:
        old.signing_key(alg, NOW)
    assert caught.value.code == "key_missing"
    others = _names(directory)
    keyring = Keyring.open(directory)
    keyring.ensure(LATER)
    assert set(others) < set(_names(directory))
    assert _signs(keyring, alg, LATER) in _kids(keyring.public_jwks(LATER))


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_start_imports_no_rsa_key(directory: Path, monkeypatch: pytest.MonkeyPatch, alg: str) -> None:
    imported: list[str] = []
    import_key = files._imported

    def note(jwk: dict[str, Any]) -> Any:
        imported.append(jwk["alg"])
        return import_key(jwk)

    monkeypatch.setattr(files, "_imported", note)
    keyring = Keyring.open(directory)
    keyring.ensure(NOW)
    assert not {"RS256", "PS256"} & set(imported)
    for _ in range(3):
        keyring.signing_key(alg, NOW)
    assert imported.count(alg) == 1


def test_an_rsa_key_of_numbers_that_are_no_primes_is_refused_when_it_is_used(
    directory: Path, keyring: Keyring
) -> None:
    [path] = directory.glob("sig-RS256-*")
    path.write_text(json.dumps(_composite(json.loads(path.read_text()))))
    keyring.reload()
    with pytest.raises(KeyringError) as caught:
        keyring.signing_key("RS256", NOW)
    assert (caught.value.code, caught.value.path) == ("key_unreadable", path)


def _composite(jwk: dict[str, Any]) -> dict[str, Any]:
    """The same key with two odd numbers for primes, and an exponent that fits them: 1 fits every one."""
    p = q = 2**1024 - 1
    numbers = {"n": p * q, "e": 1, "d": 1, "p": p, "q": q, "dp": 1, "dq": 1, "qi": 1}
    return jwk | {name: base64url(number.to_bytes(256)) for name, number in numbers.items()}


def test_the_published_set_has_public_members_only(keyring: Keyring) -> None:
    keys = {key["alg"]: key for key in keyring.public_jwks(NOW)["keys"]}
    assert set(keys["ES256"]) == {"kty", "use", "alg", "kid", "crv", "x", "y"}
    assert set(keys["EdDSA"]) == {"kty", "use", "alg", "kid", "crv", "x"}
    assert set(keys["RS256"]) == set(keys["PS256"]) == {"kty", "use", "alg", "kid", "n", "e"}
    assert {key["use"] for key in keys.values()} == {"sig"}


def test_changing_an_answer_does_not_change_the_next(keyring: Keyring) -> None:
    keyring.public_jwks(NOW)["keys"][0].clear()
    assert all(keyring.public_jwks(NOW)["keys"])


def test_a_new_key_is_published_at_once_and_signs_after_the_lead(keyring: Keyring) -> None:
    old = _signs(keyring, "ES256", LATER)
    new = keyring.rotate("ES256", LATER)
    moment = timedelta(microseconds=1)
    assert {old, new} < _kids(keyring.public_jwks(LATER))
    assert _signs(keyring, "ES256", LATER + LEAD_TTL - moment) == old
    assert _signs(keyring, "ES256", LATER + LEAD_TTL) == new
    assert {old, new} < _kids(keyring.public_jwks(LATER + LEAD_TTL + TOKEN_TTL - moment))
    assert old not in _kids(keyring.public_jwks(LATER + LEAD_TTL + TOKEN_TTL))
    assert new in {key.kid for key in keyring.verification_keyset(LATER + LEAD_TTL + TOKEN_TTL)}


def test_the_leads_are_the_keyrings_own(directory: Path) -> None:
    keyring = Keyring(directory, lead_ttl=timedelta(seconds=1), token_ttl=timedelta(seconds=2))
    old, new = _signs(keyring, "RS256", LATER), keyring.rotate("RS256", LATER)
    assert _signs(keyring, "RS256", LATER + timedelta(seconds=1)) == new
    assert old in _kids(keyring.public_jwks(LATER + timedelta(seconds=2)))
    assert old not in _kids(keyring.public_jwks(LATER + timedelta(seconds=3)))


def test_the_key_set_is_one_object_while_it_stays_the_same(keyring: Keyring) -> None:
    first = keyring.verification_keyset(NOW)
    assert keyring.verification_keyset(NOW) is first
    keyring.rotate("ES256", LATER)
    assert keyring.verification_keyset(LATER) is not first


def test_keys_are_listed_with_their_states(keyring: Keyring) -> None:
    first = _signs(keyring, "ES256", LATER)
    new = keyring.rotate("ES256", LATER)
    states = {key.kid: key.state for key in keyring.list_keys(LATER)}
    assert (states[first or ""], states[new]) == (KeyState.SIGNING, KeyState.WAITING)
    listed = keyring.list_keys(LATER + LEAD_TTL)
    assert {key.kid: key.state for key in listed}[first or ""] is KeyState.VERIFYING
    assert [key.use for key in listed] == ["field", "index", "mac", *["sig"] * 5]
    assert {key.born_at for key in listed} == {NOW, LATER}


def test_an_algorithm_without_key_is_an_error(keyring: Keyring) -> None:
    with pytest.raises(KeyringError) as caught:
        keyring.signing_key("ES512", NOW)
    assert caught.value.code == "key_missing"


def test_a_retired_key_no_longer_verifies(keyring: Keyring) -> None:
    old = _signs(keyring, "ES256", LATER) or ""
    new = keyring.rotate("ES256", LATER)
    keyring.retire(old)
    assert _signs(keyring, "ES256", LATER) == new
    assert old not in _kids(keyring.public_jwks(LATER))


def test_the_last_key_of_an_algorithm_stays(keyring: Keyring, directory: Path) -> None:
    names = _names(directory)
    with pytest.raises(KeyringError, match="key_last"):
        keyring.retire(_signs(keyring, "ES256", NOW) or "")
    assert _names(directory) == names


def test_keys_that_stored_values_need_stay(keyring: Keyring) -> None:
    keyring.rotate("A256GCM", LATER)
    for listed in keyring.list_keys(LATER):
        if listed.use != "sig":
            with pytest.raises(KeyringError, match="key_not_rotatable"):
                keyring.retire(listed.kid)
    with pytest.raises(KeyringError, match="key_not_rotatable"):
        keyring.rotate("HS256", LATER)
    with pytest.raises(KeyringError, match="key_unknown"):
        keyring.retire("nobody")


def test_a_new_field_key_encrypts_when_every_worker_has_read_it(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)
    before = keyring.fields.encrypt("x", CONTEXT)
    new = keyring.rotate("A256GCM", LATER)
    early = keyring.fields.encrypt("x", CONTEXT)
    monkeypatch.setattr(clock, "now", lambda: LATER + FIELD_LEAD_TTL)
    after = keyring.fields.encrypt("x", CONTEXT)
    assert keyring.fields.key_id(early) == keyring.fields.key_id(before) != new
    assert keyring.fields.key_id(after) == new
    assert {keyring.fields.decrypt(sealed, CONTEXT) for sealed in (before, early, after)} == {"x"}


def test_secrets_and_index_are_the_same_in_every_process(directory: Path) -> None:
    one, other = Keyring.open(directory), Keyring.open(directory)
    assert len(one.mac_key) == 32
    assert one.mac_key == other.mac_key
    assert one.fields.index("x", CONTEXT) == other.fields.index("x", CONTEXT)
    assert other.fields.decrypt(one.fields.encrypt("x", CONTEXT), CONTEXT) == "x"


def test_a_change_by_another_process_is_seen_after_a_second(
    directory: Path, keyring: Keyring, second: Callable[[], None]
) -> None:
    old = _signs(keyring, "ES256", NOW)
    new = Keyring.open(directory).rotate("ES256", NOW + timedelta(days=1))
    assert _signs(keyring, "ES256", LATER) == old
    second()
    assert _signs(keyring, "ES256", LATER) == new


def test_the_directory_is_looked_at_once_a_second_and_files_are_opened_once(
    keyring: Keyring, second: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.signing_key("ES256", NOW)
    looks, opened = _noted(monkeypatch, "look"), _noted(monkeypatch, "read")
    for _ in range(3):
        second()
        for _ in range(50):
            keyring.signing_key("ES256", NOW)
            keyring.public_jwks(NOW)
            assert keyring.mac_key
    assert len(looks) == 3
    assert opened == []
    keyring.rotate("ES256", NOW)
    assert len(opened) == 1


def test_a_start_opens_each_file_once(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = _noted(monkeypatch, "read")
    keyring = Keyring.open(directory)
    keyring.ensure(NOW)
    assert keyring.mac_key
    assert sorted(opened) == sorted(directory.glob("*.jwk"))


def _noted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Path]:
    """The first arguments of every call of a function of ``files`` from now on."""
    called: list[Path] = []
    function = getattr(files, name)

    def note(path: Path, *more: object) -> object:
        called.append(path)
        return function(path, *more)

    monkeypatch.setattr(files, name, note)
    return called


def test_one_thread_looks_while_the_others_go_on(
    keyring: Keyring, second: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.signing_key("ES256", NOW)
    look, entered, go_on = files.look, threading.Event(), threading.Event()

    def slow_look(path: Path) -> files.Seen:
        entered.set()
        assert go_on.wait(10)
        return look(path)

    monkeypatch.setattr(files, "look", slow_look)
    second()
    monkeypatch.setattr(keyring, "_look_again_at", -1.0)
    looking = threading.Thread(target=keyring.signing_key, args=("ES256", NOW))
    looking.start()
    assert entered.wait(10)
    monkeypatch.setattr(keyring, "_look_again_at", -1.0)
    assert _signs(keyring, "ES256", NOW)
    go_on.set()
    looking.join()


def test_a_damaged_key_leaves_a_running_process_its_keys_and_is_reported_once(
    directory: Path, keyring: Keyring, second: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    kid = _signs(keyring, "ES256", NOW)
    damaged = directory / "sig-ES256-damaged.jwk"
    damaged.write_text("{")
    damaged.chmod(0o600)
    with caplog.at_level(logging.ERROR, "idp.keyring"):
        for _ in range(3):
            second()
            assert _signs(keyring, "ES256", NOW) == kid
    assert [record.getMessage().count("sig-ES256-damaged.jwk") for record in caplog.records] == [1]
    damaged.unlink()
    second()
    assert _signs(keyring, "ES256", NOW) == kid
    new = Keyring.open(directory).rotate("ES256", NOW + timedelta(days=1))
    second()
    assert _signs(keyring, "ES256", LATER) == new


def test_a_directory_that_disappears_leaves_a_running_process_its_keys(
    directory: Path, keyring: Keyring, second: Callable[[], None]
) -> None:
    kid = _signs(keyring, "ES256", NOW)
    directory.rename(directory.with_name("elsewhere"))
    second()
    assert _signs(keyring, "ES256", NOW) == kid


def test_a_missing_or_surplus_secret_is_an_error(directory: Path) -> None:
    files.write(directory, new_jwk("mac", "HS256", NOW), None)
    with pytest.raises(KeyringError, match="key_ambiguous"):
        Keyring.open(directory).reload()
    for path in directory.glob("mac-*"):
        path.unlink()
    with pytest.raises(KeyringError, match="key_missing"):
        Keyring.open(directory).reload()
    files.write(directory, new_jwk("mac", "HS256", NOW), None)
    [field] = directory.glob("field-*")
    field.unlink()
    with pytest.raises(KeyringError, match="key_missing"):
        Keyring.open(directory).reload()


@pytest.mark.parametrize(("use", "alg", "made_for"), [("sig", "HS256", "mac"), ("mac", "HS256", "sig")])
def test_a_key_of_the_wrong_kind_is_an_error(directory: Path, use: str, alg: str, made_for: str) -> None:
    for path in directory.glob(f"{use}-*"):
        path.unlink()
    jwk = new_jwk(made_for, "HS256" if made_for == "mac" else "ES256", NOW) | {"use": use, "alg": alg}
    files.write(directory, jwk, None)
    with pytest.raises(KeyringError, match="key_unreadable"):
        Keyring.open(directory).reload()


def test_an_empty_directory_says_that_keys_are_missing(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(KeyringError, match="key_missing"):
        Keyring.open(tmp_path).signing_key("ES256", NOW)


def test_with_a_passphrase_no_secret_lies_open(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path, PASSPHRASE)
    keyring.ensure(NOW)
    for path in tmp_path.glob("*.jwk"):
        assert path.read_text().count(".") == 4
    again = Keyring.open(tmp_path, PASSPHRASE)
    assert again.mac_key == keyring.mac_key
    assert _signs(again, "RS256", NOW) == _signs(keyring, "RS256", NOW)


def test_ensure_encrypts_what_lies_open_when_a_passphrase_is_set(directory: Path) -> None:
    mac_key = Keyring.open(directory).mac_key
    with pytest.raises(KeyringError, match="key_not_encrypted"):
        Keyring.open(directory, PASSPHRASE).reload()
    keyring = Keyring.open(directory, PASSPHRASE)
    keyring.ensure(NOW)
    assert keyring.mac_key == mac_key
    assert len(_names(directory)) == COMPLETE
    with pytest.raises(KeyringError, match="passphrase_missing"):
        Keyring.open(directory).reload()
    with pytest.raises(KeyringError, match="passphrase_wrong"):
        Keyring.open(directory, PASSPHRASE + "!").reload()


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="passphrase_short"):
        Keyring.open(tmp_path, "thirteen char")


def test_others_may_not_write_into_the_directory(directory: Path) -> None:
    directory.chmod(0o770)
    with pytest.raises(KeyringError, match="directory_permissions"):
        Keyring.open(directory).reload()


def test_ensure_leaves_the_directory_of_another_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(KeyringError, match="directory_permissions"):
        Keyring.open(tmp_path).ensure(NOW)
