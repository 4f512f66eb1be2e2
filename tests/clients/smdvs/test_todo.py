"""What waits for whom, the most pressing first; late by the clock."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from clients.rp.entitlement import Reader
from clients.rp.errors import ProviderUnavailable
from clients.smdvs import doors, drafts, todo
from clients.smdvs.system import System
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person, TestProvider
from tests.clients.smdvs.test_outbox import HOUR, Clock, keep, submit, time
from tests.queries import AssertQueries

__all__ = ["time"]
MINE, OTHERS, REGULATOR = Reader("person-1", ENTERPRISE), Reader("x", OTHER_ENTERPRISE), Reader("r", None)


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def test_an_enterprise_is_told_its_own_most_pressing_things_first(system: System, time: Clock) -> None:
    first, second = submit(system), submit(system)
    with system.database.transaction() as session:
        session.execute(text(f"UPDATE reports SET status = 'returned' WHERE report_no = '{second}'"))  # noqa: S608 # our own number
    draft_id = drafts.new_id()
    keep(system, draft_id, time)
    items = todo.of_enterprise(system, MINE, time.now)
    assert [item.words for item in items] == [f"补正详报 {second}", "提交快报草稿", f"提交详报 {first}"]
    assert [item.due_at is None for item in items] == [True, False, False]
    assert items[1].link.endswith(draft_id)
    assert todo.of_enterprise(system, OTHERS, time.now) == []
    assert todo.of_enterprise(system, REGULATOR, time.now) == ()


def test_no_list_is_longer_than_people_read_and_costs_two_statements(
    system: System, time: Clock, assert_queries: AssertQueries
) -> None:
    for _ in range(todo.MOST + 3):
        submit(system)
    with assert_queries(2):
        assert len(todo.of_enterprise(system, MINE, time.now)) == todo.MOST


def test_a_regulator_counts_what_never_came_by_the_clock(system: System, time: Clock) -> None:
    submit(system)
    assert [late.total for late in todo.of_regulator(system, REGULATOR, time.now)] == [0, 0]
    time.now += 121 * HOUR
    assert [late.total for late in todo.of_regulator(system, REGULATOR, time.now)] == [0, 1]
    assert todo.of_regulator(system, MINE, time.now) == ()


def test_the_list_shows_what_to_do_and_to_a_regulator_what_is_late(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    browser.submit()
    assert 'id="todo"' in browser.get("/smdvs/reports").text
    with system_of(smdvs).database.transaction() as session:
        session.execute(text("UPDATE reports SET detailed_due_at = received_at"))
    regulator = Browser(smdvs.test_client(), provider)
    regulator.sign_in(Person.natural_person(roles=["regulator"]))
    page = regulator.get("/smdvs/reports").text
    assert 'id="late-counts"' in page
    assert ">详报逾期</span>" in page


def test_a_regulator_is_told_when_a_later_death_makes_a_report_late(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    location = browser.submit().location
    with system_of(smdvs).database.transaction() as session:
        session.execute(text("UPDATE reports SET due_at = occurred_at"))
    assert "late-in-hindsight" not in browser.get(location).text
    regulator = Browser(smdvs.test_client(), provider)
    regulator.sign_in(Person.natural_person(roles=["regulator"]))
    assert "late-in-hindsight" in regulator.get(location).text


def test_home_shows_it_too_and_stays_home_without_the_provider(
    browser: Browser, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()
    browser.submit()
    assert 'id="todo"' in browser.get("/smdvs/").text

    def away(*_: object) -> None:
        raise ProviderUnavailable("no answer")

    monkeypatch.setattr(doors, "reader_or_refusal", away)
    page = browser.get("/smdvs/")
    assert page.status_code == 200
    assert 'id="todo"' not in page.text
