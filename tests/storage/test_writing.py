from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from idp.prepared import Driver
from idp.storage import audit, logins
from idp.storage.database import reading
from idp.storage.writing import writing
from tests.storage.test_audit import NOON

pytestmark = pytest.mark.usefixtures("in_app")

LINE = {
    "occurred_at": NOON,
    "event": "e",
    "result": "success",
    "address": "",
    "request_id": "",
    "detail": {"列": 1},
}
LOGIN_OF_NOBODY = {
    "sid": "sid",
    "token_hash": "hash",
    "account_id": "nobody",
    "auth_time": 1,
    "acr": "acr",
    "amr": [],
    "address": "",
    "user_agent": "",
    "created_at": NOON,
    "last_seen_at": NOON,
    "expires_at": NOON,
}


def written() -> int:
    with reading() as session:
        return audit.count_unsealed(session)


def write(statements: Driver) -> None:
    audit.insert_event(statements, LINE)


def stumble(statements: Driver) -> None:
    write(statements)
    raise LookupError


def write_what_is_refused(statements: Driver) -> None:
    write(statements)
    logins.insert_login(statements, LOGIN_OF_NOBODY)


def test_the_block_commits_as_a_whole() -> None:
    with writing() as statements:
        write(statements)
        write(statements)
        assert written() == 0
    assert written() == 2
    with reading() as session:
        entry = audit.list_unsealed(session, 1)[0]
    assert (entry.occurred_at, entry.detail, entry.account_id) == (NOON, {"列": 1}, None)


def test_nothing_stays_of_a_block_that_raises() -> None:
    with pytest.raises(LookupError), writing() as statements:
        stumble(statements)
    assert written() == 0
    with writing() as statements:
        write(statements)
    assert written() == 1


def test_what_the_database_refuses_comes_as_an_error_of_sqlalchemy_and_undoes_the_block() -> None:
    with pytest.raises(IntegrityError), writing() as statements:
        write_what_is_refused(statements)
    assert written() == 0
    with writing() as statements:
        write(statements)
    assert written() == 1
