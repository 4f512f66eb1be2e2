"""The kinds of values that a report is made of. A broken rule of ours is a fault with our own code."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from clients.rp import uscc
from clients.smdvs import vin

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z]"
    r"(?:[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])"
)
# Control characters, and those that make a text look other than it is (bidirectional overrides).
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def fault(code: str) -> PydanticCustomError:
    """A broken rule of ours, for a validator to raise."""
    return PydanticCustomError(code, code)


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise fault("text_control_characters")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text or "\t" in text:
        raise fault("text_one_line")
    return _printable(text)


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _bare_mobile(value: Any) -> Any:
    return re.sub(r"^(?:\+86|0086)|[\s-]", "", value.strip()) if isinstance(value, str) else value


def _is_uscc(code: str) -> str:
    if not uscc.is_canonical(code):
        raise fault("uscc_invalid")
    return code


def _is_vin(number: str) -> str:
    if not vin.has_form(number):
        raise fault("vin_form")
    if not vin.is_valid(number):
        raise fault("vin_check_digit")
    return number


def _is_mobile(number: str) -> str:
    if not _MOBILE.fullmatch(number):
        raise fault("mobile_invalid")
    return number


def _is_plate(plate: str) -> str:
    if not _PLATE.fullmatch(plate):
        raise fault("plate_invalid")
    return plate


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_one_line)
]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)
]
Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(_printable)
]
Narrative = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=10, max_length=5000), AfterValidator(_printable)
]
FullNarrative = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=50, max_length=5000), AfterValidator(_printable)
]
Mobile = Annotated[
    str,
    BeforeValidator(_bare_mobile),
    AfterValidator(_is_mobile),
    Field(json_schema_extra={"pattern": "^1[3-9][0-9]{9}$"}),
]
Vin = Annotated[
    str,
    BeforeValidator(_upper),
    AfterValidator(_is_vin),
    Field(json_schema_extra={"pattern": "^[A-HJ-NPR-Z0-9]{13}[0-9]{4}$"}),
]
Uscc = Annotated[
    str,
    BeforeValidator(_upper),
    AfterValidator(_is_uscc),
    Field(json_schema_extra={"pattern": "^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"}),
]
Plate = Annotated[str, BeforeValidator(_upper), AfterValidator(_is_plate)]
BatteryCode = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=r"^[0-9A-Z]{24}$")]
People = Annotated[int, Field(ge=0, le=100_000)]
Money = Annotated[Decimal, Field(ge=0, le=10**12, decimal_places=2)]
Odometer = Annotated[Decimal, Field(ge=0, le=2_000_000, decimal_places=1)]
Capacity = Annotated[Decimal, Field(gt=0, le=1000, decimal_places=2)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=1)]
Celsius = Annotated[Decimal, Field(ge=-60, le=1500, decimal_places=1)]
Kiloohm = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=1)]
Kilowatt = Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=1)]
Latitude = Annotated[Decimal, Field(ge=3, le=54, decimal_places=7)]
Longitude = Annotated[Decimal, Field(ge=73, le=136, decimal_places=7)]
