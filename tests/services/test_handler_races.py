from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from idp.domain.errors import Refusal
from idp.domain.interaction import Acting
from idp.services import handlers, outbox
from idp.services.handlers import HandlerView
from idp.services.platform import Platform
from idp.storage.database import transaction
from tests.people import (
    BATTERY_MAKER,
    LONG_AGO,
    ORIGIN,
    add_authorization,
)
from tests.queries import AssertQueries
from tests.services.authorising import (
    People,
    add_people,
    applied,
    apply,
    candidates,
    count,
    decide,
    decided,
)
from tests.services.conftest import MovableClock, at_once


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform()


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def test_two_applications_at_once_make_exactly_one(platform: Platform, people: People) -> None:
    outcomes = at_once([lambda: apply(platform, people.li)] * 4)
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)] == [
        "handler_application_pending"
    ] * 3
    assert count() == 1
    assert len(outbox.list_recent_sms(platform)) == 1


def test_two_applications_at_once_after_an_expiry_make_exactly_one(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    applied(platform, people.li, valid_until="2026-11-23")
    moving_clock.advance(days=1)
    outcomes = at_once([lambda: apply(platform, people.li)] * 2)
    assert sorted(isinstance(outcome, Refusal) for outcome in outcomes) == [False, True]
    assert count() == 2


def test_of_approval_and_withdrawal_at_once_exactly_one_counts(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    outcomes = at_once(
        [
            lambda: decide(platform, people.maker, view, "approve"),
            lambda: handlers.withdraw(platform, people.li.id, view.id, ORIGIN),
        ]
    )
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, HandlerView)]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)] == ["handler_not_pending"]
    assert [row.status for row in handlers.list_of_account(platform, people.li.id)] == [winner.status]


def test_acting_candidates_cost_one_statement(
    platform: Platform, people: People, assert_queries: AssertQueries
) -> None:
    with transaction() as session:
        for enterprise in (people.maker, people.batteries):
            add_authorization(session, people.li, enterprise)
    with assert_queries(1):
        found = candidates(platform, people.li.id)
    assert {acting.enterprise_id for acting in found} == {people.maker.id, people.batteries.id}
    with assert_queries(1):
        (own,) = candidates(platform, people.maker.legal_account_id)
    assert own == Acting(
        people.maker.id, "91990101MADEM00117", "示例新能源汽车有限公司", "legal_person", None, (), None
    )


def test_lists_and_decisions_cost_what_they_need(
    platform: Platform, people: People, assert_queries: AssertQueries
) -> None:
    with transaction() as session:
        for person in (people.li, people.wang):
            add_authorization(session, person, people.maker, applied_at=LONG_AGO + timedelta(days=1))
    with assert_queries(1):
        assert len(handlers.list_of_enterprise(platform, people.maker.id)) == 2
    with assert_queries(1):
        assert len(handlers.list_of_account(platform, people.li.id)) == 1
    view = applied(platform, people.li, **_batteries())
    # Both sides found, locked and counted; read and lock, three updates, history, audit, outbox.
    with assert_queries(12):
        decided(platform, people.batteries, view, "approve")


def _batteries() -> dict[str, str]:
    return {
        "enterprise_name": BATTERY_MAKER.enterprise_name,
        "enterprise_credit_code": BATTERY_MAKER.enterprise_credit_code,
    }
