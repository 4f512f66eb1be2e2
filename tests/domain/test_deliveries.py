from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.deliveries import CODE_WORTH, is_worth_another_try, refusal_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": "invalid_request", "error_description": "no such session"}', "invalid_request"),
        (b'{"error": "<script>"}', "unspecified"),
        (json.dumps({"error": "x" * 65}).encode(), "unspecified"),
        (b'{"error": 5}', "unspecified"),
        (b'["error"]', "unspecified"),
        (b"", "unspecified"),
        (b"\xff\xfe", "unspecified"),
        (b"[" * 4000, "unspecified"),
        (json.dumps({"error": "invalid_request", "more": "x" * 5000}).encode(), "unspecified"),
    ],
)
def test_of_a_refusal_only_a_plain_error_code_is_kept(body: bytes, expected: str) -> None:
    assert refusal_of(body) == expected


@given(st.binary(max_size=200))
def test_whatever_a_client_answers_leaves_a_short_code(body: bytes) -> None:
    assert len(refusal_of(body)) <= 64


def test_a_code_is_sent_again_only_while_it_lives() -> None:
    assert is_worth_another_try("123456", NOON, NOON + CODE_WORTH - timedelta(seconds=1))
    assert not is_worth_another_try("123456", NOON, NOON + CODE_WORTH)
    assert is_worth_another_try(None, NOON, NOON + timedelta(days=20))
