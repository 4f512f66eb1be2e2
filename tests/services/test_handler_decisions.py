from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from idp.domain import handler_limits
from idp.domain.errors import Refusal
from idp.domain.handler_limits import MOST_PENDING
from idp.domain.submissions import NaturalPerson
from idp.services import handler_decisions, handler_views, outbox
from idp.services.handler_decisions import Decision
from idp.services.handler_views import HandlerView
from idp.services.platform import Platform
from idp.storage.database import transaction
from idp.storage.enterprises import Enterprise
from tests.people import BATTERY_MAKER, LI, ORIGIN, add_authorization, add_person
from tests.services.authorising import (
    MATTER,
    People,
    add_people,
    applied,
    apply,
    candidates,
    code,
    count,
    decide,
    decided,
)
from tests.services.conftest import MovableClock, at_once

ACCESS = "vehicle-product-access"


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform(throttle=False)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def say(platform: Platform, people: People, view: HandlerView, typed: Decision) -> HandlerView | Refusal:
    return handler_decisions.decide(platform, people.maker.legal_account_id, view.id, typed, ORIGIN)


def change(
    platform: Platform, people: People, view: HandlerView, matters: tuple[str, ...] | None, until: str | None
) -> HandlerView | Refusal:
    return handler_decisions.change(platform, people.maker.legal_account_id, view.id, matters, until, ORIGIN)


def test_the_enterprise_gives_other_matters_and_another_end_than_were_asked_for(
    platform: Platform, people: People
) -> None:
    view = applied(platform, people.li, valid_until="2026-12-31")
    after = say(platform, people, view, Decision("approve", matters=(ACCESS,), valid_until="2027-12-31"))
    assert isinstance(after, HandlerView)
    end = datetime(2027, 12, 31, 15, 59, 59, tzinfo=UTC)
    assert (after.status, after.matters, after.valid_until) == ("approved", (ACCESS,), end)
    (acting,) = candidates(platform, people.li.id)
    assert (acting.matters, acting.valid_until) == ((ACCESS,), end)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (Decision("approve", matters=()), "matters"),
        (Decision("approve", matters=("anything",)), "matters"),
        (Decision("approve", valid_until="2026-11-22"), "valid_until"),
        (Decision("approve", valid_until="2029-11-24"), "valid_until"),
        (Decision("refuse", reason_code="other"), "reason"),
        (Decision("refuse", reason_code="left_enterprise"), "reason_code"),
        (Decision("refuse", reason="长" * 501), "reason"),
    ],
)
def test_a_wrong_decision_has_its_problem_and_changes_nothing(
    platform: Platform, people: People, typed: Decision, field: str
) -> None:
    view = applied(platform, people.li)
    result = say(platform, people, view, typed)
    assert isinstance(result, Refusal)
    assert result.problems[0].field == field
    assert handler_views.find_own(platform, people.li.id, view.id) == view
    assert [step.event for step in handler_views.history(view.id)] == ["apply"]


def test_a_revocation_has_a_reason_that_the_message_does_not_tell(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    after = say(platform, people, view, Decision("revoke", "调往张三处", "left_enterprise"))
    assert isinstance(after, HandlerView)
    assert (after.reason_code, after.reason) == ("left_enterprise", "调往张三处")
    message = outbox.list_recent_sms(platform, 1)[0]
    assert message.purpose == "handler_revoked"
    assert "张三" not in message.text


def test_a_revocation_in_a_hurry_has_the_usual_reason(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    assert decided(platform, people.maker, view, "revoke").reason_code == "no_longer_handling"


def test_what_is_in_force_is_narrowed_and_prolonged_at_once(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li, matters=(MATTER, ACCESS)), "approve")
    after = change(platform, people, view, (MATTER,), "2028-01-01")
    assert isinstance(after, HandlerView)
    assert (after.status, after.matters) == ("approved", (MATTER,))
    assert [acting.matters for acting in candidates(platform, people.li.id)] == [(MATTER,)]
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "handler_changed"
    assert code(change(platform, people, view, (MATTER,), "2028-01-01")) == "handler_unchanged"
    assert code(change(platform, people, view, (), None)) == "required"


def test_only_the_enterprise_changes_and_only_what_is_in_force(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    assert code(change(platform, people, view, (ACCESS,), None)) == "handler_not_approved"
    for actor in (people.li.id, people.batteries.legal_account_id):
        result = handler_decisions.change(platform, actor, view.id, (ACCESS,), None, ORIGIN)
        assert code(result) == "not_found"


def test_a_closed_enterprise_gives_nothing_but_may_take(platform: Platform, people: People) -> None:
    pending = applied(platform, people.wang)
    view = decided(platform, people.maker, applied(platform, people.li, matters=(MATTER, ACCESS)), "approve")
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).status = "closed"
    assert code(decide(platform, people.maker, pending, "approve")) == "enterprise_closed"
    assert code(change(platform, people, view, (MATTER, ACCESS), "")) == "handler_unchanged"
    assert isinstance(change(platform, people, view, (MATTER,), None), HandlerView)
    assert code(change(platform, people, view, (MATTER, ACCESS), None)) == "enterprise_closed"
    assert isinstance(decide(platform, people.maker, view, "revoke"), HandlerView)


def test_every_step_stands_in_the_history(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    view = applied(platform, people.li)
    moving_clock.advance(hours=1)
    decided(platform, people.maker, view, "approve")
    change(platform, people, view, (MATTER, ACCESS), None)
    say(platform, people, view, Decision("revoke", "停用", "other"))
    steps = handler_views.history(view.id)
    assert [(step.event, step.side, step.login_name) for step in steps] == [
        ("apply", "handler", "li_example"),
        ("approve", "enterprise", "makers"),
        ("change", "enterprise", "makers"),
        ("revoke", "enterprise", "makers"),
    ]
    assert steps[2].matters == (MATTER, ACCESS)
    assert (steps[3].reason_code, steps[3].reason) == ("other", "停用")
    assert steps[0].occurred_at < steps[1].occurred_at


def test_the_history_is_for_the_two_sides(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    for viewer in (people.li.id, people.maker.legal_account_id):
        assert handler_views.find_own(platform, viewer, view.id) == view
    for stranger in (people.wang.id, people.batteries.legal_account_id):
        assert handler_views.find_own(platform, stranger, view.id) is None
    assert handler_views.find_own(platform, people.li.id, "nothing") is None


def test_an_expiry_that_made_room_stands_in_the_history(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    old = applied(platform, people.li, valid_until="2026-11-23")
    moving_clock.advance(days=1)
    applied(platform, people.li)
    assert [(s.event, s.side) for s in handler_views.history(old.id)][-1] == ("expire", "system")


def test_groups_come_in_pages_and_by_login_name(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    applied(platform, people.li)
    with transaction() as session:
        for number in range(25):
            person = add_person(session, platform.keyring.fields, f"past_{number:02}", _somebody(number))
            add_authorization(session, person, people.maker, status="revoked")
        add_authorization(session, people.wang, people.maker, status="suspended")
    groups = handler_views.count_groups(people.maker.id)
    assert groups == {"pending": 1, "suspended": 1, "past": 25}
    pages = [handler_views.list_group(platform, people.maker.id, "past", page=page) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [20, 5, 0]
    (found,) = handler_views.list_group(platform, people.maker.id, "past", search="PAST_07")
    assert found.applicant_login_name == "past_07"
    assert handler_views.list_group(platform, people.maker.id, "past", search="past%") == []
    (suspended,) = handler_views.list_group(platform, people.maker.id, "suspended")
    assert suspended.status == "suspended"


def _somebody(number: int) -> NaturalPerson:
    return replace(LI, document_type="passport", document_number=f"E{number:08}")


def test_a_person_has_so_many_pending_applications_and_no_more(
    platform: Platform, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_limits, "MOST_PENDING", 1)
    applied(platform, people.li)
    elsewhere = {
        "enterprise_name": BATTERY_MAKER.enterprise_name,
        "enterprise_credit_code": BATTERY_MAKER.enterprise_credit_code,
    }
    assert MOST_PENDING > 1
    assert code(apply(platform, people.li, **elsewhere)) == "too_many_pending"
    assert count() == 1


def test_of_applications_at_once_no_more_pass_than_may_be_pending(
    platform: Platform, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_limits, "MOST_PENDING", 1)
    elsewhere = {
        "enterprise_name": BATTERY_MAKER.enterprise_name,
        "enterprise_credit_code": BATTERY_MAKER.enterprise_credit_code,
    }
    outcomes = at_once([lambda: apply(platform, people.li), lambda: apply(platform, people.li, **elsewhere)])
    assert [code(outcome) for outcome in outcomes if isinstance(outcome, Refusal)] == ["too_many_pending"]


def test_of_approvals_at_once_no_more_pass_than_an_enterprise_may_have(
    platform: Platform, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_limits, "MOST_HANDLERS", 1)
    views = [applied(platform, people.li), applied(platform, people.wang)]
    outcomes = at_once([partial(decide, platform, people.maker, view, "approve") for view in views])
    assert [code(outcome) for outcome in outcomes if isinstance(outcome, Refusal)] == ["too_many_handlers"]
    assert handler_views.count_groups(people.maker.id) == {"approved": 1, "pending": 1}


def test_of_approvals_at_once_no_more_pass_than_a_person_may_have(
    platform: Platform, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_limits, "MOST_ENTERPRISES", 1)
    here = applied(platform, people.li)
    there = applied(
        platform,
        people.li,
        enterprise_name=BATTERY_MAKER.enterprise_name,
        enterprise_credit_code=BATTERY_MAKER.enterprise_credit_code,
    )
    outcomes = at_once(
        [
            lambda: decide(platform, people.maker, here, "approve"),
            lambda: decide(platform, people.batteries, there, "approve"),
        ]
    )
    assert [code(outcome) for outcome in outcomes if isinstance(outcome, Refusal)] == ["too_many_enterprises"]


def test_two_approvals_at_once_are_one(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    outcomes = at_once([lambda: decide(platform, people.maker, view, "approve")] * 3)
    refused = [code(outcome) for outcome in outcomes if isinstance(outcome, Refusal)]
    assert refused == ["handler_not_pending"] * 2
    assert [step.event for step in handler_views.history(view.id)] == ["apply", "approve"]
