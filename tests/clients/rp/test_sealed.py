"""Sealed bytes: as they were, or not at all."""

from __future__ import annotations

import os

import pytest

from clients.rp.sealed import SealBroken, Sealer

OLD, NEW = os.urandom(32), os.urandom(32)
SEALER = Sealer({"k1": OLD}, "k1", os.urandom(32))


@pytest.mark.parametrize("content", [b"", b"\0", bytes(range(256)) * 4096])
def test_bytes_come_back_as_they_were(content: bytes) -> None:
    assert SEALER.open_bytes(SEALER.seal_bytes(content, "here"), "here") == content


def test_equal_bytes_are_sealed_differently() -> None:
    assert SEALER.seal_bytes(b"same", "here") != SEALER.seal_bytes(b"same", "here")


def test_a_seal_is_not_good_elsewhere() -> None:
    with pytest.raises(SealBroken):
        SEALER.open_bytes(SEALER.seal_bytes(b"content", "here"), "there")


def test_any_changed_byte_breaks_the_seal() -> None:
    sealed = SEALER.seal_bytes(b"content", "here")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            SEALER.open_bytes(bytes(changed), "here")


@pytest.mark.parametrize("sealed", [b"", b"\0", b"k1\0", b"k1\0short", b"unknown\0" + b"x" * 40, b"\xff\0x"])
def test_what_was_never_sealed_is_not_opened(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        SEALER.open_bytes(sealed, "here")


def test_an_older_key_still_opens() -> None:
    newer = Sealer({"k1": OLD, "k2": NEW}, "k2", os.urandom(32))
    assert newer.open_bytes(SEALER.seal_bytes(b"content", "here"), "here") == b"content"
