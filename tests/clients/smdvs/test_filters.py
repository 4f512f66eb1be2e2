"""Reading filters out of a query string: what is right counts, what is wrong is told at its field."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri

from clients.smdvs.filters import NAMES, Asked, Filters, Overdue, read
from clients.smdvs.labels import FIELDS, LABELS
from clients.smdvs.vocabulary import Province, Status


def asked(*pairs: tuple[str, str]) -> Asked:
    return read(MultiDict(pairs).getlist)


def test_nothing_asked_narrows_nothing() -> None:
    found = asked(("q", "  "), ("province", ""), ("from", ""), ("page", "3"), ("unknown", "x"))
    assert found.filters == Filters()
    assert not found.filters.given
    assert not found.faults
    assert not found.typed


def test_each_filter_is_read() -> None:
    found = asked(
        ("q", " 示例 "),
        ("status", "accepted"),
        ("status", "closed"),
        ("status", "closed"),
        ("province", "440000"),
        ("from", "2026-03-01"),
        ("to", "2026-03-01"),
        ("overdue", "detailed"),
        ("severe", "true"),
        ("casualties", "1"),
    ).filters
    assert found.q == "示例"
    assert found.status == (Status.ACCEPTED, Status.CLOSED)
    assert found.province is Province.GUANGDONG
    assert (found.first_day, found.last_day) == (date(2026, 3, 1), date(2026, 3, 1))
    assert found.overdue == (Overdue.DETAILED,)
    assert found.severe
    assert found.casualties


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("status", "lost", "请从列表中选择"),
        ("province", "999999", "请从列表中选择"),
        ("cause", "' OR 1=1 --", "请从列表中选择"),
        ("from", "2026-02-30", "请填写日期，例如 2026-11-23"),
        ("from", "1700000000", "请填写日期，例如 2026-11-23"),
        ("to", "0001-01-01", "请填写 2000 至 2100 年之间的日期"),
        ("to", "9999-12-31", "请填写 2000 至 2100 年之间的日期"),
        ("from", "２０２６-０１-０１", "请填写日期，例如 2026-11-23"),
        ("severe", "maybe", "请选择是或否"),
        ("overdue", "yes", "请从列表中选择"),
        ("q", "x" * 61, "最多 60 个字"),
        ("q", "a\0b", "含有不可见的控制字符，请删除后重新填写"),
        ("q", "a\nb", "请填写在一行内"),
    ],
)
def test_a_wrong_filter_is_told_at_its_field_and_the_rest_counts(name: str, value: str, text: str) -> None:
    found = asked((name, value), ("accident_type", "fire"))
    assert found.errors == {name: text}
    assert found.filters == Filters.model_validate({"accident_type": ["fire"]})
    assert found.text(name) == value


def test_one_wrong_value_of_several_is_one_fault() -> None:
    found = asked(("status", "lost"), ("status", "closed"), ("status", "gone"), ("from", "x"), ("to", "y"))
    assert list(found.errors) == ["to", "from", "status"]
    assert found.filters == Filters()
    assert found.has("status", "closed")


def test_the_last_day_is_not_before_the_first() -> None:
    found = asked(("from", "2026-03-02"), ("to", "2026-03-01"))
    assert found.errors == {"to": "结束日期不能早于开始日期"}
    assert found.filters.first_day == date(2026, 3, 2)
    assert found.filters.last_day is None


def test_a_query_string_of_filters_reads_back_as_them() -> None:
    first = asked(
        ("q", "a&b=c 示"), ("status", "closed"), ("status", "voided"), ("to", "2026-01-31"), ("severe", "on")
    )
    query = first.filters.query()
    assert query == iri_to_uri(query)
    again = read(MultiDict(first.filters.parameters()).getlist)
    assert again.filters == first.filters
    assert Filters().query() == ""
    assert Filters(q="示例").query(page=2) == "?q=%E7%A4%BA%E4%BE%8B&page=2"


def test_a_chart_changes_one_filter_and_keeps_the_others() -> None:
    filters = asked(("province", "440000"), ("status", "closed")).filters
    assert filters.changed(cause=["battery"]).query() == "?status=closed&province=440000&cause=battery"
    assert filters.changed(province=None).query() == "?status=closed"


def test_every_filter_has_a_name_that_people_read() -> None:
    assert set(NAMES) <= FIELDS.keys()
    assert list(LABELS["overdue"]) == [kind.value for kind in Overdue]
