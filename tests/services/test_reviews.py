from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image
from sqlalchemy import select

from idp.domain.audit import AuditEvent
from idp.services import audit, outbox, real_name
from idp.services.platform import Platform
from idp.services.real_name import Submission, UploadView
from idp.services.registry import DemonstrationRegistry
from idp.services.reviews import PAGE_SIZE
from idp.storage.accounts import Account
from idp.storage.database import transaction
from idp.storage.enterprises import Enterprise
from tests.people import ORIGIN, add_account
from tests.services.conftest import MovableClock, at_once
from tests.services.submissions import (
    People,
    account_of,
    add_people,
    code,
    count,
    decide,
    enterprise,
    person,
    review,
    submitted,
)


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return replace(make_platform(), registry=DemonstrationRegistry())


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


@pytest.mark.parametrize("submission", [person(manual=True), enterprise(manual=True)])
def test_an_approval_has_the_effects_of_a_match(
    platform: Platform, people: People, submission: Submission
) -> None:
    submitted(platform, people.other, replace(submission, manual=False))
    matched = account_of(people.other)
    with transaction() as session:  # make room: the same identity comes again
        for row in session.scalars(select(Enterprise)):
            session.delete(row)
        session.get_one(Account, people.other).document_index = None
    outcome = submitted(platform, people.applicant, submission)
    decide(platform, people, outcome.application_id, "approve", None)
    approved = account_of(people.applicant)
    for column in ("subject_type", "verification_status", "document_type", "document_index"):
        assert getattr(approved, column) == getattr(matched, column), column
    assert bool(approved.default_enterprise_id) is bool(matched.default_enterprise_id)
    view = review(platform, outcome.application_id)
    assert (view.status, view.reason) == ("approved", None)


def test_a_rejection_gives_its_reason_and_one_may_submit_again(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    outcome = submitted(platform, people.applicant, person(manual=True))
    decide(platform, people, outcome.application_id, "reject", "扫描件不清晰")
    assert account_of(people.applicant).verification_status == "rejected"
    latest = real_name.latest(platform, people.applicant)
    assert latest is not None
    assert (latest.status, latest.reason) == ("rejected", "扫描件不清晰")
    moving_clock.advance(minutes=5)
    assert submitted(platform, people.applicant, person(manual=True)).status == "pending"
    latest = real_name.latest(platform, people.applicant)
    assert latest is not None
    assert latest.reason is None


@pytest.mark.parametrize(("decision", "reason"), [("approve", None), ("reject", "扫描件不清晰")])
def test_the_applicant_is_told_by_sms(
    platform: Platform, people: People, decision: str, reason: str | None
) -> None:
    outcome = submitted(platform, people.applicant, person(manual=True))
    decide(platform, people, outcome.application_id, decision, reason)
    (message,) = outbox.list_recent_sms(platform)
    phone = platform.keyring.fields.decrypt(account_of(people.applicant).phone_encrypted, "accounts.phone")
    assert message.phone == phone
    assert "applicant" in message.text
    assert "990101" not in message.text


def test_a_rejection_needs_a_reason(platform: Platform, people: People) -> None:
    application_id = submitted(platform, people.applicant, person(manual=True)).application_id
    refusal = real_name.decide(platform, application_id, "reject", " ", people.admin, ORIGIN)
    assert code(refusal) == "required"
    assert review(platform, application_id).status == "pending"


def test_a_submission_is_decided_once(platform: Platform, people: People) -> None:
    application_id = submitted(platform, people.applicant, person(manual=True)).application_id
    decide(platform, people, application_id, "approve", None)
    for decision in ("approve", "reject"):
        refusal = real_name.decide(platform, application_id, decision, "理由", people.admin, ORIGIN)
        assert code(refusal) == "application_decided"
    assert account_of(people.applicant).verification_status == "verified"


def test_only_an_administrator_decides_and_never_about_himself(platform: Platform, people: People) -> None:
    application_id = submitted(platform, people.applicant, person(manual=True)).application_id
    for actor in (people.applicant, people.other, "nobody"):
        refusal = real_name.decide(platform, application_id, "approve", None, actor, ORIGIN)
        assert code(refusal) == "not_permitted"
    own = submitted(platform, people.admin, enterprise(manual=True)).application_id
    assert code(real_name.decide(platform, own, "approve", None, people.admin, ORIGIN)) == "not_permitted"
    assert code(real_name.decide(platform, "nothing", "approve", None, people.admin, ORIGIN)) == "not_found"


def test_an_approval_comes_too_late_when_the_enterprise_is_taken(platform: Platform, people: People) -> None:
    waiting = submitted(platform, people.other, enterprise(manual=True)).application_id
    submitted(platform, people.applicant, enterprise())
    refusal = real_name.decide(platform, waiting, "approve", None, people.admin, ORIGIN)
    assert code(refusal) == "enterprise_taken"
    assert review(platform, waiting).status == "pending"
    decide(platform, people, waiting, "reject", "该企业已有法人账号")


def test_two_approvals_at_once_for_one_enterprise_exactly_one_wins(
    platform: Platform, people: People
) -> None:
    waiting = [
        submitted(platform, account, enterprise(manual=True)).application_id
        for account in (people.applicant, people.other)
    ]
    answers = at_once(
        [
            lambda: real_name.decide(platform, waiting[0], "approve", None, people.admin, ORIGIN),
            lambda: real_name.decide(platform, waiting[1], "approve", None, people.admin, ORIGIN),
        ]
    )
    assert [answer.code for answer in answers if answer] == ["enterprise_taken"]
    assert sorted(review(platform, identifier).status for identifier in waiting) == ["approved", "pending"]
    assert count(Enterprise) == 1


def test_the_trail_names_no_identity(platform: Platform, people: People) -> None:
    application_id = submitted(platform, people.applicant, person(manual=True)).application_id
    decide(platform, people, application_id, "approve", None)
    entries = audit.list_entries(platform)
    assert [(entry.event, entry.account_id) for entry in entries] == [
        (AuditEvent.REAL_NAME_APPROVE, people.admin),
        (AuditEvent.REAL_NAME_SUBMIT, people.applicant),
    ]
    assert {entry.object_id for entry in entries} == {application_id}
    trail = json.dumps([dict(entry.detail) for entry in entries], ensure_ascii=False)
    assert "990101" not in trail
    assert "李示例" not in trail


def test_a_reviewer_sees_form_scans_and_warnings(platform: Platform, people: People) -> None:
    submission = enterprise(manual=True, legal_person_type="foundation")
    application_id = submitted(platform, people.applicant, submission).application_id
    view = review(platform, application_id)
    assert (view.login_name, view.subject_name) == ("applicant", "演示汽车科技有限公司")
    assert view.fields == submission.fields
    assert [scan.purpose for scan in view.scans] == ["document_scan", "licence_scan"]
    assert view.warnings == ("legal_person_type_unlikely",)
    assert code(real_name.get_review(platform, "nothing")) == "not_found"


def test_lists_show_no_personal_data_beyond_the_name(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, person(manual=True))
    (row,) = real_name.list_pending(platform, 1)
    latest = real_name.latest(platform, people.applicant)
    assert row == latest
    assert (row.subject_name, dict(row.fields), row.scans) == ("李示例", {}, ())
    assert real_name.latest(platform, people.other) is None


def test_the_queue_comes_in_pages_oldest_first(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    names = [f"queue_{number:02}" for number in range(PAGE_SIZE + 1)]
    with transaction() as session:
        ids = [add_account(session, platform.keyring.fields, name).id for name in names]
    for number, account_id in enumerate(ids):
        moving_clock.advance(seconds=1)
        passport = person(manual=True, document_type="passport", document_number=f"E000000{number:02}")
        submitted(platform, account_id, passport)
    assert [row.login_name for row in real_name.list_pending(platform, 1)] == names[:PAGE_SIZE]
    assert [row.login_name for row in real_name.list_pending(platform, 2)] == names[PAGE_SIZE:]
    assert real_name.list_pending(platform, 3) == []
    assert real_name.list_pending(platform, -1) == real_name.list_pending(platform, 1)
    assert real_name.count_pending(platform) == PAGE_SIZE + 1


def test_an_administrator_sees_a_scan_and_the_trail_says_so(platform: Platform, people: People) -> None:
    application_id = submitted(platform, people.applicant, person(manual=True)).application_id
    (scan,) = review(platform, application_id).scans
    upload = real_name.get_upload(platform, scan.id, people.admin, ORIGIN)
    assert isinstance(upload, UploadView)
    assert (upload.content_type, len(upload.content)) == ("image/png", scan.size)
    with Image.open(io.BytesIO(upload.content)) as image:
        assert image.size == (30, 20)
    entry = audit.list_entries(platform)[0]
    assert (entry.event, entry.account_id, entry.object_id) == (AuditEvent.UPLOAD_VIEW, people.admin, scan.id)


def test_nobody_else_sees_a_scan(platform: Platform, people: People) -> None:
    application_id = submitted(platform, people.applicant, person(manual=True)).application_id
    (scan,) = review(platform, application_id).scans
    for actor in (people.applicant, people.other, "nobody"):
        assert code(real_name.get_upload(platform, scan.id, actor, ORIGIN)) == "not_found"
    assert code(real_name.get_upload(platform, "nothing", people.admin, ORIGIN)) == "not_found"
    assert AuditEvent.UPLOAD_VIEW not in [entry.event for entry in audit.list_entries(platform)]
