from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain.keys import KeyInfo, KeyState, published_keys, schedule, signing_key, state_of

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LEAD = timedelta(minutes=10)
TOKEN = timedelta(hours=1)
TICK = timedelta(microseconds=1)

FIRST = KeyInfo("first", "ES256", T0)
SECOND = KeyInfo("second", "ES256", T0 + timedelta(days=30))
THIRD = KeyInfo("third", "ES256", T0 + timedelta(days=60))
KEYS = (SECOND, THIRD, FIRST)
TAKEOVER = SECOND.born_at + LEAD


@pytest.mark.parametrize(
    ("now", "kid"),
    [
        (T0 - timedelta(days=1), "first"),
        (T0, "first"),
        (SECOND.born_at, "first"),
        (TAKEOVER - TICK, "first"),
        (TAKEOVER, "second"),
        (THIRD.born_at + LEAD - TICK, "second"),
        (THIRD.born_at + LEAD, "third"),
        (THIRD.born_at + timedelta(days=999), "third"),
    ],
)
def test_the_newest_key_signs_from_exactly_one_lead_after_its_birth(now: datetime, kid: str) -> None:
    assert signing_key(KEYS, now, LEAD).kid == kid


def test_the_oldest_key_signs_when_none_is_old_enough() -> None:
    young = KeyInfo("young", "ES256", T0 + timedelta(seconds=1))
    assert signing_key((young, FIRST), T0 + timedelta(minutes=1), LEAD) == FIRST


def test_keys_born_together_are_ordered_by_their_ids() -> None:
    twins = (KeyInfo("b", "ES256", T0), KeyInfo("a", "ES256", T0))
    assert signing_key(twins, T0, LEAD).kid == "a"
    assert signing_key(twins, T0 + LEAD, LEAD).kid == "b"
    assert signing_key(twins[::-1], T0 + LEAD, LEAD).kid == "b"


def test_without_keys_there_is_nothing_to_sign_with() -> None:
    assert schedule((), LEAD) == ()
    assert published_keys((), T0, LEAD, TOKEN) == ()
    with pytest.raises(LookupError):
        signing_key((), T0, LEAD)


@pytest.mark.parametrize(
    ("now", "kids"),
    [
        (T0, ["third", "second", "first"]),
        (TAKEOVER, ["third", "second", "first"]),
        (TAKEOVER + TOKEN - TICK, ["third", "second", "first"]),
        (TAKEOVER + TOKEN, ["third", "second"]),
        (THIRD.born_at + LEAD + TOKEN - TICK, ["third", "second"]),
        (THIRD.born_at + LEAD + TOKEN, ["third"]),
        (THIRD.born_at + timedelta(days=999), ["third"]),
    ],
)
def test_a_key_leaves_exactly_one_token_lifetime_after_its_successor_took_over(
    now: datetime, kids: list[str]
) -> None:
    assert [key.kid for key in published_keys(KEYS, now, LEAD, TOKEN)] == kids


def test_the_key_that_signs_is_always_published() -> None:
    moment = T0 - timedelta(days=1)
    while moment < THIRD.born_at + timedelta(days=2):
        assert signing_key(KEYS, moment, LEAD) in published_keys(KEYS, moment, LEAD, TOKEN)
        moment += timedelta(minutes=47)


@pytest.mark.parametrize(
    ("now", "states"),
    [
        (T0, ["signing", "waiting", "waiting"]),
        (TAKEOVER - TICK, ["signing", "waiting", "waiting"]),
        (TAKEOVER, ["verifying", "signing", "waiting"]),
        (TAKEOVER + TOKEN - TICK, ["verifying", "signing", "waiting"]),
        (TAKEOVER + TOKEN, ["expired", "signing", "waiting"]),
        (THIRD.born_at + LEAD, ["expired", "verifying", "signing"]),
        (THIRD.born_at + LEAD + TOKEN, ["expired", "expired", "signing"]),
    ],
)
def test_a_key_waits_signs_verifies_and_expires(now: datetime, states: list[str]) -> None:
    found = [state_of(key, KEYS, now, LEAD, TOKEN) for key in (FIRST, SECOND, THIRD)]
    assert found == [KeyState(state) for state in states]
