from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from idp.storage import accounts as rows
from idp.storage.database import reading, transaction

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("in_app")


def columns(account_id: str, **values: Any) -> dict[str, Any]:
    return {
        "id": account_id,
        "login_name": f"name_{account_id}",
        "login_name_index": f"name_{account_id}",
        "password_hash": "hash",
        "password_changed_at": NOON,
        "email_encrypted": "email",
        "phone_encrypted": "phone",
        "phone_index": f"phone {account_id}",
        "status": "active",
        "verification_status": "unverified",
        "created_at": NOON,
        "updated_at": NOON,
    } | values


def insert(account_id: str, **values: Any) -> None:
    with transaction() as session:
        rows.insert_account(session, columns(account_id, **values))


@pytest.mark.parametrize("column", ["id", "login_name_index", "phone_index", "document_index"])
def test_the_database_itself_keeps_accounts_apart(column: str) -> None:
    insert("one", document_index="document")
    same = columns("one", document_index="document")[column]
    other = columns("two", document_index="other document") | {column: same}
    with transaction() as session, pytest.raises(IntegrityError):
        rows.insert_account(session, other)


def test_any_number_of_accounts_have_no_document() -> None:
    insert("one")
    insert("two")
    with reading() as session:
        assert rows.count_accounts(session, "") == 2


@pytest.mark.parametrize(
    ("login_name", "phone", "taken"),
    [
        ("name_one", "phone two", {"login_name", "phone"}),
        ("name_one", "phone one", {"login_name", "phone"}),
        ("name_one", "other", {"login_name"}),
        ("other", "phone two", {"phone"}),
        ("other", "other", set()),
    ],
)
def test_taken_names_and_phones_are_told_apart(login_name: str, phone: str, taken: set[str]) -> None:
    insert("one")
    insert("two")
    with reading() as session:
        assert rows.find_taken(session, login_name, phone) == taken


def test_an_update_says_whether_the_account_is_there() -> None:
    insert("one")
    with transaction() as session:
        assert rows.update_account(session, "one", {"status": "frozen"})
        assert not rows.update_account(session, "two", {"status": "frozen"})
    with reading() as session:
        account = rows.find_account(session, "one")
        assert account is not None
        assert (account.status, account.created_at) == ("frozen", NOON)


@pytest.mark.parametrize(("part", "found"), [("", 2), ("NAME_ONE", 1), ("_", 2), ("%", 0), ("x", 0)])
def test_searching_takes_every_character_literally_but_not_its_case(part: str, found: int) -> None:
    insert("one")
    insert("two")
    with reading() as session:
        assert len(rows.list_accounts(session, part, 0, 10)) == found
        assert rows.count_accounts(session, part) == found


def test_former_passwords_come_newest_first() -> None:
    insert("one")
    with transaction() as session:
        for password_hash in ("first", "second", "third"):
            rows.insert_former_password(session, "one", password_hash, NOON)
        assert rows.list_former_passwords(session, "one", 2) == ["third", "second"]
        assert rows.list_former_passwords(session, "two", 2) == []


def test_a_role_needs_its_client(in_app: Flask) -> None:
    insert("one")
    with transaction() as session, pytest.raises(IntegrityError):
        rows.insert_role(session, "one", "unknown", "regulator")
