"""Submissions of real-name authentication on their way from a form to encrypted rows, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp import crypto
from idp.crypto import FieldCipher
from idp.domain import dates, real_name, submissions
from idp.domain.errors import Problem, Refusal
from idp.domain.real_name import Status, Verification
from idp.domain.submissions import Subject
from idp.services.platform import Platform
from idp.services.scans import CheckedScan, Scan
from idp.storage.enterprises import RealNameApplication, Upload

FORM_CONTEXT: Final = "real_name_applications.form"
CONTENT_CONTEXT: Final = "uploads.content"
APPLICATION_STATUS: Final = {
    Status.VERIFIED: "approved",
    Status.PENDING: "pending",
    Status.REJECTED: "rejected",
}


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person sends: the form's fields as typed, the files, and whether a reviewer is asked for."""

    subject_type: str
    fields: Mapping[str, str]
    scans: tuple[Scan, ...]
    manual: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission in canonical form, its scans fit to be stored."""

    subject_type: str
    subject: Subject
    explanation: str | None
    scans: tuple[CheckedScan, ...]
    manual: bool

    @property
    def fields(self) -> dict[str, str]:
        """The form's fields in canonical form, as they are stored."""
        extra = {"explanation": self.explanation} if self.explanation else {}
        return {**submissions.fields_of(self.subject), **extra}


def check(
    platform: Platform, submission: Submission, given: Mapping[str, CheckedScan | Problem], now: datetime
) -> Checked | Refusal:
    """Every field and file (``given`` by field), with all their problems at once."""
    subject = submissions.read(
        submission.subject_type,
        submission.fields,
        dates.china_date(now),
        allow_test=platform.settings.allow_test_identities,
    )
    explanation = submissions.read_explanation(submission.fields) if submission.manual else None
    required = real_name.REQUIRED_SCANS.get(submission.subject_type, ())
    files = [given.get(purpose, Problem("required", purpose)) for purpose in required]
    problems = [p for part in (subject, explanation) if isinstance(part, Refusal) for p in part.problems]
    problems += [file for file in files if isinstance(file, Problem)]
    if problems or isinstance(subject, Refusal) or isinstance(explanation, Refusal):
        return Refusal(tuple(problems))
    fit = tuple(file for file in files if isinstance(file, CheckedScan))
    return Checked(submission.subject_type, subject, explanation, fit, submission.manual)


def application_row(
    cipher: FieldCipher, account_id: str, checked: Checked, after: Verification, now: datetime
) -> RealNameApplication:
    """The row of a submission whose account is now as ``after`` says."""
    form = json.dumps(checked.fields, ensure_ascii=False)
    return RealNameApplication(
        id=crypto.random_id(),
        account_id=account_id,
        subject_type=checked.subject_type,
        manual=checked.manual,
        form_encrypted=cipher.encrypt(form, FORM_CONTEXT),
        status=APPLICATION_STATUS[after.status],
        submitted_at=now,
        decided_at=now if after.status is Status.VERIFIED else None,
    )


def upload_rows(
    cipher: FieldCipher, application: RealNameApplication, files: tuple[CheckedScan, ...]
) -> list[Upload]:
    """The rows of its scans."""
    return [
        Upload(
            id=crypto.random_id(),
            account_id=application.account_id,
            application_id=application.id,
            purpose=file.purpose,
            content_type=file.content_type,
            size=len(file.content),
            content_encrypted=cipher.encrypt_bytes(file.content, CONTENT_CONTEXT),
            created_at=application.submitted_at,
        )
        for file in files
    ]


def form_of(cipher: FieldCipher, application: RealNameApplication) -> dict[str, str]:
    """The submitted fields, decrypted."""
    form = cipher.decrypt(application.form_encrypted, FORM_CONTEXT)
    return {str(name): str(value) for name, value in json.loads(form).items()}
