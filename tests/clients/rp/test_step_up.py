"""RFC 9470: a sign-in that is too weak or too old is sent back with what would do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clients.rp import clock
from clients.rp.step_up import Strength, too_little

STRONG = "urn:gsp:acr:2fa-crypto"
NOW = clock.now()


def seconds_ago(seconds: float) -> int:
    return int((NOW - timedelta(seconds=seconds)).timestamp())


@pytest.mark.parametrize(
    ("claims", "needed"),
    [
        ({}, Strength()),
        ({"acr": STRONG}, Strength((STRONG,))),
        ({"acr": STRONG}, Strength(("another", STRONG))),
        ({"auth_time": seconds_ago(60)}, Strength(max_age=600)),
        ({"auth_time": seconds_ago(-2)}, Strength(max_age=600)),
        ({"acr": STRONG, "auth_time": seconds_ago(1)}, Strength((STRONG,), 10)),
    ],
)
def test_a_sign_in_that_is_enough_passes(claims: dict[str, Any], needed: Strength) -> None:
    assert too_little(claims, needed, NOW) is None


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "sign_in_too_weak"),
        ({"acr": "urn:gsp:acr:2fa", "auth_time": seconds_ago(1)}, "sign_in_too_weak"),
        ({"acr": [STRONG], "auth_time": seconds_ago(1)}, "sign_in_too_weak"),
        ({"acr": STRONG}, "sign_in_too_old"),
        ({"acr": STRONG, "auth_time": seconds_ago(700)}, "sign_in_too_old"),
        ({"acr": STRONG, "auth_time": seconds_ago(-60)}, "sign_in_too_old"),
        ({"acr": STRONG, "auth_time": True}, "sign_in_too_old"),
        ({"acr": STRONG, "auth_time": "now"}, "sign_in_too_old"),
    ],
)
def test_any_other_is_told_all_that_is_needed(claims: dict[str, Any], reason: str) -> None:
    refusal = too_little(claims, Strength((STRONG,), 600), NOW)
    assert refusal is not None
    assert (refusal.reason, refusal.error, refusal.status) == (
        reason,
        "insufficient_user_authentication",
        401,
    )
    assert (refusal.acr_values, refusal.max_age) == ((STRONG,), 600)
