from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from PIL import Image

from idp import clock
from idp.domain.errors import Refusal
from idp.services import (
    authentication,
    identity_consent,
    outbox,
    passwords,
    personal_data,
    phone_change_applications,
    phone_change_reviews,
    phone_changes,
    recovery,
    scan_retention,
)
from idp.services.phone_change_reviews import PhoneChangeView, ScanView
from idp.services.platform import Platform
from idp.services.scans import Scan
from idp.storage import accounts as account_rows
from idp.storage.database import transaction
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PASSWORD,
    PHONE,
    CountingHasher,
    LostStore,
    WatchedStore,
    account,
    enterprise,
    events,
    give_identity,
    open_login,
    person,
)

NEW_PHONE = "19900000777"
FORM = {
    "identifier": "alice_1",
    "real_name": "李测试",
    "document_number": "990101199001010019",
    "explanation": "手机遗失，号码已停机",
}


def scan() -> Scan:
    content = io.BytesIO()
    Image.new("RGB", (60, 40), "#bbccdd").save(content, "PNG")
    return Scan("document_scan", "both sides.png", content.getvalue())


def apply(platform: Platform, password: str = PASSWORD, phone: str = NEW_PHONE, **changes: str) -> str:
    refusal = phone_change_applications.apply(platform, FORM | changes, scan(), password, phone, ORIGIN)
    return refusal.code if refusal else "applied"


@pytest.fixture
def alice(platform: Platform) -> str:
    """A verified person's account."""
    account_id = account(platform)
    give_identity(platform, account_id, person(FORM["document_number"]))
    return account_id


@pytest.fixture
def reviewer(platform: Platform) -> str:
    """An administrator's account."""
    account_id = account(platform, "admin_1", "19900000009")
    with transaction() as session:
        account_rows.update_account(session, account_id, {"platform_role": "administrator"})
    return account_id


def pending(platform: Platform) -> PhoneChangeView:
    [summary] = phone_change_reviews.list_pending(platform, 1)
    view = phone_change_reviews.get(platform, summary.id)
    assert isinstance(view, PhoneChangeView)
    return view


def decide(platform: Platform, actor: str, decision: str, reason: str = "", change_id: str = "") -> str:
    change_id = change_id or pending(platform).id
    refusal = phone_change_reviews.decide(platform, change_id, decision, reason, actor, ORIGIN)
    return refusal.code if refusal else "decided"


def told(platform: Platform, number: int = 2) -> set[tuple[str, str]]:
    return {(message.phone, message.purpose) for message in outbox.list_recent_sms(platform, number)}


# --- applying ---


def test_an_application_waits_for_a_reviewer_and_both_phones_are_told(platform: Platform, alice: str) -> None:
    assert apply(platform) == "applied"
    assert phone_change_reviews.count_pending(platform) == 1
    view = pending(platform)
    assert (view.login_name, view.real_name, view.document_number) == (
        "alice_1",
        "李测试",
        FORM["document_number"],
    )
    assert (view.former_phone, view.phone) == ("199****0001", "199****0777")
    assert told(platform) == {(PHONE, "phone_change_applied"), (NEW_PHONE, "phone_change_received")}
    [entry] = events(platform, "phone_change:apply")
    assert (entry.account_id, entry.object_id, entry.result) == (alice, view.id, "success")
    assert NEW_PHONE not in str(entry.detail)


def test_an_enterprise_is_proved_by_its_legal_representative(platform: Platform) -> None:
    legal = account(platform, "legal_1", OTHER_PHONE)
    give_identity(platform, legal, enterprise())
    theirs = {
        "identifier": "91990101MADEM0046R",
        "real_name": "王测试",
        "document_number": "990101198506150012",
    }
    assert apply(platform, **theirs) == "applied"
    assert pending(platform).enterprises == ("测试汽车有限公司",)


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "nobody_1"},
        {"password": "Wrong#2026pass"},
        {"real_name": "王测试"},
        {"document_number": "990101198506150012"},
    ],
)
def test_whatever_is_wrong_is_answered_alike(platform: Platform, alice: str, changes: dict[str, str]) -> None:
    assert apply(platform, **changes) == "details_wrong"
    assert phone_change_reviews.count_pending(platform) == 0
    assert events(platform, "phone_change:apply")[0].result == "details_wrong"


def test_an_unverified_account_has_nothing_to_compare(platform: Platform) -> None:
    account(platform)
    assert apply(platform) == "details_wrong"


def test_wrong_details_lock_as_failed_sign_ins_do(platform: Platform, alice: str) -> None:
    answers = [apply(platform, "Wrong#2026pass") for _ in range(6)]
    assert answers == ["details_wrong"] * 4 + ["login_locked"] * 2
    assert apply(platform) == "login_locked"


def test_known_and_unknown_accounts_cause_the_same_work(
    platform: Platform, alice: str, assert_queries: AssertQueries
) -> None:
    seen = []
    for identifier in ("alice_1", "nobody_1"):
        store, hasher = WatchedStore(platform.ephemeral), CountingHasher()
        watched = replace(platform, ephemeral=store, passwords=hasher)
        with assert_queries(4) as statements:
            answer = apply(watched, "Wrong#2026pass", identifier=identifier)
        seen.append((answer, store.verbs, hasher.verified, statements))
    assert seen[0] == seen[1]


def test_everything_wrong_with_the_form_is_named_at_once(platform: Platform) -> None:
    refusal = phone_change_applications.apply(
        platform, {}, Scan("document_scan", "", b""), "", NEW_PHONE, ORIGIN
    )
    assert refusal is not None
    fields = [problem.field for problem in refusal.problems]
    assert fields == [*FORM, "password", "document_scan"]


def test_a_number_of_another_account_is_refused(platform: Platform, alice: str) -> None:
    account(platform, "bob_12", OTHER_PHONE)
    assert apply(platform, phone=OTHER_PHONE) == "phone_taken"


def test_one_application_waits_at_a_time(platform: Platform, alice: str) -> None:
    assert sorted(at_once([partial(apply, platform)] * 2)) == ["application_pending", "applied"]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_the_short_lived_store_nothing_is_queued(platform: Platform, alice: str) -> None:
    assert apply(replace(platform, ephemeral=LostStore())) == "service_unavailable"


def test_a_frozen_account_is_told_so_only_with_everything_right(platform: Platform, alice: str) -> None:
    with transaction() as session:
        account_rows.update_account(session, alice, {"status": "frozen"})
    assert apply(platform, "Wrong#2026pass") == "details_wrong"
    assert apply(platform) == "account_frozen"


def test_a_sleeping_account_may_apply(platform: Platform, alice: str) -> None:
    with transaction() as session:
        account_rows.update_account(session, alice, {"status": "dormant"})
    assert apply(platform) == "applied"


def test_a_temporary_password_proves_as_long_as_it_works(
    platform: Platform, alice: str, moving_clock: MovableClock
) -> None:
    temporary = passwords.give_temporary(platform, alice, ORIGIN)
    moving_clock.advance(hours=24)
    assert apply(platform, temporary) == "details_wrong"
    moving_clock.advance(seconds=-1)
    assert apply(platform, temporary) == "applied"


# --- objecting ---


def test_the_holder_sees_an_application_and_can_stop_it(
    platform: Platform, alice: str, reviewer: str
) -> None:
    apply(platform)
    seen = phone_change_applications.find_pending(platform, alice)
    assert seen is not None
    assert seen.phone == "199****0777"
    change_id = pending(platform).id
    assert phone_change_applications.withdraw(platform, alice, ORIGIN) is None
    assert phone_change_applications.find_pending(platform, alice) is None
    assert decide(platform, reviewer, "approve", change_id=change_id) == "application_decided"
    refusal = phone_change_applications.withdraw(platform, alice, ORIGIN)
    assert isinstance(refusal, Refusal)
    assert told(platform, 1) == {(NEW_PHONE, "phone_change_rejected")}
    assert len(events(platform, "phone_change:withdraw")) == 1
    assert apply(platform) == "applied"


def test_whoever_still_has_the_old_phone_stops_an_application_by_using_it(
    platform: Platform, alice: str
) -> None:
    apply(platform)
    recovery.reset(platform, alice, "Fresh#2026pass", ORIGIN)
    assert phone_change_applications.find_pending(platform, alice) is None
    assert apply(platform, "Fresh#2026pass") == "applied"
    phone_changes.send_code(platform, "19900000778", ORIGIN)
    code = str(outbox.list_recent_sms(platform, 1)[0].code)
    assert phone_changes.change(platform, alice, "19900000778", code, ORIGIN, "") is None
    assert phone_change_applications.find_pending(platform, alice) is None
    assert len(events(platform, "phone_change:withdraw")) == 2


# --- deciding ---


def test_approval_binds_the_phone_and_ends_every_login(platform: Platform, alice: str, reviewer: str) -> None:
    token, _ = open_login(platform, alice)
    apply(platform)
    assert decide(platform, reviewer, "approve") == "decided"
    assert authentication.find_login(platform, token) is None
    assert told(platform) == {(PHONE, "phone_changed"), (NEW_PHONE, "phone_bound")}
    [entry] = events(platform, "phone_change:approve")
    assert (entry.account_id, entry.detail["applicant"]) == (reviewer, alice)
    assert len(events(platform, "account:phone_change")) == 1
    authentication.send_login_code(platform, "alice_1", ORIGIN)
    assert outbox.list_recent_sms(platform, 1)[0].phone == NEW_PHONE


def test_rejection_has_a_reason_and_changes_nothing(platform: Platform, alice: str, reviewer: str) -> None:
    apply(platform)
    change_id = pending(platform).id
    assert decide(platform, reviewer, "reject") == "required"
    assert decide(platform, reviewer, "later") == "decision_unknown"
    assert decide(platform, reviewer, "reject", "证件不清晰") == "decided"
    assert told(platform, 1) == {(NEW_PHONE, "phone_change_rejected")}
    view = phone_change_reviews.get(platform, change_id)
    assert isinstance(view, PhoneChangeView)
    assert (view.status, view.reason, view.former_phone) == ("rejected", "证件不清晰", "199****0001")
    assert decide(platform, reviewer, "approve", change_id=change_id) == "application_decided"


def test_only_an_administrator_decides_and_not_of_the_own_account(
    platform: Platform, alice: str, reviewer: str
) -> None:
    apply(platform)
    assert decide(platform, account(platform, "bob_12", OTHER_PHONE), "approve") == "not_permitted"
    with transaction() as session:
        account_rows.update_account(session, alice, {"platform_role": "administrator"})
    assert decide(platform, alice, "approve") == "not_permitted"
    assert decide(platform, reviewer, "approve", change_id="nothing") == "not_found"
    assert isinstance(phone_change_reviews.get(platform, "nothing"), Refusal)


def test_of_two_decisions_at_once_one_counts(platform: Platform, alice: str, reviewer: str) -> None:
    apply(platform)
    change_id = pending(platform).id
    calls: list[Callable[[], str]] = [
        partial(decide, platform, reviewer, "approve", change_id=change_id),
        partial(decide, platform, reviewer, "reject", "不符", change_id=change_id),
    ]
    assert sorted(at_once(calls)) == ["application_decided", "decided"]


def test_a_number_that_another_account_has_got_meanwhile_is_refused(
    platform: Platform, alice: str, reviewer: str
) -> None:
    apply(platform)
    account(platform, "bob_12", NEW_PHONE)
    assert decide(platform, reviewer, "approve") == "phone_taken"
    assert pending(platform).status == "pending"


def test_an_account_that_acts_for_an_enterprise_has_a_day_to_object(
    platform: Platform, reviewer: str, moving_clock: MovableClock
) -> None:
    legal = account(platform, "legal_1", OTHER_PHONE)
    give_identity(platform, legal, enterprise())
    theirs = {"identifier": "legal_1", "real_name": "王测试", "document_number": "990101198506150012"}
    assert apply(platform, **theirs) == "applied"
    production = replace(platform, settings=replace(platform.settings, env="production"))
    moving_clock.advance(hours=24, seconds=-1)
    assert decide(production, reviewer, "approve") == "objection_period"
    moving_clock.advance(seconds=1)
    assert decide(production, reviewer, "approve") == "decided"


def test_an_administrators_account_has_a_day_to_object_as_well(
    platform: Platform, alice: str, reviewer: str
) -> None:
    with transaction() as session:
        account_rows.update_account(session, alice, {"platform_role": "administrator"})
    apply(platform)
    production = replace(platform, settings=replace(platform.settings, env="production"))
    assert decide(production, reviewer, "approve") == "objection_period"
    assert pending(platform).is_administrator


# --- the document ---


def test_the_document_is_seen_by_administrators_each_time_on_record(
    platform: Platform, alice: str, reviewer: str
) -> None:
    apply(platform)
    change_id = pending(platform).id
    seen = phone_change_reviews.get_scan(platform, change_id, reviewer, ORIGIN)
    assert isinstance(seen, ScanView)
    assert seen.content_type == "image/png"
    assert seen.content.startswith(b"\x89PNG")
    assert isinstance(phone_change_reviews.get_scan(platform, change_id, alice, ORIGIN), Refusal)
    [entry] = events(platform, "upload:view")
    assert (entry.account_id, entry.object_id) == (reviewer, change_id)


def test_the_document_is_deleted_a_while_after_the_decision(
    platform: Platform, alice: str, reviewer: str
) -> None:
    apply(platform)
    change_id = pending(platform).id
    decide(platform, reviewer, "reject", "不符")
    scan_retention.purge(platform, clock.now() + timedelta(days=29), ORIGIN)
    assert isinstance(phone_change_reviews.get_scan(platform, change_id, reviewer, ORIGIN), ScanView)
    scan_retention.purge(platform, clock.now() + timedelta(days=31), ORIGIN)
    assert isinstance(phone_change_reviews.get_scan(platform, change_id, reviewer, ORIGIN), Refusal)
    view = phone_change_reviews.get(platform, change_id)
    assert isinstance(view, PhoneChangeView)
    assert view.scan_content_type is None


def test_the_holder_gets_to_know_of_every_application(platform: Platform, alice: str) -> None:
    apply(platform)
    [told] = personal_data.look(platform, alice).sections["phone_changes"]
    assert (told["phone"], told["status"], told["decided_at"]) == ("199****0777", "pending", None)


def test_with_the_consent_for_the_identity_the_application_goes(
    platform: Platform, alice: str, reviewer: str
) -> None:
    apply(platform)
    assert identity_consent.withdraw(platform, alice, ORIGIN) is None
    assert phone_change_reviews.list_pending(platform, 1) == []


def test_a_waiting_document_stays(platform: Platform, alice: str) -> None:
    apply(platform)
    scan_retention.purge(platform, clock.now() + timedelta(days=99), ORIGIN)
    assert pending(platform).scan_content_type == "image/png"
    assert phone_changes.refuse_taken(platform, NEW_PHONE) is None
