from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from idp.domain.audit import AuditEvent
from idp.domain.errors import Refusal
from idp.domain.throttling import REAL_NAME_OF_ACCOUNT
from idp.services import audit, real_name
from idp.services.platform import Platform
from idp.services.real_name import Submission
from idp.services.registry import DemonstrationRegistry, ManualRegistry
from idp.services.scans import Scan
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise, RealNameApplication, Upload
from tests.people import LI, add_enterprise, add_person
from tests.services.conftest import MovableClock, at_once
from tests.services.submissions import (
    ENTERPRISE,
    PERSON,
    People,
    account_of,
    add_people,
    code,
    count,
    enterprise,
    person,
    submit,
    submitted,
)


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return replace(make_platform(), registry=DemonstrationRegistry())


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


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


def test_an_enterprise_has_one_legal_person_account(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, enterprise())
    for manual in (False, True):
        assert code(submit(platform, people.other, enterprise(manual=manual))) == "enterprise_taken"
    assert account_of(people.other).verification_status == "unverified"


def test_a_document_belongs_to_one_natural_person(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, person())
    for manual in (False, True):
        assert code(submit(platform, people.other, person(manual=manual))) == "document_taken"


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
    for _ in range(REAL_NAME_OF_ACCOUNT.most):
        assert code(submit(platform, people.applicant, person(real_name="李例示"))) == "registry_mismatch"
    assert code(submit(platform, people.applicant, person())) == "too_many_attempts"
    assert submitted(platform, people.other, person()).status == "approved"


def test_without_throttling_nobody_counts(make_platform: Callable[..., Platform], people: People) -> None:
    lifted = replace(make_platform(throttle=False), registry=DemonstrationRegistry())
    for _ in range(REAL_NAME_OF_ACCOUNT.most + 1):
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


def test_identities_given_by_hand_block_others_as_well(platform: Platform, people: People) -> None:
    with transaction() as session:
        add_person(session, platform.keyring.fields, "li_example", LI)
        add_enterprise(session, platform.keyring.fields, "makers")
    assert code(submit(platform, people.applicant, person())) == "document_taken"
    taken = enterprise(enterprise_credit_code="91990101MADEM00117", enterprise_name="示例新能源汽车有限公司")
    assert code(submit(platform, people.applicant, taken)) == "enterprise_taken"
