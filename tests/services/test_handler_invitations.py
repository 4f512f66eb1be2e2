from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain import handler_limits
from idp.domain.errors import Refusal
from idp.services import audit, handler_invitations, handler_views, outbox, retention
from idp.services.handler_invitations import InvitationForm
from idp.services.handler_views import HandlerView
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.database import transaction
from idp.storage.enterprises import Enterprise
from tests.people import ORIGIN, add_authorization
from tests.queries import AssertQueries
from tests.services.authorising import (
    MATTER,
    People,
    add_people,
    applied,
    apply,
    candidates,
    code,
    decided,
    phone,
)
from tests.services.conftest import MovableClock, at_once


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform(throttle=False)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def form(platform: Platform, account: Account, **changes: object) -> InvitationForm:
    typed = InvitationForm(phone(platform, account.id), "李示例", (MATTER,), None)
    return replace(typed, **changes)  # type: ignore[arg-type]  # each test knows the fields


def invite(platform: Platform, enterprise: Enterprise, typed: InvitationForm) -> str | Refusal:
    return handler_invitations.invite(platform, enterprise.legal_account_id, enterprise.id, typed, ORIGIN)


@pytest.fixture
def invited(platform: Platform, people: People) -> str:
    """An invitation of Li; its id."""
    result = invite(platform, people.maker, form(platform, people.li))
    assert isinstance(result, str), result
    return result


def waiting(platform: Platform, account: Account) -> list[str]:
    return [one.id for one in handler_invitations.list_of_account(platform, account.id)]


def state(platform: Platform, people: People) -> list[str]:
    return [one.status for one in handler_invitations.list_of_enterprise(platform, people.maker.id)]


def test_accepted_it_is_in_force_at_once_on_the_terms_of_the_enterprise(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    typed = form(platform, people.li, matters=(MATTER, "vehicle-product-access"), valid_until="2027-01-31")
    invited = invite(platform, people.maker, typed)
    assert isinstance(invited, str)
    assert waiting(platform, people.li) == [invited]
    moving_clock.advance(days=3)
    view = handler_invitations.accept(platform, people.li.id, invited, ORIGIN)
    assert isinstance(view, HandlerView)
    assert (view.status, view.route, view.valid_from) == ("approved", "invitation", moving_clock.moment)
    (acting,) = candidates(platform, people.li.id)
    assert acting.matters == (MATTER, "vehicle-product-access")
    assert [step.event for step in handler_views.history(view.id)] == ["invitation_accept"]
    assert state(platform, people) == ["accepted"]
    assert waiting(platform, people.li) == []
    assert (
        code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == "invitation_not_pending"
    )


def test_known_and_unknown_people_are_invited_alike(
    platform: Platform, people: People, assert_queries: AssertQueries
) -> None:
    typed = form(platform, people.li)
    with assert_queries(6):
        known = invite(platform, people.maker, typed)
    with assert_queries(6):
        unknown = invite(platform, people.maker, replace(typed, phone="19988887777"))
    assert isinstance(known, str)
    assert isinstance(unknown, str)
    assert state(platform, people) == ["pending", "pending"]
    to = {message.phone for message in outbox.list_recent_sms(platform)}
    assert to == {phone(platform, people.li.id), "19988887777"}


def test_it_is_for_whoever_has_both_the_phone_and_the_name(platform: Platform, people: People) -> None:
    typed = form(platform, people.wang)  # Wang's phone, Li's name
    invited = invite(platform, people.maker, typed)
    assert isinstance(invited, str)
    for account in (people.wang, people.li, people.nobody):
        assert waiting(platform, account) == []
        assert code(handler_invitations.accept(platform, account.id, invited, ORIGIN)) == "not_found"
        assert code(handler_invitations.decline(platform, account.id, invited, ORIGIN)) == "not_found"
    assert code(handler_invitations.accept(platform, people.li.id, "nothing", ORIGIN)) == "not_found"


def test_declined_cancelled_or_expired_it_is_over(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    owner = people.maker.legal_account_id
    for end, expected in (("decline", "declined"), ("cancel", "cancelled"), ("wait", "expired")):
        invited = invite(platform, people.maker, form(platform, people.li))
        assert isinstance(invited, str)
        if end == "decline":
            assert handler_invitations.decline(platform, people.li.id, invited, ORIGIN) is None
        elif end == "cancel":
            assert handler_invitations.cancel(platform, owner, people.maker.id, invited, ORIGIN) is None
        else:
            moving_clock.advance(days=14)
        assert state(platform, people)[0] == expected
        for late in (
            handler_invitations.accept(platform, people.li.id, invited, ORIGIN),
            handler_invitations.cancel(platform, owner, people.maker.id, invited, ORIGIN),
        ):
            assert code(late) == "invitation_not_pending"
        moving_clock.advance(seconds=1)
    assert candidates(platform, people.li.id) == []


def test_nobody_but_the_enterprise_invites_and_cancels(
    platform: Platform, people: People, invited: str
) -> None:
    stranger = people.batteries
    result = handler_invitations.invite(
        platform, stranger.legal_account_id, people.maker.id, form(platform, people.li), ORIGIN
    )
    assert code(result) == "not_found"
    cancelled = handler_invitations.cancel(platform, stranger.legal_account_id, stranger.id, invited, ORIGIN)
    assert code(cancelled) == "not_found"
    assert state(platform, people) == ["pending"]


def test_a_phone_is_invited_once_at_a_time(platform: Platform, people: People, invited: str) -> None:
    outcomes = at_once([lambda: invite(platform, people.batteries, form(platform, people.li))] * 3)
    assert [code(one) for one in outcomes if isinstance(one, Refusal)] == ["invitation_pending"] * 2
    assert len(waiting(platform, people.li)) == 2


def test_an_own_application_gives_way(platform: Platform, people: People, invited: str) -> None:
    view = applied(platform, people.li)
    accepted = handler_invitations.accept(platform, people.li.id, invited, ORIGIN)
    assert isinstance(accepted, HandlerView)
    assert [step.event for step in handler_views.history(view.id)] == ["apply", "withdraw"]
    assert len(candidates(platform, people.li.id)) == 1


def test_who_is_a_handler_already_or_suspended_is_told(
    platform: Platform, people: People, invited: str
) -> None:
    decided(platform, people.maker, applied(platform, people.li), "approve")
    assert code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == "already_handler"
    assert state(platform, people) == ["pending"]


def test_what_has_expired_gives_way(
    platform: Platform, people: People, invited: str, moving_clock: MovableClock
) -> None:
    applied(platform, people.li, valid_until="2026-11-23")
    moving_clock.advance(days=1)
    assert isinstance(handler_invitations.accept(platform, people.li.id, invited, ORIGIN), HandlerView)


def test_a_suspended_handler_waits_for_the_review(platform: Platform, people: People, invited: str) -> None:
    with transaction() as session:
        add_authorization(session, people.li, people.maker, status="suspended")
    assert code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == "handler_suspended"


def test_limits_hold_for_invitations_too_and_nothing_is_half_done(
    platform: Platform, people: People, invited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = applied(platform, people.li)
    monkeypatch.setattr(handler_limits, "MOST_HANDLERS", 0)
    assert code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == "too_many_handlers"
    assert [step.event for step in handler_views.history(view.id)] == ["apply"]
    assert state(platform, people) == ["pending"]


def test_a_closed_enterprise_offers_nothing(platform: Platform, people: People, invited: str) -> None:
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).status = "closed"
    assert waiting(platform, people.li) == []
    assert code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == "enterprise_closed"
    assert code(invite(platform, people.maker, form(platform, people.wang))) == "enterprise_closed"


def test_what_would_have_ended_already_is_over(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    invited = invite(platform, people.maker, form(platform, people.li, valid_until="2026-11-24"))
    assert isinstance(invited, str)
    moving_clock.advance(days=3)
    assert (
        code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == "invitation_not_pending"
    )


def test_of_acceptance_and_cancellation_at_once_exactly_one_counts(
    platform: Platform, people: People, invited: str
) -> None:
    owner = people.maker.legal_account_id
    accepted, cancelled = at_once(
        [
            lambda: handler_invitations.accept(platform, people.li.id, invited, ORIGIN),
            lambda: handler_invitations.cancel(platform, owner, people.maker.id, invited, ORIGIN),
        ]
    )
    won = isinstance(accepted, HandlerView)
    assert won is (cancelled is not None)
    assert state(platform, people) == ["accepted" if won else "cancelled"]
    assert len(candidates(platform, people.li.id)) == won


def test_of_acceptance_and_application_at_once_one_authorisation_is_open(
    platform: Platform, people: People, invited: str
) -> None:
    accepted, _ = at_once(
        [
            lambda: handler_invitations.accept(platform, people.li.id, invited, ORIGIN),
            lambda: apply(platform, people.li),
        ]
    )
    assert isinstance(accepted, HandlerView)
    assert handler_views.count_groups(people.maker.id)["approved"] == 1
    assert "pending" not in handler_views.count_groups(people.maker.id)


def test_neither_phone_nor_name_stands_in_the_trail(platform: Platform, people: People, invited: str) -> None:
    handler_invitations.accept(platform, people.li.id, invited, ORIGIN)
    said = " ".join(str(entry) for entry in audit.list_entries(platform, "handler"))
    assert "李示例" not in said
    assert phone(platform, people.li.id) not in said


def test_messages_to_one_phone_have_a_limit(
    make_platform: Callable[..., Platform], people: People, moving_clock: MovableClock
) -> None:
    strict = make_platform()
    typed = form(strict, people.li)
    for _ in range(5):
        invited = invite(strict, people.maker, typed)
        assert isinstance(invited, str)
        owner = people.maker.legal_account_id
        assert handler_invitations.cancel(strict, owner, people.maker.id, invited, ORIGIN) is None
    assert code(invite(strict, people.maker, typed)) == "too_many_attempts"


def test_phone_and_name_are_forgotten_when_it_is_long_over(
    platform: Platform, people: People, invited: str, moving_clock: MovableClock
) -> None:
    handler_invitations.accept(platform, people.li.id, invited, ORIGIN)
    retention.purge(moving_clock.moment + timedelta(days=103))
    assert state(platform, people) == ["accepted"]
    retention.purge(moving_clock.moment + timedelta(days=105))
    assert state(platform, people) == []
    assert len(candidates(platform, people.li.id)) == 1


def test_what_a_former_account_of_the_enterprise_offered_went_with_it(
    platform: Platform, people: People, invited: str
) -> None:
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).legal_account_id = people.nobody.id
    assert waiting(platform, people.li) == []
    assert state(platform, people) == []
    assert code(handler_invitations.accept(platform, people.li.id, invited, ORIGIN)) == (
        "invitation_not_pending"
    )
