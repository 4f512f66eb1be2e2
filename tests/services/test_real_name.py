from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from PIL import Image
from sqlalchemy import func, select

from idp.domain.audit import AuditEvent
from idp.domain.errors import Refusal
from idp.services import audit, outbox, real_name
from idp.services.platform import Platform
from idp.services.real_name import ReviewView, Submission, SubmissionOutcome, UploadView
from idp.services.registry import DemonstrationRegistry, ManualRegistry
from idp.services.reviews import PAGE_SIZE
from idp.services.scans import Scan
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise, RealNameApplication, Upload
from tests.people import LI, ORIGIN, add_account, add_enterprise, add_person
from tests.services.conftest import MovableClock, at_once

PERSON: Final = {
    "real_name": "李示例",
    "document_type": "id_card",
    "document_number": "990101199001010027",
    "address": "示例市演示区样板路1号",
    "valid_from": "2020-01-01",
    "valid_until": "2040-01-01",
}
ENTERPRISE: Final = {
    "organization_type": "limited_company",
    "enterprise_credit_code": "91990101MADEM0038Y",
    "enterprise_name": "演示汽车科技有限公司",
    "legal_person_type": "enterprise",
    "representative_name": "张示例",
    "representative_document_type": "id_card",
    "representative_document_number": "990101197812310016",
    "address": "示例市演示区样板路1号",
}


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "navy").save(buffer, "PNG")
    return buffer.getvalue()


PNG: Final = _png()
SCANS: Final = (Scan("document_scan", "both-sides.png", PNG), Scan("licence_scan", "licence.png", PNG))


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return replace(make_platform(), registry=DemonstrationRegistry())


@dataclass
class People:
    """The ids of the accounts that take part."""

    applicant: str
    other: str
    admin: str


@pytest.fixture
def people(platform: Platform) -> People:
    cipher = platform.keyring.fields
    with transaction() as session:
        return People(
            add_account(session, cipher, "applicant").id,
            add_account(session, cipher, "other").id,
            add_account(session, cipher, "the_admin", platform_role="administrator").id,
        )


def person(manual: bool = False, **changes: str) -> Submission:
    extra = {"explanation": "姓名用字系统中没有"} if manual else {}
    return Submission("natural_person", {**PERSON, **extra, **changes}, SCANS[:1], manual)


def enterprise(manual: bool = False, **changes: str) -> Submission:
    extra = {"explanation": "登记信息尚未更新"} if manual else {}
    return Submission("legal_person", {**ENTERPRISE, **extra, **changes}, SCANS, manual)


def submit(platform: Platform, account_id: str, submission: Submission) -> SubmissionOutcome | Refusal:
    return real_name.submit(platform, account_id, submission, ORIGIN)


def submitted(platform: Platform, account_id: str, submission: Submission) -> SubmissionOutcome:
    outcome = submit(platform, account_id, submission)
    assert isinstance(outcome, SubmissionOutcome), outcome
    return outcome


def code(result: object) -> str:
    assert isinstance(result, Refusal), result
    return result.code


def account_of(account_id: str) -> Account:
    with reading() as session:
        return session.get_one(Account, account_id)


def count(row: type[Any]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def review(platform: Platform, application_id: str) -> ReviewView:
    view = real_name.get_review(platform, application_id)
    assert isinstance(view, ReviewView)
    return view


def decide(
    platform: Platform, people: People, application_id: str, decision: str, reason: str | None
) -> None:
    refusal = real_name.decide(platform, application_id, decision, reason, people.admin, ORIGIN)
    assert refusal is None, refusal


def test_a_match_makes_a_verified_natural_person_at_once(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    assert submitted(platform, people.applicant, person()).status == "approved"
    account, fields = account_of(people.applicant), platform.keyring.fields
    assert (account.subject_type, account.verification_status) == ("natural_person", "verified")
    assert account.verified_at == moving_clock.moment
    assert account.document_type == "id_card"
    assert fields.decrypt(account.real_name_encrypted or "", "accounts.real_name") == "李示例"
    sealed = account.document_number_encrypted or ""
    assert fields.decrypt(sealed, "accounts.document_number") == "990101199001010027"
    assert fields.decrypt(account.address_encrypted or "", "accounts.address") == PERSON["address"]


def test_a_match_makes_a_legal_person_account_at_once(platform: Platform, people: People) -> None:
    assert submitted(platform, people.applicant, enterprise()).status == "approved"
    account, fields = account_of(people.applicant), platform.keyring.fields
    with reading() as session:
        row = session.scalars(select(Enterprise)).one()
    assert (account.subject_type, account.verification_status) == ("legal_person", "verified")
    assert account.default_enterprise_id == row.id
    assert row.legal_account_id == account.id
    assert (row.enterprise_credit_code, row.enterprise_name) == ("91990101MADEM0038Y", "演示汽车科技有限公司")
    assert row.status == "active"
    name = fields.decrypt(row.representative_name_encrypted, "enterprises.representative_name")
    number = fields.decrypt(
        row.representative_document_number_encrypted, "enterprises.representative_document_number"
    )
    assert (name, number) == ("张示例", "990101197812310016")


def test_the_representative_remains_free_to_be_a_natural_person(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, enterprise())
    as_person = person(real_name="张示例", document_number="990101197812310016")
    assert submitted(platform, people.other, as_person).status == "approved"


@pytest.mark.parametrize("submission", [person(real_name="李例示"), enterprise(representative_name="章示例")])
def test_a_mismatch_is_refused_and_only_the_trail_knows(
    platform: Platform, people: People, submission: Submission
) -> None:
    assert code(submit(platform, people.applicant, submission)) == "registry_mismatch"
    assert account_of(people.applicant).verification_status == "unverified"
    assert (count(RealNameApplication), count(Upload), count(Enterprise)) == (0, 0, 0)
    (entry,) = audit.list_entries(platform)
    assert (entry.event, entry.result) == (AuditEvent.REAL_NAME_SUBMIT, "registry_mismatch")


def test_a_manual_submission_waits_for_a_reviewer(platform: Platform, people: People) -> None:
    outcome = submitted(platform, people.applicant, person(manual=True))
    assert outcome.status == "pending"
    account = account_of(people.applicant)
    assert (account.subject_type, account.verification_status) == (None, "pending")
    latest = real_name.latest(platform, people.applicant)
    assert latest is not None
    assert (latest.id, latest.status, latest.manual) == (outcome.application_id, "pending", True)


def test_what_the_registry_cannot_tell_waits_for_a_reviewer(platform: Platform, people: People) -> None:
    manual = replace(platform, registry=ManualRegistry())
    assert submitted(manual, people.applicant, person()).status == "pending"
    assert submitted(manual, people.other, enterprise()).status == "pending"


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


def test_an_enterprise_has_one_legal_person_account(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, enterprise())
    for manual in (False, True):
        assert code(submit(platform, people.other, enterprise(manual=manual))) == "enterprise_taken"
    assert account_of(people.other).verification_status == "unverified"


def test_a_document_belongs_to_one_natural_person(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, person())
    for manual in (False, True):
        assert code(submit(platform, people.other, person(manual=manual))) == "document_taken"


def test_an_approval_comes_too_late_when_the_enterprise_is_taken(platform: Platform, people: People) -> None:
    waiting = submitted(platform, people.other, enterprise(manual=True)).application_id
    submitted(platform, people.applicant, enterprise())
    refusal = real_name.decide(platform, waiting, "approve", None, people.admin, ORIGIN)
    assert code(refusal) == "enterprise_taken"
    assert review(platform, waiting).status == "pending"
    decide(platform, people, waiting, "reject", "该企业已有法人账号")


def test_two_accounts_at_once_for_one_enterprise_exactly_one_wins(platform: Platform, people: People) -> None:
    outcomes = at_once(
        [
            lambda: submit(platform, people.applicant, enterprise()),
            lambda: submit(platform, people.other, enterprise()),
        ]
    )
    assert sorted(isinstance(outcome, Refusal) for outcome in outcomes) == [False, True]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)] == ["enterprise_taken"]
    assert (count(Enterprise), count(RealNameApplication), count(Upload)) == (1, 1, 2)


def test_two_accounts_at_once_for_one_document_exactly_one_wins(platform: Platform, people: People) -> None:
    outcomes = at_once(
        [
            lambda: submit(platform, people.applicant, person()),
            lambda: submit(platform, people.other, person()),
        ]
    )
    assert sorted(isinstance(outcome, Refusal) for outcome in outcomes) == [False, True]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)] == ["document_taken"]
    assert count(RealNameApplication) == 1


@pytest.mark.parametrize(
    ("submission", "expected"),
    [(person(), "already_verified"), (person(manual=True), "application_pending")],
)
def test_one_account_submitting_twice_at_once_has_one_submission(
    platform: Platform, people: People, submission: Submission, expected: str
) -> None:
    outcomes = at_once([lambda: submit(platform, people.applicant, submission)] * 2)
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)]
    assert codes == [expected]
    assert count(RealNameApplication) == 1


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


def test_an_account_that_is_an_enterprise_is_no_person_too(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, enterprise())
    assert code(submit(platform, people.applicant, person())) == "already_verified"


def test_every_problem_of_form_and_files_is_told_at_once(platform: Platform, people: People) -> None:
    wrong = Submission(
        "legal_person",
        {**ENTERPRISE, "enterprise_credit_code": "91990101MADEM00118", "address": ""},
        (Scan("document_scan", "scan.png", b"not a picture"),),
        manual=True,
    )
    result = submit(platform, people.applicant, wrong)
    assert isinstance(result, Refusal)
    assert {(problem.code, problem.field) for problem in result.problems} == {
        ("uscc_invalid", "enterprise_credit_code"),
        ("required", "address"),
        ("required", "explanation"),
        ("scan_type_unknown", "document_scan"),
        ("required", "licence_scan"),
    }
    assert (count(RealNameApplication), audit.list_entries(platform)) == (0, [])


def test_an_unknown_subject_type_is_refused(platform: Platform, people: People) -> None:
    assert code(submit(platform, people.applicant, Submission("robot", {}, (), manual=False))) == (
        "choice_unknown"
    )


def test_a_test_identity_is_refused_where_it_is_not_allowed(
    make_platform: Callable[..., Platform], people: People
) -> None:
    strict = make_platform(allow_test_identities=False)
    assert code(submit(strict, people.applicant, person())) == "id_number_invalid"


def test_the_registry_is_no_search_engine(platform: Platform, people: People) -> None:
    for _ in range(real_name.ATTEMPTS_A_DAY):
        assert code(submit(platform, people.applicant, person(real_name="李例示"))) == "registry_mismatch"
    assert code(submit(platform, people.applicant, person())) == "too_many_attempts"
    assert submitted(platform, people.other, person()).status == "approved"


def test_without_throttling_nobody_counts(make_platform: Callable[..., Platform], people: People) -> None:
    lifted = replace(make_platform(throttle=False), registry=DemonstrationRegistry())
    for _ in range(real_name.ATTEMPTS_A_DAY + 1):
        assert code(submit(lifted, people.applicant, person(real_name="李例示"))) == "registry_mismatch"


def test_personal_data_are_encrypted_at_rest(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, person())
    with reading() as session:
        application = session.scalars(select(RealNameApplication)).one()
        upload = session.scalars(select(Upload)).one()
    stored = repr([vars(application), vars(account_of(people.applicant))])
    for text in ("990101199001010027", "李示例", PERSON["address"]):
        assert text not in stored
    assert b"PNG" not in upload.content_encrypted


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


def test_identities_given_by_hand_block_others_as_well(platform: Platform, people: People) -> None:
    with transaction() as session:
        add_person(session, platform.keyring.fields, "li_example", LI)
        add_enterprise(session, platform.keyring.fields, "makers")
    assert code(submit(platform, people.applicant, person())) == "document_taken"
    taken = enterprise(enterprise_credit_code="91990101MADEM00117", enterprise_name="示例新能源汽车有限公司")
    assert code(submit(platform, people.applicant, taken)) == "enterprise_taken"
