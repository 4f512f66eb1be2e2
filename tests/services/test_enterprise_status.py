from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from idp import clock
from idp.domain.audit import AuditEvent
from idp.domain.errors import Refusal
from idp.services import (
    audit,
    authentication,
    enterprise_status,
    handler_reviews,
    handler_views,
    handlers,
    outbox,
)
from idp.services.handler_views import HandlerView
from idp.services.platform import Platform
from idp.services.registry import DemonstrationRegistry
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from tests.people import ORIGIN
from tests.services.authorising import People, add_people, applied, apply, candidates, code, decide, decided
from tests.services.conftest import MovableClock, at_once
from tests.services.people import open_login

MAKER = "91990101MADEM00117"


@dataclass
class Registers:
    """Registers that say what a test lets them."""

    answer: str | None = "active"
    asked: int = 0

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        return None

    def standing(self, facts: Mapping[str, str]) -> str | None:
        self.asked += 1
        return self.answer


@pytest.fixture
def registers() -> Registers:
    return Registers()


@pytest.fixture
def platform(
    make_platform: Callable[..., Platform], moving_clock: MovableClock, registers: Registers
) -> Platform:
    return replace(make_platform(throttle=False), registry=registers)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


@pytest.fixture
def held(platform: Platform, people: People) -> HandlerView:
    return decided(platform, people.maker, applied(platform, people.li), "approve")


def status(platform: Platform, view: HandlerView) -> tuple[str, str | None]:
    found = handler_views.find_own(platform, view.account_id, view.id)
    assert found is not None
    return found.status, found.reason_code


def confirm(platform: Platform, people: People, *views: HandlerView) -> int | Refusal:
    chosen = [view.id for view in views]
    return handler_reviews.confirm(platform, people.maker.legal_account_id, people.maker.id, chosen, ORIGIN)


def purposes(platform: Platform) -> list[str]:
    return [message.purpose for message in outbox.list_recent_sms(platform)[::-1]]


def test_a_closed_enterprise_has_nobody_act_for_it(
    platform: Platform, people: People, held: HandlerView
) -> None:
    waiting = applied(platform, people.wang)
    before = len(purposes(platform))
    assert enterprise_status.close(platform, MAKER, ORIGIN) is None
    assert status(platform, held) == ("suspended", "enterprise_closed")
    assert candidates(platform, people.li.id) == []
    assert candidates(platform, people.maker.legal_account_id) == []
    assert purposes(platform)[before:] == ["handler_suspended", "enterprise_closed"]
    assert code(decide(platform, people.maker, waiting, "approve")) == "enterprise_closed"
    assert code(confirm(platform, people, held)) == "enterprise_closed"
    assert code(apply(platform, people.nobody)) == "verification_required"


def test_opened_again_it_confirms_its_handlers_one_by_one(
    platform: Platform, people: People, held: HandlerView
) -> None:
    other = decided(platform, people.maker, applied(platform, people.wang), "approve")
    enterprise_status.close(platform, MAKER, ORIGIN)
    assert enterprise_status.reopen(platform, MAKER, ORIGIN) is None
    assert candidates(platform, people.li.id) == []
    assert purposes(platform)[-1] == "handlers_to_confirm"
    assert confirm(platform, people, held) == 1
    assert [acting.handler_authorization_id for acting in candidates(platform, people.li.id)] == [held.id]
    assert purposes(platform)[-1] == "handler_resumed"
    assert status(platform, other)[0] == "suspended"


def test_closing_twice_changes_nothing_and_an_unknown_one_is_told(
    platform: Platform, people: People, held: HandlerView
) -> None:
    outcomes = at_once([lambda: enterprise_status.close(platform, MAKER, ORIGIN)] * 3)
    assert outcomes == [None] * 3
    assert purposes(platform).count("handler_suspended") == 1
    assert len(audit.list_entries(platform, AuditEvent.ENTERPRISE_CLOSE)) == 1
    for change in (
        enterprise_status.close,
        enterprise_status.reopen,
        enterprise_status.representative_changed,
        enterprise_status.check,
    ):
        assert code(change(platform, "91990101MADEM0046R", ORIGIN)) == "not_found"


def test_another_representative_signs_in_anew_and_confirms(
    platform: Platform, people: People, held: HandlerView
) -> None:
    token, _ = open_login(platform, people.maker.legal_account_id)
    assert enterprise_status.representative_changed(platform, MAKER, ORIGIN) is None
    assert authentication.find_login(platform, token) is None
    assert status(platform, held) == ("suspended", "representative_changed")
    assert code(apply(platform, people.li)) == "handler_suspended"
    assert purposes(platform)[-1] == "handlers_to_confirm"
    assert confirm(platform, people, held) == 1
    steps = [(step.event, step.side, step.reason_code) for step in handler_views.history(held.id)]
    assert steps[-2:] == [
        ("suspend", "system", "representative_changed"),
        ("confirm", "enterprise", None),
    ]


def test_a_suspended_one_can_be_revoked(platform: Platform, people: People, held: HandlerView) -> None:
    enterprise_status.close(platform, MAKER, ORIGIN)
    assert isinstance(decide(platform, people.maker, held, "revoke"), HandlerView)
    enterprise_status.reopen(platform, MAKER, ORIGIN)
    assert code(confirm(platform, people, held)) == "handler_not_approved"


def test_nobody_but_the_enterprise_confirms_and_all_or_none(
    platform: Platform, people: People, held: HandlerView
) -> None:
    enterprise_status.representative_changed(platform, MAKER, ORIGIN)
    stranger = people.batteries
    assert (
        code(handler_reviews.confirm(platform, stranger.legal_account_id, people.maker.id, [held.id], ORIGIN))
        == "not_found"
    )
    assert (
        code(handler_reviews.confirm(platform, stranger.legal_account_id, stranger.id, [held.id], ORIGIN))
        == "not_found"
    )
    gone = decided(platform, people.maker, applied(platform, people.wang), "refuse")
    assert code(confirm(platform, people, held, gone)) == "handler_not_approved"
    assert code(confirm(platform, people)) == "required"
    assert status(platform, held)[0] == "suspended"


def test_the_registers_are_asked_once_a_day_and_mean_something_when_they_change_their_mind(
    platform: Platform, people: People, held: HandlerView, registers: Registers, moving_clock: MovableClock
) -> None:
    registers.answer = "changed"
    assert enterprise_status.check_due(platform, ORIGIN) == 2
    assert enterprise_status.check_due(platform, ORIGIN) == 0
    assert status(platform, held)[0] == "approved"  # it never agreed: a reviewer had decided
    registers.answer = "active"
    assert enterprise_status.check(platform, MAKER, ORIGIN) == "active"
    for answer, expected in ((None, "approved"), ("changed", "suspended")):
        moving_clock.advance(days=2)
        registers.answer = answer
        enterprise_status.check_due(platform, ORIGIN)
        assert status(platform, held)[0] == expected
    assert status(platform, held)[1] == "registry_changed"
    registers.answer = "closed"
    assert enterprise_status.check(platform, MAKER, ORIGIN) == "closed"
    assert candidates(platform, people.maker.legal_account_id) == []


def test_the_demonstration_registry_knows_its_own_and_who_is_closed(
    platform: Platform, people: People, held: HandlerView
) -> None:
    known = replace(platform, registry=DemonstrationRegistry())
    assert enterprise_status.check(known, MAKER, ORIGIN) == "active"
    closing = replace(platform, registry=DemonstrationRegistry(frozenset({MAKER})))
    assert enterprise_status.check(closing, MAKER, ORIGIN) == "closed"
    assert status(platform, held) == ("suspended", "enterprise_closed")


def test_an_approval_and_a_closing_at_once_leave_nobody_in_force(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    at_once(
        [
            lambda: decide(platform, people.maker, view, "approve"),
            lambda: enterprise_status.close(platform, MAKER, ORIGIN),
        ]
    )
    assert status(platform, view)[0] in {"pending", "suspended"}
    assert handlers.acting_candidates(platform, people.li.id, clock.now()) == []


def test_an_enterprise_without_an_account_is_nobodys_to_open(
    platform: Platform, people: People, held: HandlerView
) -> None:
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).status = "vacant"
    for change in (enterprise_status.close, enterprise_status.reopen):
        assert code(change(platform, MAKER, ORIGIN)) == "not_found"
    with reading() as session:
        assert session.get_one(Enterprise, people.maker.id).status == "vacant"
