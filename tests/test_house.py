"""The rules of the house that no linter knows."""

from __future__ import annotations

import re
import socket
from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, create_engine, inspect, text

from clients.smdvs.config import Settings as SmdvsSettings
from idp.config import variable_names
from tests.network import OutsideError
from tests.queries import AssertQueries

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_explains_every_variable_and_no_other() -> None:
    tables = (ROOT / "README.md").read_text().partition("## Configuration")[2]
    rows = [line.split("|")[1] for line in tables.splitlines() if line.startswith(("| `IDP_", "| `SMDVS_"))]
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    of_smdvs = [f"SMDVS_{field.name.upper()}" for field in fields(SmdvsSettings)]
    assert sorted(explained) == sorted(variable_names() + of_smdvs)


def test_every_decision_is_listed() -> None:
    pages = {page.name for page in (ROOT / "docs/adr").glob("0*.md")}
    index = (ROOT / "docs/adr/README.md").read_text()
    assert pages == set(re.findall(r"\((0[^)]+\.md)\)", index))


def test_every_locked_requirement_has_a_hash() -> None:
    for lock in ("runtime.txt", "dev.txt"):
        pins = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements" / lock).read_text())[1:]
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock", ["runtime", "dev"])
def test_requirements_are_sorted(lock: str) -> None:
    names = (ROOT / "requirements" / f"{lock}.in").read_text().splitlines()
    wanted = [name for name in names if not name.startswith("-")]
    assert wanted == sorted(wanted)


def test_a_test_reaches_nothing_beyond_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(OutsideError):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(requests.ConnectionError):
        requests.get("http://outside.example/", timeout=1)


def test_a_statement_too_many_is_seen(assert_queries: AssertQueries) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        with assert_queries(1):
            connection.execute(text("SELECT 1"))
        with (
            pytest.raises(pytest.fail.Exception, match="0 statements allowed, 1 executed"),
            assert_queries(0),
        ):
            connection.execute(text("SELECT 1"))
    engine.dispose()


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_finds_an_empty_database(engine: Engine, run: int) -> None:
    with engine.begin() as connection:
        for table in set(inspect(connection).get_table_names()) - {"alembic_version"}:
            assert connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one() == 0  # noqa: S608
        connection.execute(
            text("INSERT INTO ephemeral (key, count, expires_at) VALUES ('house', 1, :at)"), {"at": run}
        )


@pytest.mark.pitfall(26)
def test_types_are_checked_strictly_and_forms_alone_are_excused() -> None:
    configuration = ConfigParser()
    configuration.read(ROOT / "setup.cfg")
    assert configuration["mypy"].getboolean("strict")
    excused = [
        section
        for section in configuration.sections()
        if section.startswith("mypy-") and "disallow_subclassing_any" in configuration[section]
    ]
    assert excused == ["mypy-idp.web.forms,idp.web.forms.*"]
