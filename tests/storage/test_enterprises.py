from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session

from idp import crypto
from idp.crypto import FieldCipher
from idp.services.identities import document_index
from idp.storage import enterprises as rows
from idp.storage.enterprises import RealNameApplication, Upload
from tests.people import (
    BATTERY_MAKER,
    CAR_MAKER,
    LI,
    LONG_AGO,
    WANG,
    add_account,
    add_enterprise,
    add_person,
)
from tests.queries import AssertQueries

CIPHER = FieldCipher({"k": b"k" * 32}, "k", b"i" * 32)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


def add_application(session: Session, account_id: str, **columns: Any) -> RealNameApplication:
    values: dict[str, Any] = {
        "id": crypto.random_id(),
        "account_id": account_id,
        "subject_type": "natural_person",
        "form_encrypted": "sealed",
        "status": "pending",
        "submitted_at": LONG_AGO,
        **columns,
    }
    application = RealNameApplication(**values)
    session.add(application)
    session.flush()
    return application


def test_an_enterprise_is_found_by_its_credit_code(session: Session) -> None:
    enterprise = add_enterprise(session, CIPHER, "makers")
    assert rows.find_enterprise(session, CAR_MAKER.enterprise_credit_code) is enterprise
    assert rows.find_enterprise(session, BATTERY_MAKER.enterprise_credit_code) is None
    assert rows.find_of_legal_account(session, enterprise.legal_account_id) is enterprise
    assert rows.find_of_legal_account(session, "nobody") is None
    assert rows.is_enterprise_taken(session, CAR_MAKER.enterprise_credit_code)
    assert not rows.is_enterprise_taken(session, BATTERY_MAKER.enterprise_credit_code)


def test_a_document_is_taken_by_its_verified_holder(session: Session) -> None:
    add_person(session, CIPHER, "li_example", LI)
    assert rows.is_document_taken(session, document_index(CIPHER, LI))
    assert not rows.is_document_taken(session, document_index(CIPHER, WANG))


def test_the_database_has_one_enterprise_for_a_credit_code(session: Session) -> None:
    add_enterprise(session, CIPHER, "first")
    with pytest.raises(IntegrityError):
        add_enterprise(session, CIPHER, "second")


def test_the_database_has_one_person_for_a_document(session: Session) -> None:
    add_person(session, CIPHER, "first", LI)
    with pytest.raises(IntegrityError):
        add_person(session, CIPHER, "second", LI)


def test_the_database_has_one_pending_application_for_an_account(session: Session) -> None:
    account = add_account(session, CIPHER, "li_example")
    add_application(session, account.id, status="rejected")
    add_application(session, account.id)
    with pytest.raises(IntegrityError):
        add_application(session, account.id)


def test_the_latest_application_comes_with_its_login_name(session: Session) -> None:
    account = add_account(session, CIPHER, "li_example")
    assert rows.find_latest_application(session, account.id) is None
    add_application(session, account.id, status="rejected")
    newest = add_application(session, account.id, submitted_at=LONG_AGO + timedelta(days=1))
    assert rows.find_latest_application(session, account.id) == (newest, "li_example")
    assert rows.find_application(session, newest.id) == (newest, "li_example")
    assert rows.find_application(session, "nothing") is None


def test_what_is_pending_is_listed_oldest_first_in_pages(session: Session) -> None:
    ids = []
    for number in (3, 1, 2):
        account = add_account(session, CIPHER, f"person_{number}")
        moment = LONG_AGO + timedelta(days=number)
        ids.append((number, add_application(session, account.id, submitted_at=moment).id))
    add_application(session, add_account(session, CIPHER, "decided").id, status="approved")
    expected = [identifier for _, identifier in sorted(ids)]
    found = rows.list_pending_applications(session, offset=0, limit=10)
    assert [application.id for application, _ in found] == expected
    assert [name for _, name in found] == ["person_1", "person_2", "person_3"]
    second = rows.list_pending_applications(session, offset=2, limit=2)
    assert [application.id for application, _ in second] == expected[2:]
    assert rows.count_pending_applications(session) == 3


def test_uploads_are_listed_without_their_content(session: Session, assert_queries: AssertQueries) -> None:
    account = add_account(session, CIPHER, "li_example")
    application = add_application(session, account.id)
    session.add(
        Upload(
            id=crypto.random_id(),
            account_id=account.id,
            application_id=application.id,
            purpose="document_scan",
            content_type="image/png",
            size=3,
            content_encrypted=b"sealed",
            created_at=LONG_AGO,
        )
    )
    session.flush()
    session.expunge_all()
    with assert_queries(1) as statements:
        (upload,) = rows.list_uploads(session, application.id)
    assert "content_encrypted" not in statements[0]
    assert upload.size == 3
    with pytest.raises(InvalidRequestError):
        _ = upload.content_encrypted


def test_a_locked_row_is_the_row(session: Session) -> None:
    account = add_account(session, CIPHER, "li_example")
    application = add_application(session, account.id)
    assert rows.lock_application(session, application.id) is application
    assert rows.lock_application(session, "nothing") is None
