from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.audit import AuditEvent
from idp.domain.errors import Refusal
from idp.services import (
    audit,
    enterprise_status,
    handler_escalation_views,
    handler_escalations,
    handler_views,
    handlers,
    outbox,
    scan_retention,
)
from idp.services.handler_escalations import EscalationForm
from idp.services.handler_views import HandlerView
from idp.services.platform import Platform
from idp.services.scans import Scan
from idp.storage.accounts import Account
from idp.storage.database import transaction
from tests.people import ORIGIN, add_account
from tests.services.authorising import (
    People,
    add_people,
    applied,
    candidates,
    code,
    decide,
    decided,
    phone,
)
from tests.services.conftest import MovableClock, at_once
from tests.web.visitor import picture

MAKER = "91990101MADEM00117"
REASON = "已核对加盖公章的授权书"


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform(throttle=False)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


@pytest.fixture
def reviewer(platform: Platform, people: People) -> str:
    with transaction() as session:
        account = add_account(session, platform.keyring.fields, "reviewer", platform_role="administrator")
    return account.id


@pytest.fixture
def pending(platform: Platform, people: People) -> HandlerView:
    return applied(platform, people.li)


FORM = EscalationForm("phone_lost", "账号绑定的手机号已停用", Scan("evidence_scan", "letter.png", b""))


def form() -> EscalationForm:
    return replace(FORM, scan=Scan("evidence_scan", "letter.png", picture().getvalue()))


def ask(platform: Platform, view: HandlerView) -> str | Refusal:
    return handler_escalations.submit(platform, view.account_id, view.id, form(), ORIGIN)


def asked(platform: Platform, view: HandlerView) -> str:
    result = ask(platform, view)
    assert isinstance(result, str), result
    return result


def say(platform: Platform, reviewer: str, escalation: str, decision: str = "approve") -> Refusal | None:
    return handler_escalations.decide(platform, reviewer, escalation, decision, REASON, ORIGIN)


def status(platform: Platform, view: HandlerView) -> str:
    found = handler_views.find_own(platform, view.account_id, view.id)
    assert found is not None
    return found.status


def test_a_reviewer_approves_in_the_place_of_the_enterprise_and_everybody_is_told(
    platform: Platform, people: People, pending: HandlerView, reviewer: str, moving_clock: MovableClock
) -> None:
    decided(platform, people.maker, applied(platform, people.wang), "approve")
    escalation = asked(platform, pending)
    (shown,) = handler_escalation_views.list_pending(platform, 1)
    assert (shown.id, shown.ground, shown.explanation) == (escalation, "phone_lost", FORM.explanation)
    assert (shown.owner_login_name, shown.owner_status) == ("makers", "active")
    before = len(outbox.list_recent_sms(platform))
    assert say(platform, reviewer, escalation) is None
    (acting,) = candidates(platform, people.li.id)
    assert acting.handler_authorization_id == pending.id
    assert acting.valid_until is not None
    assert acting.valid_until - moving_clock.moment <= timedelta(days=181)
    sent = outbox.list_recent_sms(platform)[::-1][before:]
    owner, wang, li = (
        phone(platform, account) for account in (people.maker.legal_account_id, people.wang.id, people.li.id)
    )
    assert sorted((message.purpose, message.phone) for message in sent) == sorted(
        [("handler_approved", li), ("handler_last_resort", owner), ("handler_last_resort", wang)]
    )
    assert all("李示例" not in message.text for message in sent)
    found = handler_views.find_own(platform, people.li.id, pending.id)
    assert found is not None
    assert found.route == "last_resort"
    steps = [(step.event, step.side) for step in handler_views.history(pending.id)]
    assert steps == [
        ("apply", "handler"),
        ("escalate", "handler"),
        ("escalation_approve", "platform"),
        ("approve", "platform"),
    ]
    assert handler_views.history(pending.id)[2].reason == REASON
    (entry,) = audit.list_entries(platform, AuditEvent.HANDLER_ESCALATION_APPROVE)
    assert (entry.account_id, entry.object_id) == (reviewer, pending.id)
    assert handler_escalation_views.count_pending() == 0


def test_rejected_the_application_waits_for_the_enterprise_as_before(
    platform: Platform, people: People, pending: HandlerView, reviewer: str
) -> None:
    escalation = asked(platform, pending)
    assert say(platform, reviewer, escalation, "reject") is None
    assert status(platform, pending) == "pending"
    latest = handler_escalation_views.latest(platform, pending.id)
    assert latest is not None
    assert (latest.status, latest.reason) == ("rejected", REASON)
    refusal = say(platform, reviewer, escalation)
    assert refusal is not None
    assert refusal.code == "escalation_not_pending"
    asked(platform, pending)


def test_a_suspended_authorisation_goes_on_for_half_a_year_at_most(
    platform: Platform, people: People, pending: HandlerView, reviewer: str
) -> None:
    decided(platform, people.maker, pending, "approve")
    enterprise_status.representative_changed(platform, MAKER, ORIGIN)
    assert say(platform, reviewer, asked(platform, pending)) is None
    (acting,) = candidates(platform, people.li.id)
    assert acting.valid_until is not None


def test_four_eyes_and_administrators_alone(
    platform: Platform, people: People, pending: HandlerView, reviewer: str
) -> None:
    escalation = asked(platform, pending)
    with transaction() as session:
        for account_id in (people.li.id, people.maker.legal_account_id):
            session.get_one(Account, account_id).platform_role = "administrator"
    for actor in (people.li.id, people.maker.legal_account_id, people.wang.id, "nobody"):
        refusal = say(platform, actor, escalation)
        assert refusal is not None
        assert refusal.code == "not_permitted"
    assert status(platform, pending) == "pending"
    assert code(say(platform, reviewer, "nothing")) == "not_found"
    empty = handler_escalations.decide(platform, reviewer, escalation, "approve", " ", ORIGIN)
    assert code(empty) == "required"


def test_what_has_been_decided_meanwhile_is_no_matter_for_a_reviewer(
    platform: Platform, people: People, pending: HandlerView, reviewer: str
) -> None:
    escalation = asked(platform, pending)
    decided(platform, people.maker, pending, "refuse")
    assert code(say(platform, reviewer, escalation)) == "escalation_not_pending"
    assert code(ask(platform, pending)) == "escalation_not_possible"
    again = applied(platform, people.li)
    escalation = asked(platform, again)
    handlers.withdraw(platform, people.li.id, again.id, ORIGIN)
    assert code(say(platform, reviewer, escalation)) == "escalation_not_pending"
    assert candidates(platform, people.li.id) == []


def test_of_the_reviewer_and_the_enterprise_at_once_one_decides(
    platform: Platform, people: People, pending: HandlerView, reviewer: str
) -> None:
    escalation = asked(platform, pending)
    reviewed, refused = at_once(
        [
            lambda: say(platform, reviewer, escalation),
            lambda: decide(platform, people.maker, pending, "refuse"),
        ]
    )
    won = reviewed is None
    assert won is isinstance(refused, Refusal)
    assert status(platform, pending) == ("approved" if won else "refused")


def test_one_waits_at_a_time_and_is_taken_back(
    platform: Platform, people: People, pending: HandlerView
) -> None:
    outcomes = at_once([lambda: ask(platform, pending)] * 3)
    assert [code(one) for one in outcomes if isinstance(one, Refusal)] == ["escalation_pending"] * 2
    assert code(handler_escalations.withdraw(platform, people.wang.id, pending.id, ORIGIN)) == (
        "escalation_not_pending"
    )
    assert handler_escalations.withdraw(platform, people.li.id, pending.id, ORIGIN) is None
    assert code(handler_escalations.withdraw(platform, people.li.id, pending.id, ORIGIN)) == (
        "escalation_not_pending"
    )
    assert handler_escalation_views.count_pending() == 0


def test_every_problem_of_the_form_is_told_and_a_closed_enterprise_gives_nothing(
    platform: Platform, people: People, pending: HandlerView, reviewer: str
) -> None:
    bad = EscalationForm("nonsense", "", Scan("evidence_scan", "", b""))
    result = handler_escalations.submit(platform, people.li.id, pending.id, bad, ORIGIN)
    assert isinstance(result, Refusal)
    assert [problem.field for problem in result.problems] == ["ground", "explanation", "evidence_scan"]
    stranger = handler_escalations.submit(platform, people.wang.id, pending.id, form(), ORIGIN)
    assert code(stranger) == "not_found"
    escalation = asked(platform, pending)
    enterprise_status.close(platform, MAKER, ORIGIN)
    assert code(say(platform, reviewer, escalation)) == "enterprise_closed"
    assert handler_escalation_views.count_pending() == 1
    assert code(ask(platform, pending)) == "enterprise_closed"


def test_evidence_is_encrypted_seen_by_two_and_gone_after_its_purpose(
    platform: Platform,
    people: People,
    pending: HandlerView,
    reviewer: str,
    moving_clock: MovableClock,
) -> None:
    escalation = asked(platform, pending)
    shown = handler_escalation_views.find(platform, escalation)
    assert shown is not None
    (evidence,) = shown.evidence
    for viewer in (reviewer, people.li.id):
        found = handler_escalations.get_evidence(platform, evidence.id, viewer, ORIGIN)
        assert not isinstance(found, Refusal)
        assert found[0] == "image/png"
        assert found[1].startswith(b"\x89PNG")
    assert len(audit.list_entries(platform, AuditEvent.UPLOAD_VIEW)) == 2
    for stranger in (people.wang.id, people.maker.legal_account_id, "nobody"):
        assert code(handler_escalations.get_evidence(platform, evidence.id, stranger, ORIGIN)) == "not_found"
    say(platform, reviewer, escalation)
    scan_retention.purge(platform, moving_clock.moment + timedelta(days=29), ORIGIN)
    assert not isinstance(handler_escalations.get_evidence(platform, evidence.id, reviewer, ORIGIN), Refusal)
    assert scan_retention.purge(platform, moving_clock.moment + timedelta(days=31), ORIGIN) == 1
    assert code(handler_escalations.get_evidence(platform, evidence.id, reviewer, ORIGIN)) == "not_found"


def test_evidence_goes_with_its_account(platform: Platform, people: People, pending: HandlerView) -> None:
    asked(platform, pending)
    with transaction() as session:
        assert scan_retention.delete_of_account(session, people.li.id, ORIGIN) == 1
        assert scan_retention.delete_of_account(session, people.li.id, ORIGIN) == 0
