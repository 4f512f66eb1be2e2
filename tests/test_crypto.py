from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import crypto
from idp.crypto import DecryptionError, FieldCipher, PasswordHasher

K1, K2, INDEX = b"1" * 32, b"2" * 32, b"i" * 32
CONTEXT = "accounts.phone"


@pytest.fixture(scope="module")
def passwords() -> PasswordHasher:
    return PasswordHasher(max_parallel=2)


@pytest.fixture
def cipher() -> FieldCipher:
    return FieldCipher({"one": K1, "two": K2}, "two", INDEX)


def test_ids_have_128_random_bits_and_tokens_256() -> None:
    assert re.fullmatch(r"[\w-]{22}", crypto.random_id())
    assert re.fullmatch(r"[\w-]{43}", crypto.random_token())
    assert len({crypto.random_id() for _ in range(1000)}) == 1000


def test_a_token_is_hashed_with_sha256() -> None:
    assert crypto.hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_lone_surrogate_is_hashed_like_any_other_wrong_token() -> None:
    assert crypto.hash_token("\ud800") != crypto.hash_token("?")


def test_codes_differ_by_key_purpose_and_message_and_their_borders() -> None:
    codes = [
        crypto.mac(K1, "refresh", b"x"),
        crypto.mac(K2, "refresh", b"x"),
        crypto.mac(K1, "refres", b"hx"),
        crypto.mac(K1, "sms", b"x"),
        crypto.mac(K1, "refresh", b"y"),
    ]
    assert len(set(codes)) == len(codes)
    assert {len(code) for code in codes} == {32}
    assert crypto.mac(K1, "sms", b"x") == codes[3]


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [("a", "a", True), ("a", b"a", True), ("你", "你", True), ("a", "b", False), ("a", "aa", False)],
)
def test_texts_and_bytes_are_compared_as_octets(a: str | bytes, b: str | bytes, equal: bool) -> None:
    assert crypto.constant_time_equal(a, b) is equal


def test_a_password_fits_its_own_hash_only(passwords: PasswordHasher) -> None:
    hashed = passwords.hash("Demo#2026pass")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(hashed, "Demo#2026pass")
    assert not passwords.verify(hashed, "Demo#2026pasS")
    assert not passwords.verify(hashed, "\ud800\x00")
    assert passwords.hash("Demo#2026pass") != hashed


@pytest.mark.parametrize("password_hash", [None, "", "$argon2id$damaged", "plain"])
def test_no_password_fits_where_there_is_no_hash(
    passwords: PasswordHasher, password_hash: str | None
) -> None:
    assert not passwords.verify(password_hash, "")
    assert not passwords.verify(password_hash, "Demo#2026pass")


def test_an_unknown_account_costs_what_a_known_one_costs(passwords: PasswordHasher) -> None:
    hashed = passwords.hash("Demo#2026pass")

    def cheapest(password_hash: str | None) -> float:
        return min(_cpu_seconds(lambda: passwords.verify(password_hash, "wrong")) for _ in range(5))

    assert cheapest(None) == pytest.approx(cheapest(hashed), rel=0.5)
    assert cheapest("damaged") == pytest.approx(cheapest(hashed), rel=0.5)


def _cpu_seconds(work: Any) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


def test_a_hash_with_other_parameters_is_to_be_renewed(passwords: PasswordHasher) -> None:
    hashed = passwords.hash("Demo#2026pass")
    assert not passwords.needs_rehash(hashed)
    assert passwords.needs_rehash(hashed.replace("t=2", "t=1"))


def test_no_more_hashes_run_at_a_time_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(max_parallel=2)
    running, most, lock = 0, 0, threading.Lock()

    def slow(*_: object) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr("argon2.PasswordHasher.verify", slow)
    threads = [threading.Thread(target=hasher.verify, args=("x", "y")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_hashing_lets_other_threads_run(passwords: PasswordHasher) -> None:
    done = threading.Event()

    def hash_often() -> None:
        for _ in range(5):
            passwords.hash("Demo#2026pass")
        done.set()

    thread = threading.Thread(target=hash_often)
    steps = 0
    thread.start()
    while not done.is_set():
        steps += 1
        time.sleep(0)
    thread.join()
    assert steps > 100  # with the interpreter lock held there would be about one for each hash


@given(st.text(), st.text(min_size=1))
def test_a_field_opens_as_it_was_sealed(text: str, context: str) -> None:
    cipher = FieldCipher({"one": K1}, "one", INDEX)
    assert cipher.decrypt(cipher.encrypt(text, context), context) == text


@given(st.binary())
def test_an_upload_opens_as_it_was_sealed(content: bytes) -> None:
    cipher = FieldCipher({"one": K1}, "one", INDEX)
    assert cipher.decrypt_bytes(cipher.encrypt_bytes(content, CONTEXT), CONTEXT) == content


def test_the_current_key_seals_and_all_keys_open(cipher: FieldCipher) -> None:
    old = FieldCipher({"one": K1}, "one", INDEX).encrypt("19900001234", CONTEXT)
    new = cipher.encrypt("19900001234", CONTEXT)
    assert cipher.key_id(old) == "one"
    assert cipher.key_id(new) == "two"
    assert cipher.decrypt(old, CONTEXT) == cipher.decrypt(new, CONTEXT) == "19900001234"


def test_the_same_text_is_sealed_differently_each_time(cipher: FieldCipher) -> None:
    assert cipher.encrypt("x", CONTEXT) != cipher.encrypt("x", CONTEXT)


def test_a_value_moved_to_another_column_does_not_open(cipher: FieldCipher) -> None:
    sealed = cipher.encrypt("x", CONTEXT)
    with pytest.raises(DecryptionError):
        cipher.decrypt(sealed, "accounts.address")
    with pytest.raises(DecryptionError):
        cipher.decrypt_bytes(cipher.encrypt_bytes(b"x", CONTEXT), "uploads.content")


def test_a_change_in_any_place_is_noticed(cipher: FieldCipher) -> None:
    sealed = cipher.encrypt_bytes(b"19900001234", CONTEXT)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(DecryptionError):
            cipher.decrypt_bytes(bytes(changed), CONTEXT)


@pytest.mark.parametrize(
    "sealed",
    ["", ".", "two", "two.", "two.AAAA", "three." + "A" * 60, "two.A", "two.你好", "one." + "A" * 60],
)
def test_what_was_never_sealed_does_not_open(cipher: FieldCipher, sealed: str) -> None:
    with pytest.raises(DecryptionError):
        cipher.decrypt(sealed, CONTEXT)
    with pytest.raises(DecryptionError):
        cipher.decrypt_bytes(sealed.encode(), CONTEXT)


def test_the_index_is_equal_for_equal_values_of_one_context_and_key(cipher: FieldCipher) -> None:
    index = cipher.index("19900001234", CONTEXT)
    assert re.fullmatch(r"[0-9a-f]{64}", index)
    assert index == FieldCipher({"x": K1}, "x", INDEX).index("19900001234", CONTEXT)
    assert index != cipher.index("19900001234", "accounts.other")
    assert index != FieldCipher({"x": K1}, "x", b"j" * 32).index("19900001234", CONTEXT)


@pytest.mark.parametrize(("key", "index_key"), [(b"short", INDEX), (K1, b"short")])
def test_short_keys_are_refused(key: bytes, index_key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        FieldCipher({"one": key}, "one", index_key)
