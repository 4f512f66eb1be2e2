"""Submissions of real-name authentication, and who takes part, for tests of use cases."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image
from sqlalchemy import func, select

from idp.domain.errors import Refusal
from idp.services import real_name
from idp.services.platform import Platform
from idp.services.real_name import ReviewView, Submission, SubmissionOutcome
from idp.services.scans import Scan
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from tests.people import ORIGIN, add_account

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


@dataclass
class People:
    """The ids of the accounts that take part."""

    applicant: str
    other: str
    admin: str


def add_people(platform: Platform) -> People:
    """Two who may submit and an administrator."""
    cipher = platform.keyring.fields
    with transaction() as session:
        return People(
            add_account(session, cipher, "applicant").id,
            add_account(session, cipher, "other").id,
            add_account(session, cipher, "the_admin", platform_role="administrator").id,
        )


def person(manual: bool = False, **changes: str) -> Submission:
    """A natural person whom the demonstration registry knows, or changed."""
    extra = {"explanation": "姓名用字系统中没有"} if manual else {}
    return Submission("natural_person", {**PERSON, **extra, **changes}, SCANS[:1], manual)


def enterprise(manual: bool = False, **changes: str) -> Submission:
    """An enterprise that it knows, or changed."""
    extra = {"explanation": "登记信息尚未更新"} if manual else {}
    return Submission("legal_person", {**ENTERPRISE, **extra, **changes}, SCANS, manual)


def submit(platform: Platform, account_id: str, submission: Submission) -> SubmissionOutcome | Refusal:
    """What came of it."""
    return real_name.submit(platform, account_id, submission, ORIGIN)


def submitted(platform: Platform, account_id: str, submission: Submission) -> SubmissionOutcome:
    """What came of one that is accepted."""
    outcome = submit(platform, account_id, submission)
    assert isinstance(outcome, SubmissionOutcome), outcome
    return outcome


def code(result: object) -> str:
    """The code of a refusal."""
    assert isinstance(result, Refusal), result
    return result.code


def account_of(account_id: str) -> Account:
    """The account's row."""
    with reading() as session:
        return session.get_one(Account, account_id)


def count(row: type[Any]) -> int:
    """How many rows."""
    with reading() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def review(platform: Platform, application_id: str) -> ReviewView:
    """What a reviewer sees."""
    view = real_name.get_review(platform, application_id)
    assert isinstance(view, ReviewView)
    return view


def decide(
    platform: Platform, people: People, application_id: str, decision: str, reason: str | None
) -> None:
    """The administrator's decision, which is accepted."""
    refusal = real_name.decide(platform, application_id, decision, reason, people.admin, ORIGIN)
    assert refusal is None, refusal
