from __future__ import annotations

from collections.abc import Callable

import pytest

from idp import clock
from idp.services import handler_reviews, handler_views, outbox
from idp.services.handler_views import HandlerView
from idp.services.platform import Platform
from idp.storage.database import transaction
from tests.people import ORIGIN
from tests.services.authorising import People, add_people, applied, candidates, decided
from tests.services.conftest import MovableClock, at_once


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform(throttle=False)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


@pytest.fixture
def held(platform: Platform, people: People) -> HandlerView:
    return decided(platform, people.maker, applied(platform, people.li), "approve")


def work(platform: Platform) -> None:
    """Two workers until there is nothing left to do."""
    while any(at_once([lambda: handler_reviews.go_on(platform, clock.now(), ORIGIN)] * 2)):
        pass


def notices(platform: Platform) -> list[str]:
    sent = [message.purpose for message in outbox.list_recent_sms(platform)[::-1]]
    return [purpose for purpose in sent if "review" in purpose or "suspended" in purpose]


def confirm(platform: Platform, people: People, view: HandlerView) -> None:
    owner = people.maker.legal_account_id
    assert handler_reviews.confirm(platform, owner, people.maker.id, [view.id], ORIGIN) == 1


def test_what_nobody_looks_at_stops_after_two_notices(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    other = decided(platform, people.maker, applied(platform, people.wang), "approve")
    moving_clock.advance(days=179)
    work(platform)
    assert notices(platform) == []
    moving_clock.advance(days=1)
    work(platform)
    assert notices(platform) == ["handlers_review_due"]
    confirm(platform, people, other)
    moving_clock.advance(days=22)
    work(platform)
    assert notices(platform) == ["handlers_review_due"]
    moving_clock.advance(days=1)
    work(platform)
    assert notices(platform) == ["handlers_review_due", "handlers_review_last", "handler_review_last"]
    assert len(candidates(platform, people.li.id)) == 1
    moving_clock.advance(days=7)
    work(platform)
    assert candidates(platform, people.li.id) == []
    assert len(candidates(platform, people.wang.id)) == 1
    assert notices(platform)[-1] == "handler_suspended"
    assert notices(platform).count("handler_suspended") == 1
    last = handler_views.history(held.id)[-1]
    assert (last.event, last.side, last.reason_code) == ("suspend", "system", "review_overdue")


def test_a_confirmation_begins_the_half_year_anew(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    moving_clock.advance(days=180)
    work(platform)
    confirm(platform, people, held)
    moving_clock.advance(days=100)
    work(platform)
    assert notices(platform) == ["handlers_review_due"]
    assert len(candidates(platform, people.li.id)) == 1


def test_a_worker_that_was_away_for_a_year_stops_nothing_without_notice(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    moving_clock.advance(days=500)
    work(platform)
    assert notices(platform) == ["handlers_review_due"]
    assert len(candidates(platform, people.li.id)) == 1


def test_those_to_look_at_come_first_with_their_last_use(
    platform: Platform, people: People, held: HandlerView, moving_clock: MovableClock
) -> None:
    from idp.storage.handlers import HandlerAuthorization

    moving_clock.advance(days=180)
    used = clock.now()
    with transaction() as session:
        session.get_one(HandlerAuthorization, held.id).last_used_at = used
    decided(platform, people.maker, applied(platform, people.wang), "approve")
    rows = handler_reviews.list_rows(platform, people.maker.id)
    assert [(row.handler.applicant_login_name, row.due, row.last_used_at) for row in rows] == [
        ("li_example", True, used),
        ("wang_example", False, None),
    ]
    assert handler_reviews.count_due(people.maker.id) == 1
    assert handler_reviews.list_rows(platform, people.batteries.id) == []
