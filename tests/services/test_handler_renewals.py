from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from idp import clock
from idp.domain.errors import Refusal
from idp.services import handler_reminders, handler_renewals, handler_views, outbox
from idp.services.handler_decisions import Decision
from idp.services.handler_views import HandlerView
from idp.services.platform import Platform
from idp.storage.database import transaction
from idp.storage.enterprises import Enterprise
from tests.people import ORIGIN
from tests.services.authorising import People, add_people, applied, candidates, code, decided, phone
from tests.services.conftest import MovableClock, at_once

UNTIL = "2026-12-31"
LONGER = "2027-12-31"


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform(throttle=False)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


@pytest.fixture
def held(platform: Platform, people: People) -> HandlerView:
    """In force until the end of the year."""
    return decided(platform, people.maker, applied(platform, people.li, valid_until=UNTIL), "approve")


def ask(platform: Platform, view: HandlerView, until: str = LONGER) -> HandlerView | Refusal:
    return handler_renewals.apply(platform, view.account_id, view.id, None, until, ORIGIN)


def say(platform: Platform, people: People, view: HandlerView, typed: Decision) -> HandlerView | Refusal:
    return handler_renewals.decide(platform, people.maker.legal_account_id, view.id, typed, ORIGIN)


def test_a_renewal_takes_over_without_a_gap(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    assert isinstance(ask(platform, held), HandlerView)
    before = candidates(platform, people.li.id)
    assert [acting.valid_until for acting in before] == [held.valid_until]
    after = say(platform, people, held, Decision("approve"))
    assert isinstance(after, HandlerView)
    assert (after.id, after.status) == (held.id, "approved")
    assert held.valid_until is not None
    moving_clock.moment = held.valid_until + timedelta(days=1)
    assert [acting.handler_authorization_id for acting in candidates(platform, people.li.id)] == [held.id]
    assert [step.event for step in handler_views.history(held.id)][-2:] == [
        "renewal_apply",
        "renewal_approve",
    ]


def test_the_enterprise_may_give_another_end(platform: Platform, people: People, held: HandlerView) -> None:
    ask(platform, held)
    after = say(platform, people, held, Decision("approve", valid_until="2027-06-30"))
    assert isinstance(after, HandlerView)
    assert after.valid_until is not None
    assert after.valid_until.date().isoformat() == "2027-06-30"


def test_a_refused_or_withdrawn_renewal_leaves_what_is_in_force(
    platform: Platform, people: People, held: HandlerView
) -> None:
    ask(platform, held)
    assert isinstance(say(platform, people, held, Decision("refuse")), HandlerView)
    ask(platform, held)
    assert isinstance(handler_renewals.withdraw(platform, people.li.id, held.id, ORIGIN), HandlerView)
    assert handler_renewals.list_pending([held.id]) == {}
    assert [acting.valid_until for acting in candidates(platform, people.li.id)] == [held.valid_until]
    assert code(say(platform, people, held, Decision("approve"))) == "renewal_not_pending"
    assert code(handler_renewals.withdraw(platform, people.li.id, held.id, ORIGIN)) == "renewal_not_pending"


def test_only_one_waits_and_only_for_its_own_sides(
    platform: Platform, people: People, held: HandlerView
) -> None:
    outcomes = at_once([lambda: ask(platform, held)] * 3)
    assert [code(one) for one in outcomes if isinstance(one, Refusal)] == ["renewal_pending"] * 2
    assert handler_renewals.list_pending([held.id]).keys() == {held.id}
    stranger = people.batteries.legal_account_id
    assert (
        code(handler_renewals.decide(platform, stranger, held.id, Decision("approve"), ORIGIN)) == "not_found"
    )
    assert (
        code(handler_renewals.apply(platform, people.wang.id, held.id, None, LONGER, ORIGIN)) == "not_found"
    )
    assert code(handler_renewals.withdraw(platform, people.wang.id, held.id, ORIGIN)) == "not_found"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (Decision("revoke"), "decision_unknown"),
        (Decision("refuse", reason_code="nonsense"), "choice_unknown"),
        (Decision("approve", matters=()), "required"),
    ],
)
def test_a_wrong_decision_leaves_it_waiting(
    platform: Platform, people: People, held: HandlerView, typed: Decision, expected: str
) -> None:
    ask(platform, held)
    assert code(say(platform, people, held, typed)) == expected
    assert held.id in handler_renewals.list_pending([held.id])


def test_what_can_not_be_renewed_is_told(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    assert code(ask(platform, held, UNTIL)) == "renewal_not_longer"
    assert code(ask(platform, held, "nonsense")) == "date_invalid"
    ask(platform, held)
    moving_clock.advance(days=60)
    assert code(say(platform, people, held, Decision("approve"))) == "handler_not_approved"


def test_a_closed_enterprise_renews_nothing(platform: Platform, people: People, held: HandlerView) -> None:
    ask(platform, held)
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).status = "closed"
    assert code(say(platform, people, held, Decision("approve"))) == "enterprise_closed"
    handler_renewals.withdraw(platform, people.li.id, held.id, ORIGIN)
    assert code(ask(platform, held)) == "enterprise_closed"


def test_a_revocation_ends_the_renewal_too(platform: Platform, people: People, held: HandlerView) -> None:
    ask(platform, held)
    decided(platform, people.maker, held, "revoke")
    assert handler_renewals.list_pending([held.id]) == {}


def reminders(platform: Platform, people: People) -> list[tuple[str, str]]:
    """(purpose, to whom) of the reminders sent so far, oldest first."""
    names = {
        phone(platform, people.li.id): "li",
        phone(platform, people.wang.id): "wang",
        phone(platform, people.maker.legal_account_id): "maker",
    }
    sent = [one for one in outbox.list_recent_sms(platform)[::-1] if "soon" in one.purpose]
    assert all("2026-12-31" in one.text for one in sent)
    return [(one.purpose, names[one.phone]) for one in sent]


def test_both_sides_are_reminded_thirty_and_seven_days_before_once_each(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    decided(platform, people.maker, applied(platform, people.wang, valid_until=UNTIL), "approve")
    assert handler_reminders.remind_of_ends(platform, clock.now()) == 0
    moving_clock.advance(days=9)
    once = [("handler_ends_soon", "li"), ("handlers_end_soon", "maker"), ("handler_ends_soon", "wang")]
    at_once([lambda: handler_reminders.remind_of_ends(platform, clock.now())] * 2)
    handler_reminders.remind_of_ends(platform, clock.now())
    assert sorted(reminders(platform, people)) == sorted(once)
    moving_clock.advance(days=24)
    while handler_reminders.remind_of_ends(platform, clock.now()):
        pass
    assert sorted(reminders(platform, people)) == sorted(once * 2)


def test_a_renewal_is_reminded_of_anew(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    moving_clock.advance(days=10)
    handler_reminders.remind_of_ends(platform, clock.now())
    ask(platform, held)
    say(platform, people, held, Decision("approve", valid_until="2027-01-31"))
    assert handler_reminders.remind_of_ends(platform, clock.now()) == 0
    moving_clock.advance(days=30)
    assert handler_reminders.remind_of_ends(platform, clock.now()) == 1
