from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from idp import clock, crypto
from idp.domain.errors import Refusal
from idp.domain.interaction import Acting
from idp.services import handlers, revocation
from idp.services.handlers import HandlerView
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.authorizations import Authorization
from idp.storage.clients import Client
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.outbox import OutboxMessage
from tests.people import (
    BATTERY_MAKER,
    LONG_AGO,
    ORIGIN,
)
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


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform()


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


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
    _used_at_smdvs(view, other)
    decided(platform, people.maker, view, "revoke")
    assert _ends() == {view.id: "handler_revoked", other.id: None}


def test_the_clients_are_told_once_when_the_validity_is_over(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    view = decided(platform, people.maker, applied(platform, people.li, valid_until="2026-12-31"), "approve")
    other = decided(platform, people.maker, applied(platform, people.wang), "approve")
    _used_at_smdvs(view, other)
    assert revocation.end_lapsed_handlers(platform, clock.now()) == 0
    assert view.valid_until is not None
    moving_clock.moment = view.valid_until
    counts = at_once([lambda: revocation.end_lapsed_handlers(platform, clock.now())] * 3)
    assert 1 in counts
    assert _ends() == {view.id: "handler_expired", other.id: None}
    with reading() as session:
        told = session.scalars(select(OutboxMessage.kind).where(OutboxMessage.kind != "sms")).all()
    assert told == ["backchannel_logout"]
    assert revocation.end_lapsed_handlers(platform, clock.now()) == 0


def _used_at_smdvs(*views: HandlerView) -> None:
    metadata = {
        "client_id": "smdvs",
        "client_name": "smdvs",
        "grant_types": ["authorization_code"],
        "scope": "openid",
        "backchannel_logout_uri": "https://rp.example.test/logout",
    }
    with transaction() as session:
        row = Client(client_id="smdvs", client_metadata=metadata, created_at=LONG_AGO, updated_at=LONG_AGO)
        session.add(row)
        session.flush()
        for view in views:
            session.add(_authorization(view))


def _ends() -> dict[str | None, str | None]:
    with reading() as session:
        rows = session.scalars(select(Authorization))
        return {row.handler_authorization_id: row.revoked_reason for row in rows}


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
        redeemed_at=LONG_AGO,
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


def test_a_reason_is_kept_for_the_applicant(platform: Platform, people: People) -> None:
    view = applied(platform, people.li)
    handlers.decide(platform, people.maker.legal_account_id, view.id, "refuse", ORIGIN, "请用公司手机号")
    assert [row.reason for row in handlers.list_of_account(platform, people.li.id)] == ["请用公司手机号"]
