"""What a form and a report's page say of their deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from clients.smdvs.deadline_words import explained, hint
from clients.smdvs.deadlines import Due, Measure, policy_of
from clients.smdvs.vocabulary import DeadlineClass
from tests.clients.conftest import Browser

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
MEASURE = Measure("eidc-2025", Due.INITIAL)
FIELDS = {"occurred_at": "2026-11-23T01:00", "deaths": "0", "injured_heavy": "0", "injured_light": "0"}
LATE = {"occurred_at": "2026-01-01T08:00", "learned_at": "2026-01-01T09:00"}


def test_every_class_of_every_policy_has_words() -> None:
    policies = (policy_of("eidc-2025"), policy_of("samr-2019"))
    words = [explained(policy, each) for policy, each in product(policies, DeadlineClass)]
    assert words[0] == "一般事故，事故发生后 24 小时内快报"
    assert words[1] == "严重事故：有人员死亡或重大社会影响，事故发生后 12 小时内快报"
    assert len(set(words)) == 4


def test_a_form_is_told_its_deadline_as_soon_as_it_says_when() -> None:
    said = hint({"occurred_at": "2026-11-23T01:00"}, MEASURE, NOW)
    assert said is not None
    assert said.due_at.isoformat() == "2026-11-24T01:00:00+08:00"
    assert not said.late
    assert said.why == "一般事故，事故发生后 24 小时内快报"


@pytest.mark.parametrize("field", [{"deaths": "1"}, {"deaths": " 2 "}, {"major_social_impact": "true"}])
def test_casualties_and_impact_shorten_it_at_once(field: dict[str, str]) -> None:
    said = hint({**FIELDS, **field}, MEASURE, NOW)
    assert said is not None
    assert said.due_at.isoformat() == "2026-11-23T13:00:00+08:00"


@pytest.mark.parametrize("name", ["injured_heavy", "injured_light"])
def test_the_injured_shorten_it_where_the_policy_says_so(name: str) -> None:
    fields = {**FIELDS, name: "1"}
    eidc, samr = hint(fields, MEASURE, NOW), hint(fields, Measure("samr-2019", Due.INITIAL), NOW)
    assert eidc is not None
    assert samr is not None
    assert eidc.deadlines.deadline_class is DeadlineClass.ORDINARY
    assert samr.deadlines.deadline_class is DeadlineClass.SEVERE


def test_a_detailed_report_has_its_own() -> None:
    said = hint(FIELDS, Measure("eidc-2025", Due.DETAILED), NOW + timedelta(days=6))
    assert said is not None
    assert said.due_at.isoformat() == "2026-11-28T01:00:00+08:00"
    assert said.late
    assert said.why == "事故发生后 120 小时内详报"


def test_what_has_no_deadline_is_told_none() -> None:
    assert hint(FIELDS, Measure("eidc-2025"), NOW) is None


@pytest.mark.parametrize(
    "text", ["", "昨天", "2026-13-01T00:00", "2027-01-01T00:00", "0001-01-01T00:00", "x" * 9999]
)
def test_a_time_that_is_none_has_no_deadline(text: str) -> None:
    said = hint({**FIELDS, "occurred_at": text}, MEASURE, NOW)
    assert said is None


@pytest.mark.parametrize("text", ["", "许多", "-1", "1.5", "٣", "9" * 5000])
def test_a_number_that_is_none_counts_as_nobody(text: str) -> None:
    said = hint({**FIELDS, "deaths": text}, MEASURE, NOW)
    assert said is not None
    assert said.deadlines.deadline_class is DeadlineClass.ORDINARY


def test_the_form_shows_the_deadline_on_any_button(browser: Browser) -> None:
    browser.sign_in()
    page = browser.submit(action="add_vehicle", deaths="1").text
    assert "快报截止" in page
    assert "严重事故：有人员死亡或重大社会影响，事故发生后 12 小时内快报" in page
    assert "新能源汽车事故上报平台时限（eidc-2025@1）" in page
    assert 'id="late_reason"' not in page


def test_a_late_form_is_asked_why_and_told_that_it_will_be_taken(browser: Browser) -> None:
    browser.sign_in()
    page = browser.submit(action="add_vehicle", **LATE).text
    assert "仍请立即上报" in page
    assert "已逾期" in page
    assert 'id="late_reason"' in page


def test_the_home_page_says_the_hours_of_the_policy_in_force(browser: Browser) -> None:
    page = browser.get("/smdvs/").text
    assert "一般事故 24 小时内上报，有人员死亡或重大社会影响的 12 小时内上报" in page
