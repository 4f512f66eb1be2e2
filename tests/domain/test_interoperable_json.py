"""RFC 7493: what every program reads the same; nothing else is taken."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.interoperable_json import DEEPEST, LARGEST_INTEGER, parse

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
_NUMBERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(_DOCUMENTS)
def test_every_interoperable_document_is_read_as_it_was_written(document: Any) -> None:
    assert parse(json.dumps(document), 10_000) == document


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda octets: octets.decode("latin-1")))
def test_whatever_is_read_can_be_stored(text: str) -> None:
    orjson.dumps(parse(text, 100))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "-Infinity",
        "1e999",
        "[-1e999]",
        str(LARGEST_INTEGER + 1),
        str(-LARGEST_INTEGER - 1),
        "9" * 5000,
        '"\\ud800"',
        '["\\udfff"]',
        '{"\\ud800":1}',
        '{"a":1,"a":1}',
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "[" * 4000 + "]" * 4000,
    ],
)
def test_what_programs_read_differently_is_refused(text: str) -> None:
    assert parse(text, 10_000) is None


def test_a_document_is_as_long_and_deep_as_allowed_and_no_more() -> None:
    deepest = "[" * DEEPEST + "1" + "]" * DEEPEST
    assert parse(deepest, len(deepest)) is not None
    assert parse(deepest, len(deepest) - 1) is None
