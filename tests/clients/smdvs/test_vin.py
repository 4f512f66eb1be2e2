"""VIN: form, check digit, and where the check digit is compulsory."""

from __future__ import annotations

import pytest

from clients.smdvs import vin

VALID = (
    *("1M8GDM9AXKP042788", "11111111111111111", "LTEST00A0R1000001", "LTEST00B4S1000002"),
    *("LTEST00C3T1000003", "LTEST00E8P1000005", "LTEST00AXR1000006"),
)


@pytest.mark.parametrize("number", VALID)
def test_a_number_with_the_right_check_digit_is_valid(number: str) -> None:
    assert vin.is_valid(number)


@pytest.mark.parametrize("number", VALID)
def test_any_other_check_digit_is_not(number: str) -> None:
    others = set("0123456789X") - {number[8]}
    assert not any(vin.is_valid(number[:8] + digit + number[9:]) for digit in others)


@pytest.mark.parametrize(
    "number",
    [
        *("", "LTEST00A0R100001", "LTEST00A0R10000011", "LTEST00A0R100000A", "LTESI00A0R1000001"),
        *("LTESO00A0R1000001", "LTESQ00A0R1000001", "ltest00a0r1000001", "LTEST00A0R100000１"),
        "LTEST00A0R1000001\n",
    ],
)
def test_another_form_is_not_a_vin(number: str) -> None:
    assert not vin.is_valid(number)


def test_imported_cars_need_no_check_digit() -> None:
    assert vin.is_valid("WTEST00A1R1000001")
    assert not vin.must_check("WTEST00A1R1000001")
