from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from idp.domain.errors import Refusal
from idp.services import authentication, outbox, passwords, phone_changes, recovery
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from idp.services.recovery import Holder
from idp.storage import accounts as account_rows
from idp.storage.database import transaction
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    CountingHasher,
    LostStore,
    WatchedStore,
    account,
    enterprise,
    events,
    give_identity,
    open_login,
    person,
    send_code,
)

NEW = "Fresh#2026pass"
ID_NUMBER = "990101199001010019"
CREDIT_CODE = "91990101MADEM0046R"


def reset_code(platform: Platform, identifier: str = "alice_1") -> str:
    assert recovery.send_code(platform, identifier, ORIGIN) is None
    sent = outbox.list_recent_sms(platform, 1)[0]
    assert sent.purpose == "reset_password"
    return str(sent.code)


def prove(platform: Platform, identifier: str, code: str) -> Holder | str:
    outcome = recovery.prove_phone(platform, identifier, code, ORIGIN)
    return outcome.code if isinstance(outcome, Refusal) else outcome


def check(platform: Platform, account_id: str, typed: str) -> str | None:
    refusal = recovery.check_identity(platform, account_id, typed, ORIGIN)
    return refusal.code if refusal else None


def unlimited(platform: Platform) -> Platform:
    return replace(platform, settings=replace(platform.settings, throttle=False))


# --- the phone ---


def test_the_code_to_the_bound_phone_proves_the_holder(platform: Platform) -> None:
    account_id = account(platform)
    assert prove(platform, "ALICE_1", reset_code(platform)) == Holder(account_id, None)


def test_a_verified_holder_is_asked_for_the_identity_as_well(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, person(ID_NUMBER))
    assert prove(platform, ID_NUMBER, reset_code(platform, ID_NUMBER)) == Holder(
        account_id, "document_number"
    )
    legal = account(platform, "legal_1", OTHER_PHONE)
    give_identity(platform, legal, enterprise(CREDIT_CODE))
    holder = prove(platform, CREDIT_CODE, reset_code(platform, CREDIT_CODE))
    assert holder == Holder(legal, "enterprise_credit_code")


def test_anything_wrong_is_answered_alike(platform: Platform) -> None:
    account(platform)
    code = reset_code(platform)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert prove(platform, "alice_1", wrong) == "recovery_wrong"
    assert prove(platform, "nobody_1", code) == "recovery_wrong"
    assert prove(platform, "", "") == "recovery_wrong"
    assert prove(platform, "\x00\ud800", "\ud800") == "recovery_wrong"


def test_a_code_for_one_purpose_is_none_for_another(platform: Platform) -> None:
    account(platform)
    assert prove(platform, "alice_1", send_code(platform)) == "recovery_wrong"
    code = reset_code(platform)
    outcome = authentication.authenticate(platform, "alice_1", "Demo#2026pass", code, ORIGIN)
    assert isinstance(outcome, Refusal)


def test_a_code_proves_once(platform: Platform) -> None:
    account(platform)
    code = reset_code(platform)
    outcomes = at_once([partial(prove, platform, "alice_1", code)] * 3)
    assert sum(isinstance(outcome, Holder) for outcome in outcomes) == 1
    assert prove(platform, "alice_1", code) == "recovery_wrong"


def test_a_frozen_account_is_told_so_only_with_the_code(platform: Platform) -> None:
    account_id = account(platform)
    code = reset_code(platform)
    with transaction() as session:
        account_rows.update_account(session, account_id, {"status": "frozen"})
    assert prove(platform, "alice_1", "000000") == "recovery_wrong"
    assert prove(platform, "alice_1", code) == "account_frozen"


def test_an_empty_identifier_is_asked_for_again(platform: Platform) -> None:
    refusal = recovery.send_code(platform, " ", ORIGIN)
    assert refusal is not None
    assert (refusal.problems[0].field, refusal.code) == ("identifier", "required")


def test_without_the_short_lived_store_nothing_is_proved(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, person(ID_NUMBER))
    lost = replace(platform, ephemeral=LostStore())
    assert prove(lost, "alice_1", "000000") == "service_unavailable"
    assert check(lost, account_id, ID_NUMBER) == "service_unavailable"


# --- known and unknown ---


def test_known_and_unknown_identifiers_cause_the_same_work_until_both_are_locked(platform: Platform) -> None:
    account(platform)
    seen = []
    for identifier in ("alice_1", "nobody_1"):
        store, hasher = WatchedStore(platform.ephemeral), CountingHasher()
        watched = replace(platform, ephemeral=store, passwords=hasher)
        answers: list[object] = [recovery.send_code(watched, identifier, ORIGIN)]
        answers.append(recovery.send_code(watched, identifier, ORIGIN))
        answers += [prove(watched, identifier, "000000") for _ in range(7)]
        seen.append((answers, store.verbs, hasher.verified))
    assert seen[0] == seen[1]
    assert seen[0][0][2:] == ["recovery_wrong"] * 4 + ["login_locked"] * 3


def test_known_and_unknown_identifiers_ask_the_database_alike(
    platform: Platform, assert_queries: AssertQueries
) -> None:
    account(platform)
    executed = []
    for identifier in ("alice_1", "nobody_1"):
        with assert_queries(2) as statements:
            prove(platform, identifier, "000000")
        executed.append(statements)
    assert executed[0] == executed[1]


def test_failures_here_lock_neither_the_sign_in_nor_the_other_way_round(platform: Platform) -> None:
    account(platform)
    for _ in range(6):
        prove(platform, "alice_1", "000000")
    code = send_code(platform)
    outcome = authentication.authenticate(platform, "alice_1", "Demo#2026pass", code, ORIGIN)
    assert isinstance(outcome, Authenticated)


def test_every_failure_is_in_the_trail_and_says_no_identifier(platform: Platform) -> None:
    account_id = account(platform)
    prove(platform, "alice_1", "000000")
    prove(platform, ID_NUMBER, "000000")
    known, unknown = events(platform, "account:password_reset")
    assert (known.account_id, known.result, unknown.account_id) == (account_id, "recovery_wrong", None)
    assert unknown.detail["identifier"] == "99***"


# --- the identity ---


def test_the_identity_is_the_one_that_was_verified(platform: Platform) -> None:
    account_id = account(platform)
    assert check(platform, account_id, "") is None
    give_identity(platform, account_id, person("99010119900101006X"))
    assert check(platform, account_id, " ") == "required"
    assert check(platform, account_id, ID_NUMBER) == "proof_wrong"
    assert check(platform, account_id, "99010119900101006x") is None
    legal = account(platform, "legal_1", OTHER_PHONE)
    give_identity(platform, legal, enterprise(CREDIT_CODE))
    assert check(platform, legal, "91990101MADEM00117") == "proof_wrong"
    assert check(platform, legal, CREDIT_CODE.lower()) is None


def test_five_wrong_identities_lock_the_recovery(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, person(ID_NUMBER))
    answers = [check(platform, account_id, "990101198506150012") for _ in range(5)]
    assert answers == ["proof_wrong"] * 4 + ["login_locked"]
    assert check(platform, account_id, ID_NUMBER) == "login_locked"
    assert prove(platform, "alice_1", reset_code(platform)) == "login_locked"


# --- the new password ---


def test_a_reset_ends_every_login_is_told_and_recorded(platform: Platform) -> None:
    account_id = account(platform)
    tokens = [open_login(platform, account_id)[0] for _ in range(2)]
    recovery.reset(platform, account_id, NEW, ORIGIN)
    assert [authentication.find_login(platform, token) for token in tokens] == [None, None]
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "password_reset"
    [entry] = events(platform, "account:password_reset")
    assert (entry.account_id, entry.result) == (account_id, "success")
    outcome = authentication.authenticate(platform, "alice_1", NEW, send_code(platform), ORIGIN)
    assert isinstance(outcome, Authenticated)
    assert not outcome.password_due


def test_a_reset_that_fails_halfway_leaves_the_old_password(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = account(platform)
    monkeypatch.setattr(
        phone_changes, "withdraw_application", lambda *_: (_ for _ in ()).throw(OSError("disk full"))
    )
    with transaction() as session:
        before = account_rows.find_account(session, account_id)
    with pytest.raises(OSError, match="disk full"):
        recovery.reset(platform, account_id, NEW, ORIGIN)
    with transaction() as session:
        after = account_rows.find_account(session, account_id)
    assert before is not None
    assert after is not None
    assert after.password_hash == before.password_hash
    assert events(platform, "account:password_reset") == []


def test_a_reset_opens_a_locked_sign_in(platform: Platform) -> None:
    account_id = account(platform)
    for _ in range(6):
        authentication.authenticate(platform, "alice_1", "Wrong#2026pass", "000000", ORIGIN)
    recovery.reset(platform, account_id, NEW, ORIGIN)
    outcome = authentication.authenticate(platform, "alice_1", NEW, send_code(platform), ORIGIN)
    assert isinstance(outcome, Authenticated)


def test_the_former_passwords_stay_refused(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    recovery.reset(platform, account_id, NEW, ORIGIN)
    for used in ("Demo#2026pass", NEW):
        refusal = passwords.check_new(platform, account_id, used, used)
        assert refusal is not None
        assert refusal.code == "password_reused"
    moving_clock.advance(days=90)
    outcome = authentication.authenticate(
        unlimited(platform), "alice_1", NEW, send_code(unlimited(platform)), ORIGIN
    )
    assert isinstance(outcome, Authenticated)
    assert outcome.password_due


@pytest.mark.parametrize("identifier", ["alice_1", "990101198506150012"])
def test_a_code_is_sent_to_the_bound_phone_alone(platform: Platform, identifier: str) -> None:
    account(platform)
    assert recovery.send_code(platform, identifier, ORIGIN) is None
    phones = [message.phone for message in outbox.list_recent_sms(platform)]
    assert phones == (["19900000001"] if identifier == "alice_1" else [])


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_the_short_lived_store_no_code_is_sent(platform: Platform) -> None:
    refusal = recovery.send_code(replace(platform, ephemeral=LostStore()), "alice_1", ORIGIN)
    assert refusal is not None
    assert refusal.code == "service_unavailable"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_recovery_may_begin_so_often_for_one_name(platform: Platform, moving_clock: MovableClock) -> None:
    for identifier in ("alice_1", "nobody_1"):
        answers = []
        for _ in range(12):
            moving_clock.advance(minutes=2)
            refusal = recovery.send_code(platform, identifier, ORIGIN)
            answers.append(refusal.code if refusal else None)
        assert answers == [None] * 10 + ["recovery_limit"] * 2
