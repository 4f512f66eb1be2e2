"""Reading by program: pages with links, filters, entity tags, versions."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from requests.utils import parse_header_links

from tests.clients.conftest import PUBLIC_URL
from tests.clients.documents import vehicle
from tests.clients.provider import OTHER_ENTERPRISE, Person, TestProvider
from tests.clients.smdvs.calls import REPORTS, Program, member


@pytest.fixture
def maker(smdvs: Flask, provider: TestProvider) -> Program:
    return Program.of(smdvs, provider)


def links(maker: Program, query: str) -> dict[str, str]:
    header = maker.get(query).headers["Link"]
    return {str(link["rel"]): str(link["url"]) for link in parse_header_links(header)}


def test_links_lead_through_all_pages(maker: Program) -> None:
    numbers = [maker.report() for _ in range(5)]
    found, query = [], "?per_page=2"
    while query:
        answer = maker.get(query)
        found += [report["report_no"] for report in member(answer, "reports")]
        onward = links(maker, query).get("next", "")
        assert onward.startswith(f"{PUBLIC_URL}{REPORTS}?") or not onward
        query = onward.removeprefix(PUBLIC_URL + REPORTS)
    assert found == numbers[::-1]
    assert links(maker, "?per_page=2&page=2").keys() == {"first", "prev", "next", "last"}
    assert links(maker, "?per_page=2&page=9").keys() == {"first", "prev", "last"}
    assert parse_qs(urlsplit(links(maker, "?per_page=2")["last"]).query)["page"] == ["3"]
    assert links(maker, "").keys() == {"first", "last"}


def test_filters_narrow_the_list_and_stay_in_its_links(maker: Program) -> None:
    wanted = maker.report(vehicles=[vehicle(vin="LTEST00B4S1000002")], deaths=1)
    maker.report()
    answer = maker.get("?q=LTEST00B4S1000002&casualties=true&status=initial_submitted&per_page=1")
    assert [report["report_no"] for report in member(answer, "reports")] == [wanted]
    assert (member(answer, "total"), member(answer, "more")) == (1, False)
    assert "q=LTEST00B4S1000002&status=initial_submitted&casualties=true" in answer.headers["Link"]
    assert member(maker.get("?status=closed"), "reports") == []


@pytest.mark.parametrize(
    "query", ["status=x", "from=yesterday", "from=2026-02-01&to=2026-01-01", "province=1"]
)
def test_a_filter_that_is_none_is_a_problem_with_its_name(maker: Program, query: str) -> None:
    answer = maker.get(f"?{query}")
    assert answer.status_code == 400
    assert member(answer, "code") == "invalid_parameter"
    assert member(answer, "field") == query.rpartition("&")[2].partition("=")[0]


def test_a_report_that_has_not_changed_is_not_sent_again(maker: Program) -> None:
    number = maker.report()
    first = maker.get(f"/{number}")
    tag = first.headers["ETag"]
    assert tag == '"1"'
    for known in (tag, f'"9", {tag}', f"W/{tag}"):
        same = maker.get(f"/{number}", **{"If-None-Match": known})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    maker.supplement(number)
    changed = maker.get(f"/{number}", **{"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')


def test_an_unchanged_report_of_another_enterprise_is_none_all_the_same(
    maker: Program, provider: TestProvider
) -> None:
    number = maker.report()
    stranger = Program.of(maker.app, provider, Person.handler(OTHER_ENTERPRISE))
    for path in (f"/{number}", f"/{number}/versions", f"/{number}/versions/1"):
        assert stranger.get(path, **{"If-None-Match": '"1"'}).status_code == 404


def test_a_version_is_shown_with_people_masked(maker: Program) -> None:
    number = maker.report(vehicles=[vehicle(owner_name="王示例", owner_phone="19900000009")])
    text = maker.get(f"/{number}/versions/1").text + maker.get(f"/{number}").text
    assert "199****0009" in text
    assert not {"19900000009", "19900000001", "王示例"} & {
        word for word in ("19900000009", "19900000001", "王示例") if word in text
    }


@pytest.mark.parametrize("version", ["0", "2", "x", "01", "-1", "1.0", "99999999999999999999"])
def test_a_version_that_is_none_is_not_found(maker: Program, version: str) -> None:
    assert maker.get(f"/{maker.report()}/versions/{version}").status_code == 404


def test_the_history_is_a_chain(maker: Program) -> None:
    number = maker.report()
    maker.supplement(number)
    first, second = member(maker.get(f"/{number}/versions"), "versions")
    assert second["previous_digest"] == first["digest"]
    assert member(maker.get(f"/{number}"), "chain_intact") is True


def test_answers_are_for_nobody_else(maker: Program) -> None:
    number = maker.report()
    for path in ("", f"/{number}", f"/{number}/versions", f"/{number}/versions/1"):
        answer = maker.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Authorization" in answer.headers["Vary"]
