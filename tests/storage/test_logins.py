from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from idp.storage import logins as rows
from idp.storage.database import db, reading, single_statements, transaction
from idp.storage.enterprises import Enterprise
from tests.storage.test_accounts import insert

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("in_app")


def login(sid: str, account_id: str = "one", **values: Any) -> None:
    columns = {
        "sid": sid,
        "token_hash": f"hash of {sid}",
        "account_id": account_id,
        "auth_time": 1,
        "acr": "acr",
        "amr": ["pwd", "sms"],
        "address": "192.0.2.7",
        "user_agent": "browser",
        "created_at": NOON,
        "last_seen_at": NOON,
        "expires_at": NOON + timedelta(hours=8),
    }
    with transaction() as session:
        rows.insert_login(session, columns | values)


def enterprise(account_id: str, credit_code: str = "91990101MADEM0046R") -> None:
    with transaction() as session:
        session.add(
            Enterprise(
                id="enterprise",
                enterprise_credit_code=credit_code,
                enterprise_name="测试汽车有限公司",
                organization_type="limited_company",
                legal_person_type="enterprise",
                representative_name_encrypted="",
                representative_document_type="id_card",
                representative_document_number_encrypted="",
                address_encrypted="",
                legal_account_id=account_id,
                created_at=NOON,
                updated_at=NOON,
            )
        )


def holder(
    login_name: str | None = None, documents: list[str] | None = None, credit_code: str | None = None
) -> str | None:
    with reading() as session:
        found = rows.find_holder(session.connection(), login_name, documents or [], credit_code)
    return found.account_id if found else None


def test_a_holder_is_found_by_each_of_the_three_names() -> None:
    insert("one", document_index="card")
    insert("two")
    enterprise("two")
    assert holder("name_one") == "one"
    assert holder(documents=["permit", "card"]) == "one"
    assert holder(credit_code="91990101MADEM0046R") == "two"


def test_nobody_is_found_by_nothing_or_by_what_nobody_has() -> None:
    insert("one")
    insert("two")
    assert holder() is None
    assert holder("name_three", ["card"], "91990101MADEM0070A") is None


def test_of_a_number_that_is_both_a_document_and_a_credit_code_the_person_is_meant() -> None:
    insert("one")
    enterprise("one", "990101199001010019")
    insert("two", document_index="card")
    assert holder(documents=["card"], credit_code="990101199001010019") == "two"


def test_a_deleted_account_is_nobody_and_a_frozen_one_is_somebody() -> None:
    insert("one", status="deleted")
    insert("two", status="frozen")
    assert holder("name_one") is None
    assert holder("name_two") == "two"


def test_looking_a_holder_up_reads_no_whole_table(backend: str) -> None:
    documents = {"document_0": "card", "document_1": "permit", "document_2": None}
    named = rows._HOLDER.params(login_name_index="name", enterprise_credit_code="code", **documents)
    statement = named.compile(db.engine, compile_kwargs={"literal_binds": True})
    with transaction() as session:
        if backend == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))  # few rows are read whole otherwise
            steps = [row[0] for row in session.execute(text(f"EXPLAIN {statement}"))]
            assert not [step for step in steps if "Seq Scan" in step]
        else:
            steps = [row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
            assert not [step for step in steps if step.startswith("SCAN ")]


def test_only_one_of_two_that_end_a_login_is_told_whose_it_was() -> None:
    insert("one")
    login("sid")
    with transaction() as session:
        assert rows.end_login(session, "sid", NOON) == "one"
        assert rows.end_login(session, "sid", NOON) is None
        assert rows.end_login(session, "unknown", NOON) is None


def test_a_login_is_renewed_by_its_own_account_only_while_it_is_open() -> None:
    insert("one")
    login("sid")
    with transaction() as session:
        assert rows.renew_login(session, "hash of sid", "two", {"auth_time": 2}) is None
        assert rows.renew_login(session, "hash of sid", "one", {"auth_time": 2}) == "sid"
        rows.end_login(session, "sid", NOON)
        assert rows.renew_login(session, "hash of sid", "one", {"auth_time": 3}) is None
        assert rows.find_open_sid(session, "hash of sid") is None


def test_being_seen_never_goes_back() -> None:
    insert("one")
    login("sid")
    with single_statements() as driver:
        rows.mark_seen(driver, "sid", NOON + timedelta(minutes=2))
        rows.mark_seen(driver, "sid", NOON + timedelta(minutes=1))
    with reading() as session:
        (found,) = rows.list_logins(session, "one")
    assert found[14] == NOON + timedelta(minutes=2)


def test_expired_logins_are_those_past_their_end_that_nobody_has_ended() -> None:
    insert("one")
    login("past", expires_at=NOON)
    login("ended", expires_at=NOON, ended_at=NOON)
    login("present", expires_at=NOON + timedelta(seconds=1))
    with reading() as session:
        assert rows.list_expired_sids(session, NOON, 10) == ["past"]
        assert sorted(rows.list_open_sids(session, "one")) == ["past", "present"]
