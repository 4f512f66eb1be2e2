from __future__ import annotations

from idp.services.lanes import LANES, REST_SECONDS, SLOW_SECONDS, Lanes


def test_one_destination_gets_its_share_and_others_are_free() -> None:
    lanes = Lanes()
    assert [lanes.enter("slow", 0) for _ in range(LANES + 1)] == [True] * LANES + [False]
    assert lanes.enter("other", 0)
    lanes.leave("slow", 0, 1, delivered=True)
    assert lanes.enter("slow", 1)


def test_a_failure_after_a_long_wait_gives_a_rest() -> None:
    lanes = Lanes()
    assert lanes.enter("dead", 0)
    lanes.leave("dead", 0, SLOW_SECONDS, delivered=False)
    assert not lanes.enter("dead", SLOW_SECONDS + REST_SECONDS - 1)
    assert lanes.enter("other", SLOW_SECONDS)
    assert lanes.enter("dead", SLOW_SECONDS + REST_SECONDS)
    lanes.leave("dead", 40, 40.1, delivered=False)
    assert lanes.enter("dead", 41)


def test_who_answers_slowly_or_refuses_quickly_does_not_rest() -> None:
    lanes = Lanes()
    for seconds, delivered in ((SLOW_SECONDS * 2, True), (SLOW_SECONDS / 2, False)):
        assert lanes.enter("client", 0)
        lanes.leave("client", 0, seconds, delivered=delivered)
        assert lanes.enter("client", seconds)
        lanes.leave("client", seconds, seconds, delivered=True)
