from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from idp import clock
from idp.domain import accounts as rules
from idp.domain.errors import Refusal
from idp.services import authentication, outbox, revocation
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from idp.storage import accounts as account_rows
from idp.storage.database import reading, transaction
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PASSWORD,
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
    signed_in,
)

WRONG = "Wrong#2026pass"


def authenticate(
    platform: Platform, identifier: str, password: str = PASSWORD, code: str = "000000"
) -> Authenticated | Refusal:
    return authentication.authenticate(platform, identifier, password, code, ORIGIN)


def refusal(platform: Platform, identifier: str, password: str = PASSWORD, code: str = "000000") -> str:
    outcome = authenticate(platform, identifier, password, code)
    assert isinstance(outcome, Refusal)
    return outcome.code


# --- identifiers ---


@pytest.mark.parametrize("typed", ["alice_1", "ALICE_1", " alice_1 ", "ａｌｉｃｅ＿１"])
def test_a_login_name_signs_in_with_both_factors(platform: Platform, typed: str) -> None:
    account_id = account(platform)
    outcome = authenticate(platform, typed, code=send_code(platform, typed))
    assert isinstance(outcome, Authenticated)
    assert outcome.account_id == account_id
    assert (outcome.acr, outcome.amr) == ("urn:gsp:acr:2fa", ("pwd", "sms", "mfa"))
    assert abs(outcome.auth_time - clock.now().timestamp()) < 60


@pytest.mark.parametrize("typed", ["91990101MADEM0046R", "91990101madem0046r", "9199 0101 MADE M0046 R"])
def test_a_credit_code_signs_in_the_legal_person_account(platform: Platform, typed: str) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, enterprise())
    outcome = authenticate(platform, typed, code=send_code(platform, typed))
    assert isinstance(outcome, Authenticated)
    assert outcome.account_id == account_id


@pytest.mark.parametrize(
    "typed", ["99010119900101006X", "99010119900101006x", "９９０１０１１９９００１０１００６Ｘ"]
)
def test_an_id_number_signs_in_the_natural_person(platform: Platform, typed: str) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, person("99010119900101006X"))
    outcome = authenticate(platform, typed, code=send_code(platform, typed))
    assert isinstance(outcome, Authenticated)
    assert outcome.account_id == account_id


def test_the_representatives_id_number_is_no_way_into_the_enterprise(platform: Platform) -> None:
    give_identity(platform, account(platform), enterprise())
    assert (
        authentication.send_login_code(platform, enterprise().representative_document_number, ORIGIN) is None
    )
    assert outbox.list_recent_sms(platform) == []


def test_a_deleted_account_is_nobody(platform: Platform) -> None:
    account_id = account(platform)
    code = send_code(platform)
    with transaction() as session:
        account_rows.update_account(session, account_id, {"status": "deleted"})
    assert refusal(platform, "alice_1", code=code) == "credentials_wrong"


def test_an_empty_identifier_is_asked_for_again(platform: Platform) -> None:
    outcome = authentication.send_login_code(platform, " ", ORIGIN)
    assert outcome is not None
    assert (outcome.problems[0].field, outcome.code) == ("identifier", "required")


# --- factors ---


def test_anything_wrong_is_answered_alike(platform: Platform) -> None:
    account(platform)
    code = send_code(platform)
    wrong_code = f"{(int(code) + 1) % 10**6:06}"
    assert refusal(platform, "alice_1", WRONG, code) == "credentials_wrong"
    assert refusal(platform, "alice_1", PASSWORD, wrong_code) == "credentials_wrong"
    assert refusal(platform, "nobody_1", PASSWORD, code) == "credentials_wrong"
    assert refusal(platform, "", "", "") == "credentials_wrong"
    assert refusal(platform, "\x00\ud800", "\ud800", "\x00") == "credentials_wrong"


def test_a_mistyped_password_does_not_use_the_code_up(platform: Platform) -> None:
    account(platform)
    code = send_code(platform)
    assert refusal(platform, "alice_1", WRONG, code) == "credentials_wrong"
    assert isinstance(authenticate(platform, "alice_1", code=code), Authenticated)


def test_of_two_sign_ins_with_one_code_at_once_exactly_one_succeeds(platform: Platform) -> None:
    account(platform)
    code = send_code(platform)
    outcomes = at_once([partial(authenticate, platform, "alice_1", PASSWORD, code)] * 3)
    assert sum(isinstance(outcome, Authenticated) for outcome in outcomes) == 1


def test_a_code_of_one_account_is_of_no_use_for_another(platform: Platform) -> None:
    account(platform)
    account(platform, "bob_12", OTHER_PHONE)
    assert refusal(platform, "bob_12", code=send_code(platform, "alice_1")) == "credentials_wrong"


def test_a_frozen_account_is_told_so_only_with_both_factors_right(platform: Platform) -> None:
    account_id = account(platform)
    code = send_code(platform)
    with transaction() as session:
        account_rows.update_account(session, account_id, {"status": "frozen"})
    assert refusal(platform, "alice_1", WRONG, code) == "credentials_wrong"
    assert refusal(platform, "alice_1", PASSWORD, code) == "account_frozen"


def test_a_hash_of_former_cost_is_renewed_at_the_next_sign_in(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = account(platform)
    before = _password_hash(account_id)
    monkeypatch.setattr(platform.passwords, "needs_rehash", lambda _hash: True)
    assert isinstance(authenticate(platform, "alice_1", code=send_code(platform)), Authenticated)
    after = _password_hash(account_id)
    assert after != before
    assert platform.passwords.verify(after, PASSWORD)


def _password_hash(account_id: str) -> str:
    with transaction() as session:
        found = account_rows.find_account(session, account_id)
        assert found is not None
        return found.password_hash


# --- known and unknown ---


def _watched(platform: Platform) -> tuple[Platform, WatchedStore, CountingHasher]:
    store, hasher = WatchedStore(platform.ephemeral), CountingHasher()
    return replace(platform, ephemeral=store, passwords=hasher), store, hasher


def test_known_and_unknown_identifiers_cause_the_same_work_until_both_are_locked(platform: Platform) -> None:
    account(platform)
    seen = []
    for identifier in ("alice_1", "nobody_1"):
        watched, store, hasher = _watched(platform)
        answers: list[object] = [authentication.send_login_code(watched, identifier, ORIGIN)]
        answers.append(authentication.send_login_code(watched, identifier, ORIGIN))
        answers += [authenticate(watched, identifier, WRONG) for _ in range(7)]
        seen.append((answers, store.verbs, hasher.verified))
    assert seen[0] == seen[1]
    assert seen[0][2] == 5


def test_known_and_unknown_identifiers_ask_the_database_alike(
    platform: Platform, assert_queries: AssertQueries
) -> None:
    account(platform)
    executed = []
    for identifier in ("alice_1", "nobody_1"):
        with assert_queries(2) as statements:
            authenticate(platform, identifier, WRONG)
        executed.append(statements)
    assert executed[0] == executed[1]


# --- locks ---


def test_the_fifth_failure_locks_and_the_right_credentials_do_not_open(platform: Platform) -> None:
    account(platform)
    code = send_code(platform)
    answers = [refusal(platform, "alice_1", WRONG, code) for _ in range(6)]
    assert answers == ["credentials_wrong"] * 4 + ["login_locked"] * 2
    outcome = authenticate(platform, "alice_1", PASSWORD, code)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "login_locked"
    assert outcome.problems[0].detail["minutes"] == 15
    assert [entry.result for entry in events(platform, "login:locked")] == ["login_locked"]


@pytest.mark.parametrize("identifier", ["nobody_1", "91990101MADEM0070A", "990101199001010027", "\x00"])
def test_an_unknown_identifier_locks_alike(platform: Platform, identifier: str) -> None:
    answers = [refusal(platform, identifier, WRONG) for _ in range(6)]
    assert answers == ["credentials_wrong"] * 4 + ["login_locked"] * 2


def test_wrong_passwords_and_wrong_codes_count_together(platform: Platform) -> None:
    account(platform)
    code = send_code(platform)
    wrong_code = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(2):
        refusal(platform, "alice_1", WRONG, code)
        refusal(platform, "alice_1", PASSWORD, wrong_code)
    assert refusal(platform, "alice_1", WRONG, code) == "login_locked"


def test_all_names_of_an_account_count_together(platform: Platform) -> None:
    give_identity(platform, account(platform), person())
    for identifier in ("alice_1", "990101199001010019") * 2:
        assert refusal(platform, identifier, WRONG) == "credentials_wrong"
    assert refusal(platform, "ALICE_1", WRONG) == "login_locked"


def test_of_many_wrong_passwords_at_once_exactly_five_are_looked_at(platform: Platform) -> None:
    account(platform)
    watched, _, hasher = _watched(platform)
    answers = at_once([partial(refusal, watched, "alice_1", WRONG)] * 12)
    assert hasher.verified == 5
    assert sorted(answers) == ["credentials_wrong"] * 4 + ["login_locked"] * 8


def test_a_success_forgets_the_failures(
    make_platform: Callable[..., Platform], moving_clock: MovableClock
) -> None:
    platform = make_platform(sms_fixed_code="246810")
    account(platform)
    send_code(platform)
    for _ in range(4):
        refusal(platform, "alice_1", WRONG)
    assert isinstance(authenticate(platform, "alice_1", code="246810"), Authenticated)
    assert [refusal(platform, "alice_1", WRONG) for _ in range(4)] == ["credentials_wrong"] * 4


def test_a_lock_ends_fifteen_minutes_after_the_fifth_failure(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    account(database_store)
    for _ in range(4):
        refusal(database_store, "alice_1", WRONG)
    moving_clock.advance(minutes=10)
    assert refusal(database_store, "alice_1", WRONG) == "login_locked"
    moving_clock.advance(minutes=14, seconds=59)
    outcome = authenticate(database_store, "alice_1", WRONG)
    assert isinstance(outcome, Refusal)
    assert outcome.problems[0].detail["minutes"] == 1
    moving_clock.advance(seconds=2)
    assert refusal(database_store, "alice_1", WRONG) == "credentials_wrong"


def test_failures_fifteen_minutes_apart_do_not_add_up(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    account(database_store)
    for _ in range(3):
        assert [refusal(database_store, "alice_1", WRONG) for _ in range(4)] == ["credentials_wrong"] * 4
        moving_clock.advance(minutes=15)


def test_fifty_failures_slow_an_address_to_one_try_in_five_seconds(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    platform = replace(database_store, passwords=CountingHasher())
    for number in range(50):
        assert refusal(platform, f"nobody_{number}", WRONG) == "credentials_wrong"
    assert refusal(platform, "nobody_50", WRONG) == "credentials_wrong"
    outcome = authenticate(platform, "nobody_51", WRONG)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.problems[0].detail["seconds"]) == ("address_slowed", 5)
    elsewhere = replace(ORIGIN, address="192.0.2.8")
    outcome = authentication.authenticate(platform, "nobody_51", WRONG, "", elsewhere)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "credentials_wrong"
    moving_clock.advance(seconds=5)
    assert refusal(platform, "nobody_51", WRONG) == "credentials_wrong"


def test_without_throttle_nothing_locks(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(throttle=False)
    account(platform)
    assert [refusal(platform, "alice_1", WRONG) for _ in range(8)] == ["credentials_wrong"] * 8
    assert isinstance(authenticate(platform, "alice_1", code=send_code(platform)), Authenticated)


def test_without_the_short_lived_store_nobody_signs_in_and_no_code_is_used_up(platform: Platform) -> None:
    account(platform)
    code = send_code(platform)
    lost = replace(platform, ephemeral=LostStore())
    assert refusal(lost, "alice_1", code=code) == "service_unavailable"
    outcome = authentication.send_login_code(lost, "alice_1", ORIGIN)
    assert outcome is not None
    assert outcome.code == "service_unavailable"
    assert isinstance(authenticate(platform, "alice_1", code=code), Authenticated)


def test_the_trail_tells_failures_without_what_was_typed(platform: Platform) -> None:
    give_identity(platform, account(platform), person())
    refusal(platform, "990101199001010019", WRONG, "123456")
    refusal(platform, "Secret#Password1", WRONG, "123456")
    entries = events(platform, "login:failure")
    assert [entry.detail["identifier"] for entry in entries] == ["99***", "SE***"]
    assert WRONG not in str(entries)


# --- logins ---


def test_a_login_is_found_by_its_token_with_what_its_account_says(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, enterprise())
    token, login = open_login(platform, account_id)
    found = authentication.find_login(platform, token)
    assert found == login
    assert found is not None
    assert (found.account_id, found.login_name) == (account_id, "alice_1")
    assert (found.subject_type, found.verification_status) == ("legal_person", "verified")
    assert found.legal_enterprise_id == found.default_enterprise_id is not None
    assert (found.acr, found.amr) == ("urn:gsp:acr:2fa", ("pwd", "sms", "mfa"))
    assert (found.address, found.user_agent) == ("192.0.2.7", "test browser")
    assert [entry.object_id for entry in events(platform, "login:success")] == [login.sid]


@pytest.mark.parametrize("token", ["", "x" * 43, "\x00", "\ud800"])
def test_an_unknown_token_is_no_login(platform: Platform, token: str) -> None:
    assert authentication.find_login(platform, token) is None


def test_finding_a_login_costs_one_statement(platform: Platform, assert_queries: AssertQueries) -> None:
    token, _ = open_login(platform, account(platform))
    with assert_queries(1):
        authentication.find_login(platform, token)


def test_being_seen_is_written_at_most_once_a_minute(
    database_store: Platform, moving_clock: MovableClock, assert_queries: AssertQueries
) -> None:
    token, login = open_login(database_store, account(database_store))
    moving_clock.advance(seconds=59)
    with assert_queries(1):
        authentication.find_login(database_store, token)
    moving_clock.advance(seconds=1)
    with assert_queries(2):
        authentication.find_login(database_store, token)
    with assert_queries(1):
        seen = authentication.find_login(database_store, token)
    assert seen is not None
    assert seen.last_seen_at == login.last_seen_at + timedelta(minutes=1)


def test_a_login_sleeps_when_idle_and_ends_after_eight_hours(
    platform: Platform, moving_clock: MovableClock
) -> None:
    token, login = open_login(platform, account(platform))
    while clock.now() + timedelta(minutes=29) < login.expires_at:
        moving_clock.advance(minutes=29)
        assert authentication.find_login(platform, token)
    moving_clock.advance(minutes=29)
    assert authentication.find_login(platform, token) is None
    assert authentication.list_logins(platform, login.account_id) == []
    idle_token, _ = open_login(platform, login.account_id)
    moving_clock.advance(minutes=30)
    assert authentication.find_login(platform, idle_token) is None


def test_a_login_of_an_account_frozen_meanwhile_is_none(platform: Platform) -> None:
    account_id = account(platform)
    token, _ = open_login(platform, account_id)
    with transaction() as session:
        account_rows.update_account(session, account_id, {"status": "frozen"})
    assert authentication.find_login(platform, token) is None


def test_signing_in_again_goes_on_under_the_same_sid_with_a_new_token(
    platform: Platform, moving_clock: MovableClock
) -> None:
    token, login = open_login(platform, account(platform))
    moving_clock.advance(minutes=5)
    again = signed_in(login.account_id)
    new_token, renewed = authentication.open_login(platform, again, ORIGIN, replaces=token)
    assert renewed.sid == login.sid
    assert renewed.auth_time == login.auth_time + 300
    assert renewed.created_at == login.created_at + timedelta(minutes=5)
    assert authentication.find_login(platform, token) is None
    assert authentication.find_login(platform, new_token) == renewed


@pytest.fixture
def ended_sessions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sids that authorizations were told of."""
    ended: list[str] = []
    monkeypatch.setattr(
        revocation, "end_session", lambda _session, _platform, sid, _reason, _now: ended.append(sid)
    )
    return ended


def test_another_persons_sign_in_ends_the_former_login(platform: Platform, ended_sessions: list[str]) -> None:
    token, former = open_login(platform, account(platform))
    other = signed_in(account(platform, "bob_12", OTHER_PHONE))
    _, login = authentication.open_login(platform, other, ORIGIN, replaces=token)
    assert login.sid != former.sid
    assert authentication.find_login(platform, token) is None
    assert ended_sessions == [former.sid]
    assert events(platform, "login:logout")[0].detail["reason"] == "replaced"


def test_an_ended_or_unknown_token_replaces_nothing(platform: Platform, ended_sessions: list[str]) -> None:
    token, former = open_login(platform, account(platform))
    authentication.end_login(platform, former.sid, ORIGIN, "logout")
    for replaced in (token, "x" * 43):
        _, login = authentication.open_login(
            platform, signed_in(former.account_id), ORIGIN, replaces=replaced
        )
        assert login.sid != former.sid
    assert ended_sessions == [former.sid]


def test_ending_a_login_ends_what_rests_on_it_once(platform: Platform, ended_sessions: list[str]) -> None:
    token, login = open_login(platform, account(platform))
    at_once([partial(authentication.end_login, platform, login.sid, ORIGIN, "logout")] * 3)
    assert authentication.find_login(platform, token) is None
    assert ended_sessions == [login.sid]
    (entry,) = events(platform, "login:logout")
    assert (entry.object_id, entry.detail["reason"]) == (login.sid, "logout")


def test_ending_an_unknown_login_does_nothing(platform: Platform, ended_sessions: list[str]) -> None:
    authentication.end_login(platform, "unknown", ORIGIN, "logout")
    assert (ended_sessions, events(platform)) == ([], [])


def test_logins_are_listed_the_latest_first_and_only_ones_own(
    platform: Platform, moving_clock: MovableClock
) -> None:
    account_id = account(platform)
    _, first = open_login(platform, account_id)
    moving_clock.advance(minutes=1)
    _, second = open_login(platform, account_id)
    open_login(platform, account(platform, "bob_12", OTHER_PHONE))
    assert authentication.list_logins(platform, account_id) == [second, first]


def test_the_worker_ends_logins_that_are_eight_hours_old(
    platform: Platform, moving_clock: MovableClock, ended_sessions: list[str]
) -> None:
    _, old = open_login(platform, account(platform))
    moving_clock.advance(hours=7)
    _, young = open_login(platform, old.account_id)
    moving_clock.advance(hours=1)
    assert authentication.end_expired_logins(platform, clock.now(), ORIGIN) == 1
    assert authentication.end_expired_logins(platform, clock.now(), ORIGIN) == 0
    assert ended_sessions == [old.sid]
    assert young.sid not in ended_sessions


def test_the_token_is_stored_as_a_hash_only(platform: Platform) -> None:
    token, _ = open_login(platform, account(platform))
    with reading() as session:
        row = session.execute(account_rows.logins.select()).one()
    assert token not in str(row)


def test_limits_are_those_of_the_contract() -> None:
    assert rules.FAILURES_TO_LOCK == 5
    assert rules.LOCK_TTL == rules.FAILURE_WINDOW == timedelta(minutes=15)
    assert rules.ADDRESS_FAILURES_TO_SLOW == 50
    assert rules.SMS_CODE_TRIES == 5
