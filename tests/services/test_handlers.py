from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from idp import clock, crypto
from idp.domain.audit import AuditEvent
from idp.domain.errors import Refusal
from idp.domain.interaction import Acting
from idp.services import audit, handlers, outbox
from idp.services.handlers import HandlerApplicationForm, HandlerView
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.authorizations import Authorization
from idp.storage.clients import Client
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization
from tests.people import (
    BATTERY_MAKER,
    CAR_MAKER,
    LONG_AGO,
    ORIGIN,
    WANG,
    add_account,
    add_authorization,
    add_enterprise,
    add_person,
)
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once

MATTER: Final = "nev-accident-report"
FORM: Final = HandlerApplicationForm(
    CAR_MAKER.enterprise_name, CAR_MAKER.enterprise_credit_code, (MATTER,), None
)


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform()


@dataclass
class People:
    """Who takes part: accounts and enterprises."""

    li: Account
    wang: Account
    nobody: Account
    maker: Enterprise
    batteries: Enterprise


@pytest.fixture
def people(platform: Platform) -> People:
    cipher = platform.keyring.fields
    with transaction() as session:
        return People(
            add_person(session, cipher, "li_example"),
            add_person(session, cipher, "wang_example", WANG),
            add_account(session, cipher, "nobody_yet"),
            add_enterprise(session, cipher, "makers"),
            add_enterprise(session, cipher, "batteries", BATTERY_MAKER),
        )


def apply(platform: Platform, account: Account, **changes: Any) -> HandlerView | Refusal:
    return handlers.apply(platform, account.id, replace(FORM, **changes), ORIGIN)


def applied(platform: Platform, account: Account, **changes: Any) -> HandlerView:
    view = apply(platform, account, **changes)
    assert isinstance(view, HandlerView), view
    return view


def decide(
    platform: Platform, enterprise: Enterprise, view: HandlerView, decision: str
) -> HandlerView | Refusal:
    return handlers.decide(platform, enterprise.legal_account_id, view.id, decision, ORIGIN)


def decided(platform: Platform, enterprise: Enterprise, view: HandlerView, decision: str) -> HandlerView:
    after = decide(platform, enterprise, view, decision)
    assert isinstance(after, HandlerView), after
    return after


def code(result: object) -> str:
    assert isinstance(result, Refusal), result
    return result.code


def phone(platform: Platform, account_id: str) -> str:
    with reading() as session:
        sealed = session.get_one(Account, account_id).phone_encrypted
    return platform.keyring.fields.decrypt(sealed, "accounts.phone")


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(HandlerAuthorization)) or 0


def candidates(platform: Platform, account_id: str) -> list[Acting]:
    return handlers.acting_candidates(platform, account_id, clock.now())


def test_an_application_waits_for_the_enterprise(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    view = applied(platform, people.li, valid_until="2027-12-31")
    assert (view.status, view.applied_at, view.matters) == ("pending", moving_clock.moment, (MATTER,))
    assert view.valid_until == datetime(2027, 12, 31, 15, 59, 59, tzinfo=UTC)
    assert (view.valid_from, view.decided_at) == (None, None)
    assert handlers.list_of_account(platform, people.li.id) == [view]
    assert handlers.list_of_enterprise(platform, people.maker.id) == [view]
    assert handlers.list_of_enterprise(platform, people.batteries.id) == []
    assert candidates(platform, people.li.id) == []


def test_the_enterprise_sees_who_applies(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    assert (view.applicant_login_name, view.applicant_name) == ("li_example", "李示例")
    assert view.document_tail == "********0027"
    assert (view.enterprise_name, view.representative_name) == ("示例新能源汽车有限公司", "赵示例")
    assert view.enterprise_credit_code == "91990101MADEM00117"


def test_an_approval_lets_the_person_act_at_once(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    view = applied(platform, people.li)
    moving_clock.advance(hours=1)
    after = decided(platform, people.maker, view, "approve")
    assert (after.status, after.valid_from, after.decided_at) == (
        "approved",
        moving_clock.moment,
        moving_clock.moment,
    )
    assert candidates(platform, people.li.id) == [
        Acting(
            people.maker.id,
            "91990101MADEM00117",
            "示例新能源汽车有限公司",
            "handler",
            view.id,
            (MATTER,),
            None,
        )
    ]


def test_a_refusal_and_a_withdrawal_let_nobody_act(platform: Platform, people: People) -> None:
    refused = decided(platform, people.maker, applied(platform, people.li), "refuse")
    withdrawn = handlers.withdraw(platform, people.wang.id, applied(platform, people.wang).id, ORIGIN)
    assert isinstance(withdrawn, HandlerView)
    assert (refused.status, withdrawn.status) == ("refused", "withdrawn")
    assert candidates(platform, people.li.id) == candidates(platform, people.wang.id) == []


def test_a_revocation_ends_it_at_once(platform: Platform, people: People, moving_clock: MovableClock) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    after = decided(platform, people.maker, view, "revoke")
    assert (after.status, after.revoked_at) == ("revoked", moving_clock.moment)
    assert candidates(platform, people.li.id) == []


def test_a_revocation_ends_every_token_in_the_same_transaction(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    other = decided(platform, people.maker, applied(platform, people.wang), "approve")
    with transaction() as session:
        session.add(Client(client_id="smdvs", client_metadata={}, created_at=LONG_AGO, updated_at=LONG_AGO))
        session.flush()
        for handler in (view, other):
            session.add(_authorization(handler))
    decided(platform, people.maker, view, "revoke")
    with reading() as session:
        states = {
            row.handler_authorization_id: row.revoked_reason for row in session.scalars(select(Authorization))
        }
    assert states == {view.id: "handler_revoked", other.id: None}


def _authorization(handler: HandlerView) -> Authorization:
    return Authorization(
        id=crypto.random_id(),
        client_id="smdvs",
        account_id=handler.account_id,
        enterprise_id=handler.enterprise_id,
        handler_authorization_id=handler.id,
        account_type="handler",
        scope="openid",
        auth_time=0,
        acr="urn:gsp:acr:2fa",
        amr=["pwd"],
        redirect_uri="https://rp.example.test/callback",
        code_challenge="x" * 43,
        code_expires_at=LONG_AGO,
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
        created_at=LONG_AGO,
    )


def test_validity_ends_with_its_last_day_in_china(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    view = applied(platform, people.li, valid_until="2026-11-23")
    decided(platform, people.maker, view, "approve")
    moving_clock.moment = datetime(2026, 11, 23, 15, 59, 58, tzinfo=UTC)
    assert [acting.handler_authorization_id for acting in candidates(platform, people.li.id)] == [view.id]
    moving_clock.advance(seconds=1)
    assert candidates(platform, people.li.id) == []
    assert [row.status for row in handlers.list_of_account(platform, people.li.id)] == ["expired"]
    assert code(decide(platform, people.maker, view, "revoke")) == "handler_not_approved"


@pytest.mark.parametrize("decision", ["approve", None])
def test_what_has_expired_makes_room_for_a_new_application(
    platform: Platform, people: People, moving_clock: MovableClock, decision: str | None
) -> None:
    old = applied(platform, people.li, valid_until="2026-11-23")
    if decision:
        decided(platform, people.maker, old, decision)
    moving_clock.advance(days=1)
    new = applied(platform, people.li, valid_until="2027-11-23")
    rows = handlers.list_of_account(platform, people.li.id)
    assert [(row.id, row.status) for row in rows] == [(new.id, "pending"), (old.id, "expired")]


@pytest.mark.parametrize("end", ["refuse", "withdraw", "revoke"])
def test_after_an_end_one_may_apply_again(platform: Platform, people: People, end: str) -> None:
    view = applied(platform, people.li)
    if end == "withdraw":
        handlers.withdraw(platform, people.li.id, view.id, ORIGIN)
    else:
        if end == "revoke":
            decided(platform, people.maker, view, "approve")
        decided(platform, people.maker, view, end)
    assert applied(platform, people.li).id != view.id


def test_a_duplicate_open_application_is_refused(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    assert code(apply(platform, people.li)) == "handler_application_pending"
    decided(platform, people.maker, view, "approve")
    assert code(apply(platform, people.li)) == "already_handler"
    assert count() == 1


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


@pytest.mark.parametrize(
    "changes",
    [
        {"enterprise_name": "示例新能源汽车公司"},
        {"enterprise_name": BATTERY_MAKER.enterprise_name},
        {"enterprise_credit_code": "91990101MADEM0038Y"},
    ],
)
def test_name_and_credit_code_must_match_a_registered_enterprise(
    platform: Platform, people: People, changes: dict[str, str]
) -> None:
    assert code(apply(platform, people.li, **changes)) == "enterprise_mismatch"
    assert count() == 0


def test_a_closed_enterprise_is_not_applied_to(platform: Platform, people: People) -> None:
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).status = "closed"
    assert code(apply(platform, people.li)) == "enterprise_mismatch"


def test_only_verified_natural_persons_apply(platform: Platform, people: People) -> None:
    assert code(apply(platform, people.nobody)) == "verification_required"
    with reading() as session:
        legal_account = session.get_one(Account, people.batteries.legal_account_id)
    assert code(apply(platform, legal_account)) == "natural_person_required"


def test_every_problem_of_the_form_is_told_at_once(platform: Platform, people: People) -> None:
    result = apply(
        platform,
        people.li,
        enterprise_name="",
        enterprise_credit_code="1",
        matters=("anything",),
        valid_until="2026-01-01",
    )
    assert isinstance(result, Refusal)
    assert {(problem.code, problem.field) for problem in result.problems} == {
        ("required", "enterprise_name"),
        ("uscc_invalid", "enterprise_credit_code"),
        ("matter_unknown", "matters"),
        ("valid_until_past", "valid_until"),
    }


@pytest.mark.parametrize("decision", ["approve", "refuse", "revoke"])
def test_nobody_but_the_enterprise_decides(platform: Platform, people: People, decision: str) -> None:
    view = applied(platform, people.li)
    if decision == "revoke":
        decided(platform, people.maker, view, "approve")
    before = handlers.list_of_account(platform, people.li.id)
    for actor in (people.li.id, people.wang.id, people.batteries.legal_account_id, "nobody"):
        assert code(handlers.decide(platform, actor, view.id, decision, ORIGIN)) == "not_found"
    assert handlers.list_of_account(platform, people.li.id) == before


def test_nobody_but_the_applicant_withdraws(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    for actor in (people.wang.id, people.maker.legal_account_id, "nobody"):
        assert code(handlers.withdraw(platform, actor, view.id, ORIGIN)) == "not_found"
    assert [row.status for row in handlers.list_of_account(platform, people.li.id)] == ["pending"]


def test_what_is_not_pending_is_not_withdrawn(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    assert code(handlers.withdraw(platform, people.li.id, view.id, ORIGIN)) == "handler_not_pending"


@pytest.mark.parametrize("decision", ["forget", "", "approve\x00"])
def test_an_unknown_decision_changes_nothing(platform: Platform, people: People, decision: str) -> None:
    view = applied(platform, people.li)
    assert code(decide(platform, people.maker, view, decision)) == "decision_unknown"
    assert handlers.list_of_account(platform, people.li.id) == [view]


def test_an_unknown_authorisation_is_not_found(platform: Platform, people: People) -> None:
    for unknown in ("", "nothing", "x" * 500):
        decision = handlers.decide(platform, people.maker.legal_account_id, unknown, "approve", ORIGIN)
        assert code(decision) == "not_found"
        assert code(handlers.withdraw(platform, people.li.id, unknown, ORIGIN)) == "not_found"


def test_each_step_is_told_to_the_other_side_by_sms(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    decided(platform, people.maker, view, "revoke")
    decided(platform, people.maker, applied(platform, people.li), "refuse")
    handlers.withdraw(platform, people.li.id, applied(platform, people.li).id, ORIGIN)
    person, enterprise = phone(platform, people.li.id), phone(platform, people.maker.legal_account_id)
    messages = list(reversed(outbox.list_recent_sms(platform)))
    assert [(message.purpose, message.phone) for message in messages] == [
        ("handler_applied", enterprise),
        ("handler_approved", person),
        ("handler_revoked", person),
        ("handler_applied", enterprise),
        ("handler_refused", person),
        ("handler_applied", enterprise),
        ("handler_withdrawn", enterprise),
    ]
    assert "*示例" in messages[0].text
    assert all("示例新能源汽车有限公司" in message.text for message in messages)


def test_each_step_is_in_the_trail(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    decided(platform, people.maker, view, "revoke")
    second = decided(platform, people.maker, applied(platform, people.li), "refuse")
    third = applied(platform, people.li)
    handlers.withdraw(platform, people.li.id, third.id, ORIGIN)
    legal = people.maker.legal_account_id
    entries = list(reversed(audit.list_entries(platform)))
    assert [(entry.event, entry.account_id, entry.object_id) for entry in entries] == [
        (AuditEvent.HANDLER_APPLY, people.li.id, view.id),
        (AuditEvent.HANDLER_APPROVE, legal, view.id),
        (AuditEvent.HANDLER_REVOKE, legal, view.id),
        (AuditEvent.HANDLER_APPLY, people.li.id, second.id),
        (AuditEvent.HANDLER_REFUSE, legal, second.id),
        (AuditEvent.HANDLER_APPLY, people.li.id, third.id),
        (AuditEvent.HANDLER_WITHDRAW, people.li.id, third.id),
    ]
    assert {entry.enterprise_id for entry in entries} == {people.maker.id}


def test_a_reason_is_kept_for_the_applicant(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    handlers.decide(platform, people.maker.legal_account_id, view.id, "refuse", ORIGIN, "请用公司手机号")
    assert [row.reason for row in handlers.list_of_account(platform, people.li.id)] == ["请用公司手机号"]


def test_nobody_sends_messages_without_end(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    for _ in range(handlers.APPLICATIONS_A_DAY):
        handlers.withdraw(platform, people.li.id, applied(platform, people.li).id, ORIGIN)
    assert code(apply(platform, people.li)) == "too_many_attempts"
    assert applied(platform, people.wang).status == "pending"


def test_without_throttling_nobody_counts(make_platform: Callable[..., Platform], people: People) -> None:
    lifted = make_platform(throttle=False)
    for _ in range(handlers.APPLICATIONS_A_DAY + 1):
        handlers.withdraw(lifted, people.li.id, applied(lifted, people.li).id, ORIGIN)
    assert applied(lifted, people.li).status == "pending"


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
    with assert_queries(4):  # read and lock, update, audit, outbox
        decided(platform, people.batteries, view, "approve")


def _batteries() -> dict[str, str]:
    return {
        "enterprise_name": BATTERY_MAKER.enterprise_name,
        "enterprise_credit_code": BATTERY_MAKER.enterprise_credit_code,
    }
