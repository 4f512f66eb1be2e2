"""The chain of a report: whatever is changed, taken out, put in or exchanged in the database is found."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import text

from clients.rp import clock
from clients.rp.entitlement import Reporter
from clients.smdvs import chain, submissions
from clients.smdvs.chain import Broken
from clients.smdvs.contents import canonical, joined, seal_context
from clients.smdvs.documents import report_from_json
from clients.smdvs.lifecycle import Act
from clients.smdvs.report import Report
from clients.smdvs.storage.database import Base
from clients.smdvs.submissions import Accepted
from clients.smdvs.system import System
from clients.smdvs.versions import Origin
from tests.clients.conftest import system_of
from tests.clients.documents import report_json
from tests.clients.provider import ENTERPRISE

REPORTER = Reporter("person-1", "smdvs", "handler", ENTERPRISE, "authorization-1")
ORIGIN = Origin("browser", "李示例", "示例新能源汽车有限公司")


@pytest.fixture
def system(smdvs: Flask) -> System:
    return system_of(smdvs)


def grown(system: System) -> str:
    """A report of three versions."""
    made = report_from_json(report_json(), clock.now())
    assert isinstance(made, Report)
    first = submissions.submit_initial(system, REPORTER, made, ORIGIN, None, clock.now())
    assert isinstance(first, Accepted)
    for act in (Act.SUPPLEMENT, Act.DETAILED):
        submissions.submit_version(
            system, REPORTER, first.report_no, act, made, ORIGIN, None, None, clock.now()
        )
    return first.report_no


def tampered(system: System, *statements: str, **values: str) -> list[Broken | None]:
    """What verification says after somebody with the database's password was at it."""
    with system.database.engine.begin() as connection:
        for event in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER report_versions_stay_{event}")
        for statement in statements:
            connection.execute(text(statement), values)
    return list(chain.verify_all(system))


def test_an_untouched_chain_holds(system: System) -> None:
    grown(system)
    grown(system)
    assert list(chain.verify_all(system)) == [None, None]


@pytest.mark.parametrize(
    "column",
    [
        *("kind", "document", "channel", "client_id", "sub", "account_type", "enterprise_credit_code"),
        *("handler_authorization_id", "digest"),
    ],
)
def test_a_changed_column_of_a_version_is_found(system: System, column: str) -> None:
    report_no = grown(system)
    found = tampered(system, f"UPDATE report_versions SET {column} = 'x' WHERE version = 2")  # noqa: S608 - the table's own names
    assert found == [Broken(report_no, 2, "version_changed")]


@pytest.mark.parametrize(
    ("statement", "version", "code"),
    [
        ("UPDATE report_versions SET received_at = '2020-01-01' WHERE version = 1", 1, "version_changed"),
        ("UPDATE report_versions SET reason = 'x' WHERE version = 3", 3, "version_changed"),
        ("UPDATE report_versions SET personal_sealed = 'x' WHERE version = 3", 3, "version_changed"),
        ("UPDATE report_versions SET previous_digest = 'x' WHERE version = 3", 3, "not_linked"),
        ("UPDATE report_versions SET previous_digest = NULL WHERE version = 1", 1, "version_changed"),
        ("UPDATE report_versions SET previous_digest = NULL WHERE version = 2", 2, "not_linked"),
        ("DELETE FROM report_versions WHERE version = 1", 1, "version_missing"),
        ("DELETE FROM report_versions WHERE version = 2", 2, "version_missing"),
        ("DELETE FROM report_versions WHERE version = 3", 3, "version_missing"),
        ("DELETE FROM report_versions", 1, "version_missing"),
        ("UPDATE reports SET head_digest = 'x'", 3, "head_differs"),
        ("UPDATE reports SET version = 4", 4, "version_missing"),
    ],
)
def test_what_is_changed_or_taken_out_is_located(
    system: System, statement: str, version: int, code: str
) -> None:
    report_no = grown(system)
    assert tampered(system, statement) == [Broken(report_no, version, code)]


def test_versions_of_two_reports_can_not_be_exchanged(system: System) -> None:
    numbers = [grown(system), grown(system)]
    found = tampered(
        system,
        "UPDATE report_versions SET version = 12 WHERE version = 2",
        "UPDATE report_versions SET version = 2, report_id = CASE report_id WHEN 1 THEN 2 ELSE 1 END"
        " WHERE version = 12",
    )
    assert found == [Broken(number, 2, "version_changed") for number in numbers]


def test_a_version_of_the_first_release_is_verified_by_its_own_rule(system: System) -> None:
    report_no = grown(system)
    with system.database.reading() as session:
        row = session.execute(Base.metadata.tables["report_versions"].select()).mappings().first()
    assert row is not None
    opened = json.loads(system.fields.open(row["personal_sealed"], seal_context(report_no, 1)))
    document = joined(json.loads(row["document"]), opened)
    old = system.fields.digest(canonical(document), seal_context(report_no, 1))
    found = tampered(
        system,
        "DELETE FROM report_versions WHERE version > 1",
        "UPDATE report_versions SET previous_digest = NULL, digest = :old",
        "UPDATE reports SET version = 1, head_digest = NULL",
        old=old,
    )
    assert found == [None]


def test_the_command_names_what_is_broken(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report_no = grown(system)
    settings = system.settings
    for name, value in {
        "ENV": "development",
        "ISSUER": settings.issuer,
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        "KEYS_DIR": str(settings.keys_dir),
    }.items():
        monkeypatch.setenv(f"SMDVS_{name}", value)
    assert chain.main() == 0
    tampered(system, "UPDATE report_versions SET document = '{}' WHERE version = 2")
    assert chain.main() == 1
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "1 reports verified, 0 broken",
        f"{report_no} version 2: version_changed",
        "1 reports verified, 1 broken",
    ]
    monkeypatch.delenv("SMDVS_ISSUER")
    assert chain.main() == 2
