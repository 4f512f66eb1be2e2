"""The log of looks at people: with a reason, without names, never changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from clients.rp import clock
from clients.smdvs import accesses
from clients.smdvs.accesses import Look, NoReason
from clients.smdvs.config import Settings
from clients.smdvs.persons import Viewer
from clients.smdvs.storage import reports as rows
from clients.smdvs.system import System
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, system_of
from tests.clients.documents import vehicle
from tests.clients.life import brought_to
from tests.clients.provider import Person

REGULATOR = Viewer("regulator-1", "natural_person", None)


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def looked_at(system: System, reason: str = "电话核实火情") -> int:
    """A report that the regulator has looked at the people of."""
    report_no = brought_to(system, Status.INITIAL_SUBMITTED)
    with system.database.reading() as session:
        report_id = rows.get_report(session, report_no).id
    kinds = ("reporter_name", "reporter_phone")
    accesses.record(system, REGULATOR, report_id, Look.SHOW_CONTACTS, reason, kinds, clock.now())
    return report_id


def test_a_look_is_in_the_log_of_its_report(system: System) -> None:
    report_id = looked_at(system)
    (access,) = accesses.of_report(system, report_id)
    assert (access.sub, access.account_type, access.act) == ("regulator-1", "regulator", "show_contacts")
    assert (access.reason, access.shown) == ("电话核实火情", "reporter_name reporter_phone")
    assert accesses.of_report(system, report_id + 1) == []


@pytest.mark.parametrize("act", ["supplement", "detailed"])
def test_going_on_with_a_colleagues_report_is_a_look_and_with_ones_own_is_none(
    smdvs: Flask, browser: Browser, act: str
) -> None:
    owned = [vehicle(owner_name="赵示例", owner_phone="19900000077")]
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED, vehicles=owned)
    for sub in ("person-1", "person-2"):
        browser.sign_in(replace(Person.handler(), sub=sub))
        assert "赵示例" in browser.get(f"/smdvs/reports/{report_no}/{act}").text
    (line,) = map(json.loads, accesses.lines(system_of(smdvs).database))
    assert (line["sub"], line["account_type"], line["act"]) == ("person-2", "handler", "continue_report")
    assert line["shown"] == ["owner_name", "owner_phone"]


@pytest.mark.parametrize("change", ["UPDATE accesses SET reason = 'x'", "DELETE FROM accesses"])
def test_the_database_itself_keeps_the_log_as_it_is(system: System, change: str) -> None:
    report_id = looked_at(system)
    with pytest.raises(DBAPIError, match="never changed"), system.database.transaction() as session:
        session.execute(text(change))
    assert len(accesses.of_report(system, report_id)) == 1


def test_the_whole_log_is_json_lines_without_a_name(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accesses, "BATCH", 2)
    for reason in ("一", "二", "三"):
        looked_at(system, reason)
    lines = list(accesses.lines(system.database))
    assert [json.loads(line)["reason"] for line in lines] == ["一", "二", "三"]
    assert json.loads(lines[0])["shown"] == ["reporter_name", "reporter_phone"]
    assert json.loads(lines[0])["report_no"].startswith("SMDVS-")
    assert "李示例" not in "".join(lines)


def test_the_command_prints_it(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at(system)
    monkeypatch.setattr(Settings, "from_env", lambda _: system.settings)
    assert accesses.main() == 0
    assert json.loads(capsys.readouterr().out)["act"] == "show_contacts"


def test_the_command_says_what_is_wrong_with_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.environ", {})
    assert accesses.main() == 2
    assert "SMDVS_" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  核实\r\n火情 ", "核实 火情"),
        ("", NoReason("reason_missing")),
        (" \n ", NoReason("reason_missing")),
        ("因" * 200, "因" * 200),
        ("因" * 201, NoReason("reason_too_long")),
    ],
)
def test_a_reason_is_one_line_and_there_must_be_one(typed: str, kept: str | NoReason) -> None:
    assert accesses.check_reason(typed) == kept
