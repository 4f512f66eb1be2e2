from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select

from idp import clock
from idp.crypto import DecryptionError
from idp.domain.audit import internal_origin
from idp.domain.errors import Refusal
from idp.services import (
    accounts,
    authentication,
    consents,
    deletion,
    handler_escalations,
    handler_invitations,
    handlers,
    identities,
    known_devices,
    outbox,
    real_name,
    registration,
    retention,
    revival,
    sms_codes,
)
from idp.services.authentication import Authenticated
from idp.services.handler_escalations import EscalationForm
from idp.services.handler_invitations import InvitationForm
from idp.services.known_devices import Meeting
from idp.services.platform import Platform
from idp.services.registration import AccountView
from idp.services.revival import Sleeper
from idp.services.scans import Scan
from idp.storage import erasure
from idp.storage.accounts import Account
from idp.storage.database import Base, reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization
from tests.people import CAR_MAKER, LI
from tests.services import submissions
from tests.services.authorising import FORM
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PASSWORD,
    PHONE,
    account,
    enterprise,
    events,
    form,
    give_identity,
    open_login,
    password_hash,
    person,
    send_code,
    signed_in,
)

WORKER = internal_origin("worker")
PAUSE = timedelta(days=7, minutes=1)


def codes(outcome: object) -> list[str]:
    return [problem.code for problem in outcome.problems] if isinstance(outcome, Refusal) else []


def status(account_id: str) -> str:
    with reading() as session:
        return session.get_one(Account, account_id).status


def told(platform: Platform) -> list[tuple[str, str]]:
    return [(sent.phone, sent.purpose) for sent in reversed(outbox.list_recent_sms(platform))]


def leave(platform: Platform, account_id: str, login_name: str = "alice_1") -> None:
    assert deletion.request(platform, account_id, login_name, ORIGIN) is None


def finish(platform: Platform) -> int:
    return deletion.finish_due(platform, clock.now() + PAUSE, WORKER)


def test_an_account_that_leaves_is_shut_out_at_once(platform: Platform) -> None:
    account_id = account(platform)
    token = open_login(platform, account_id)[0]
    leave(platform, account_id, " Alice_1 ")
    assert authentication.find_login(platform, token) is None
    assert status(account_id) == "leaving"
    assert told(platform) == [(PHONE, "deletion_requested")]
    assert codes(deletion.request(platform, account_id, "alice_1", ORIGIN)) == ["account_not_active"]
    assert len(events(platform, "account:deletion_request")) == 1


@pytest.mark.parametrize(
    ("typed", "code"), [("", "required"), ("  ", "required"), ("bobby_1", "login_name_differs")]
)
def test_the_login_name_confirms_it(platform: Platform, typed: str, code: str) -> None:
    account_id = account(platform)
    assert codes(deletion.request(platform, account_id, typed, ORIGIN)) == [code]
    assert status(account_id) == "active"


def test_the_last_administrator_stays(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    accounts.set_platform_role(platform, alice, "administrator", True, ORIGIN)
    assert deletion.look(alice).obstacles == ("deletion_last_administrator",)
    assert codes(deletion.request(platform, alice, "alice_1", ORIGIN)) == ["deletion_last_administrator"]
    accounts.set_platform_role(platform, bob, "administrator", True, ORIGIN)
    leave(platform, alice)
    assert codes(deletion.request(platform, bob, "bobby_1", ORIGIN)) == ["deletion_last_administrator"]


def test_of_two_last_administrators_who_leave_at_once_one_may_stay_behind(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    for account_id in (alice, bob):
        accounts.set_platform_role(platform, account_id, "administrator", True, ORIGIN)
    outcomes = at_once(
        [
            partial(deletion.request, platform, alice, "alice_1", ORIGIN),
            partial(deletion.request, platform, bob, "bobby_1", ORIGIN),
        ]
    )
    assert sorted(map(codes, outcomes)) == [[], ["deletion_last_administrator"]]


def test_an_enterprise_with_handlers_or_applications_keeps_its_account(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    give_identity(platform, alice, CAR_MAKER)
    give_identity(platform, bob, person())
    applied = handlers.apply(platform, bob, FORM, ORIGIN)
    assert not isinstance(applied, Refusal)
    assert codes(deletion.request(platform, alice, "alice_1", ORIGIN)) == ["deletion_applications"]
    handlers.decide(platform, alice, applied.id, "approve", ORIGIN)
    assert deletion.look(alice).obstacles == ("deletion_handlers",)
    handlers.decide(platform, alice, applied.id, "revoke", ORIGIN)
    leave(platform, alice)


def test_whoever_signs_in_within_the_pause_may_stay(platform: Platform) -> None:
    account_id = account(platform)
    leave(platform, account_id)
    refusal = authentication.authenticate(platform, "alice_1", PASSWORD, send_code(platform), ORIGIN)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "account_leaving"
    shown = refusal.problems[0].detail["authenticated"]
    assert isinstance(shown, Authenticated)
    handle = revival.offer(platform, shown)
    assert isinstance(handle, str)
    sleeper = revival.find(platform, handle)
    assert sleeper is not None
    assert not sleeper.must_show_code
    assert not isinstance(revival.revive(platform, handle, sleeper, "", ORIGIN), Refusal)
    assert (status(account_id), finish(platform)) == ("active", 0)
    assert revival.find(platform, handle) is None
    assert codes(revival.revive(platform, handle, sleeper, "", ORIGIN)) == ["revival_over"]
    assert told(platform)[-1] == (PHONE, "deletion_cancelled")


def test_nothing_is_done_before_the_pause_is_over(platform: Platform) -> None:
    account_id = account(platform)
    leave(platform, account_id)
    assert deletion.finish_due(platform, clock.now() + timedelta(days=6, hours=23), WORKER) == 0
    assert status(account_id) == "leaving"


def test_of_several_workers_one_does_it(platform: Platform) -> None:
    leave(platform, account(platform))
    assert sorted(at_once([partial(finish, platform)] * 3)) == [0, 0, 1]
    assert len(events(platform, "account:delete")) == 1


def test_coming_back_and_being_deleted_at_once_is_one_of_both(platform: Platform) -> None:
    account_id = account(platform)
    leave(platform, account_id)
    handle = revival.offer(platform, signed_in(account_id))
    assert isinstance(handle, str)
    sleeper = revival.find(platform, handle)
    assert isinstance(sleeper, Sleeper)

    def come_back() -> bool:
        return not isinstance(revival.revive(platform, str(handle), sleeper, "", ORIGIN), Refusal)

    outcomes: list[Any] = at_once([come_back, lambda: finish(platform) == 1])
    assert sorted(outcomes) == [False, True]
    assert status(account_id) == ("active" if outcomes[0] else "deleted")


def test_phone_and_document_are_free_again_and_the_login_name_never(platform: Platform) -> None:
    alice = account(platform)
    give_identity(platform, alice, person())
    leave(platform, alice)
    finish(platform)
    assert sms_codes.send_code(platform, sms_codes.Destination.of_phone(PHONE), "register", ORIGIN) is None
    again = registration.register(platform, form(platform, login_name="ALICE_1"), ORIGIN)
    assert codes(again) == ["login_name_taken"]
    anew = registration.register(platform, form(platform, login_name="alice_2"), ORIGIN)
    assert isinstance(anew, AccountView)
    give_identity(platform, anew.account_id, person())
    nobody = authentication.authenticate(platform, "alice_1", PASSWORD, "000000", ORIGIN)
    assert codes(nobody) == ["credentials_wrong"]


def test_the_enterprise_of_a_deleted_account_gets_another_one_without_the_former_handlers(
    platform: Platform,
) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    give_identity(platform, alice, CAR_MAKER)
    with reading() as session:
        enterprise_id = session.scalars(select(Enterprise.id)).one()
    offered = InvitationForm(OTHER_PHONE, "李测试", ("nev-accident-report",), None)
    invitation = handler_invitations.invite(platform, alice, enterprise_id, offered, ORIGIN)
    assert isinstance(invitation, str), invitation
    leave(platform, alice)
    give_identity(platform, bob, person())
    now = clock.now()
    with transaction() as session:
        kept = session.scalars(select(Enterprise.id)).one()
        values = {"account_id": bob, "enterprise_id": kept, "matters": ["nev-accident-report"]}
        times = {"applied_at": now, "valid_from": now, "decided_at": now}
        session.add(HandlerAuthorization(id="approved meanwhile", status="approved", **values, **times))
    finish(platform)
    assert handlers.acting_candidates(platform, bob, clock.now()) == []
    assert (OTHER_PHONE, "handler_revoked") in told(platform)
    carol = account(platform, "carol_1", "19900000003")
    with reading() as session:
        assert identities.refuse_taken(session, platform.keyring.fields, CAR_MAKER) is None
    give_identity(platform, carol, CAR_MAKER)
    accepted = handler_invitations.accept(platform, bob, invitation, ORIGIN)
    assert codes(accepted) == ["not_found"]
    with reading() as session:
        found = session.scalars(select(Enterprise)).one()
        assert (found.id, found.legal_account_id, found.status) == (kept, carol, "active")
    assert handlers.acting_candidates(platform, bob, clock.now()) == []
    assert [acting.account_type for acting in handlers.acting_candidates(platform, carol, clock.now())] == [
        "legal_person"
    ]


def test_two_that_take_a_vacant_enterprise_at_once_are_one(platform: Platform) -> None:
    alice = account(platform)
    give_identity(platform, alice, enterprise())
    leave(platform, alice)
    finish(platform)
    others = [account(platform, f"other_{n}", f"1990000010{n}") for n in range(3)]

    def take(account_id: str) -> bool:
        outcome = real_name.submit(
            platform, account_id, submissions.enterprise(enterprise_credit_code="91990101MADEM0046R"), ORIGIN
        )
        return not isinstance(outcome, Refusal)

    at_once([partial(take, one) for one in others])
    with reading() as session:
        assert len(session.scalars(select(Enterprise)).all()) == 1


def test_a_deleted_handlers_authorisation_ends_and_the_enterprise_is_told(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    give_identity(platform, bob, CAR_MAKER)
    give_identity(platform, alice, LI)
    applied = handlers.apply(platform, alice, FORM, ORIGIN)
    assert not isinstance(applied, Refusal)
    handlers.decide(platform, bob, applied.id, "approve", ORIGIN)
    leave(platform, alice)
    finish(platform)
    (view,) = handlers.list_of_enterprise(platform, applied.enterprise_id)
    assert (view.status, view.applicant_name, view.reason) == ("revoked", "", None)
    assert (OTHER_PHONE, "handler_gone") in told(platform)
    revocations = [entry.detail["reason"] for entry in events(platform, "handler:revoke")]
    assert revocations == ["account_deleted"]


# --- nothing of the person is left ---


def everything(platform: Platform) -> str:
    """Every value of every row of every table, what is encrypted opened."""
    texts = []
    with reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                for column, value in zip(table.columns, row, strict=True):
                    texts.append(f"{table.name}.{column.name}={opened(platform, table.name, column, value)}")
    return "\n".join(texts)


def opened(platform: Platform, table: str, column: Any, value: object) -> object:
    name = column.name.removesuffix("_encrypted")
    if value is None or name == column.name:
        return value
    cipher, context = platform.keyring.fields, f"{table}.{name}"
    try:
        if isinstance(column.type, LargeBinary) and isinstance(value, bytes):
            return cipher.decrypt_bytes(value, context)
        return cipher.decrypt(str(value), context)
    except DecryptionError:
        pytest.fail(f"{context} is sealed for another context: this test must learn to open it")


def lead_a_life(platform: Platform) -> AccountView:
    """A person of whom as many tables as possible tell."""
    view = AccountView("a" * 22, "alice_1", PHONE, "alice@example.com")
    assert isinstance(registration.create_account(platform, view, password_hash(), ORIGIN), AccountView)
    bob = account(platform, "bobby_1", OTHER_PHONE)
    give_identity(platform, bob, CAR_MAKER)
    submissions.submitted(
        platform, view.account_id, submissions.person(manual=True, address="示例市演示区样板路9号")
    )
    give_identity(platform, view.account_id, LI)
    applied = handlers.apply(platform, view.account_id, FORM, ORIGIN)
    assert not isinstance(applied, Refusal)
    asked = EscalationForm("other", "李示例 多次联系企业未果", Scan("evidence", "li.png", submissions.PNG))
    escalated = handler_escalations.submit(platform, view.account_id, applied.id, asked, ORIGIN)
    assert isinstance(escalated, str), escalated
    offered = InvitationForm(PHONE, LI.real_name, ("nev-accident-report",), None)
    invited = handler_invitations.invite(platform, bob, applied.enterprise_id, offered, ORIGIN)
    assert isinstance(invited, str), invited
    handlers.decide(platform, bob, applied.id, "refuse", ORIGIN, "李示例 并非本公司员工")
    authentication.begin_login(platform, signed_in(view.account_id), ORIGIN, replaces=None)
    known_devices.meet(platform, view.account_id, Meeting(None, "Firefox"), ORIGIN)
    return view


def test_no_table_tells_of_the_person_any_more(database_store: Platform, moving_clock: MovableClock) -> None:
    platform = database_store
    view = lead_a_life(platform)
    personal = (
        "alice_1",
        "alice@example.com",
        PHONE,
        LI.real_name,
        LI.document_number,
        LI.address,
        "示例市演示区样板路9号",
        platform.keyring.fields.index(PHONE, "accounts.phone"),
        identities.document_index(platform.keyring.fields, LI),
    )
    before = everything(platform)
    assert [text for text in personal if text not in before] == []

    assert deletion.request(platform, view.account_id, "alice_1", ORIGIN) is None
    moving_clock.advance(days=8)
    assert deletion.finish_due(platform, moving_clock.now(), WORKER) == 1
    moving_clock.advance(days=2)  # messages on their way are kept for a day
    while retention.purge(moving_clock.now()):
        pass

    after = everything(platform)
    assert [text for text in personal if text in after] == []
    assert f"accounts.id={view.account_id}" in after
    assert f"audit_events.account_id={view.account_id}" in after


def test_every_table_of_accounts_is_emptied_or_kept_for_a_reason() -> None:
    named = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.target_fullname == "accounts.id" for key in table.foreign_keys)
    }
    erased = {table.name for table in erasure.tables_erased()}
    # legal_account_id: vacated; invited_by: names the pseudonym of who invited
    by_another_name = {"enterprises", "handler_invitations"}
    assert named - erased - set(erasure.KEPT) == by_another_name
    assert not erased & set(erasure.KEPT)


def test_consents_are_among_what_goes(platform: Platform) -> None:
    assert {"consents", "logins", "uploads", "known_devices", "password_history"} <= {
        table.name for table in erasure.tables_erased()
    }
    assert consents.list_of_account("nobody") == []
