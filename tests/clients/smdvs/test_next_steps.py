"""One next step for whoever looks: never one that can't be taken, and none forgotten."""

from __future__ import annotations

import pytest

from clients.smdvs.lifecycle import Act, Side, possible
from clients.smdvs.next_steps import Reached, Stage, next_step, stages
from clients.smdvs.vocabulary import Status

EVERYTHING = [(status, side, has_final) for status in Status for side in Side for has_final in (False, True)]


@pytest.mark.parametrize(("status", "side", "has_final"), EVERYTHING)
def test_the_step_and_the_others_are_exactly_what_is_possible(
    status: Status, side: Side, has_final: bool
) -> None:
    step = next_step(status, side, has_final=has_final)
    offered = [*([step.primary] if step.primary else []), *step.others]
    assert sorted(offered) == sorted(possible(status, side, has_final=has_final))
    assert step.words.endswith("。")
    assert step.short


@pytest.mark.parametrize(("status", "side", "has_final"), EVERYTHING)
def test_voiding_is_never_what_one_is_led_to(status: Status, side: Side, has_final: bool) -> None:
    assert next_step(status, side, has_final=has_final).primary is not Act.VOID


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.CLOSED, Status.VOIDED)])
def test_somebody_is_always_to_move_a_living_report_on(status: Status) -> None:
    for has_final in (False, True):
        steps = [next_step(status, side, has_final=has_final).primary for side in Side]
        assert any(steps)


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        (Status.INITIAL_SUBMITTED, "done now later later later"),
        (Status.SUPPLEMENTED, "done now later later later"),
        (Status.DETAILED_SUBMITTED, "done done now later later"),
        (Status.UNDER_REVIEW, "done done now later later"),
        (Status.RETURNED, "done back later later later"),
        (Status.ACCEPTED, "done done done done now"),
        (Status.INVESTIGATING, "done done done done now"),
        (Status.CLOSED, "done done done done done"),
    ],
)
def test_the_bar_shows_how_far_a_report_is(status: Status, reached: str) -> None:
    shown = stages(status, frozenset())
    assert [stage for stage, _ in shown] == list(Stage)
    assert " ".join(how for _, how in shown) == reached


@pytest.mark.parametrize(
    ("passed", "cut"),
    [
        ({Act.INITIAL}, Stage.DETAILED),
        ({Act.INITIAL, Act.DETAILED}, Stage.REVIEW),
        ({Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT}, Stage.CLOSED),
    ],
)
def test_a_void_report_shows_where_it_was_cut(passed: set[Act], cut: Stage) -> None:
    shown = dict(stages(Status.VOIDED, frozenset(passed)))
    assert [stage for stage, how in shown.items() if how is Reached.VOID] == [cut]
