"""Later versions and withdrawals by program: preconditions, repetition, and what is possible when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from clients.rp import clock
from clients.smdvs import access, reviews
from clients.smdvs.lifecycle import Act
from clients.smdvs.submissions import Accepted
from tests.clients.conftest import PUBLIC_URL, system_of
from tests.clients.documents import detailed_json, report_json, vehicle
from tests.clients.life import files
from tests.clients.provider import OTHER_ENTERPRISE, Person, TestProvider
from tests.clients.smdvs.calls import REPORTS, Program, member


@pytest.fixture
def maker(smdvs_backend: Flask, provider: TestProvider) -> Program:
    return Program.of(smdvs_backend, provider)


@pytest.fixture
def number(maker: Program) -> str:
    return maker.report(attachment_ids=list(files(system_of(maker.app))))


def review(maker: Program, report_no: str, *acts: Act, reason: str | None = None) -> None:
    for act in acts:
        reviewer = access.Reviewer("regulator-1", "smdvs")
        done = reviews.carry_out(
            system_of(maker.app), reviewer, "", report_no, act, reason, None, clock.now()
        )
        assert isinstance(done, Accepted)


def versions(maker: Program, report_no: str) -> list[str]:
    return [entry["kind"] for entry in member(maker.get(f"/{report_no}/versions"), "versions")]


def test_a_supplement_is_the_next_version(maker: Program, number: str) -> None:
    answer = maker.supplement(number, narrative="明火已扑灭，车辆已拖离。")
    assert answer.status_code == 201, answer.text
    assert answer.location == f"{PUBLIC_URL}{REPORTS}/{number}/versions/2"
    assert answer.headers["ETag"] == '"2"'
    assert (member(answer, "version"), member(answer, "kind")) == (2, "supplement")
    assert member(answer, "status") == "supplemented"
    assert member(maker.get(f"/{number}"), "report")["narrative"] == "明火已扑灭，车辆已拖离。"
    assert member(maker.get(f"/{number}/versions/1"), "document")["narrative"] == report_json()["narrative"]


def test_a_detailed_report_ends_the_supplements(maker: Program, number: str) -> None:
    detailed = maker.post(f"/{number}/versions", {"kind": "detailed", "report": detailed_json()}, seen='"1"')
    assert member(detailed, "status") == "detailed_submitted"
    refused = maker.supplement(number, '"2"')
    assert refused.status_code == 409
    assert member(refused, "code") == "act_not_possible"
    assert member(refused, "report_status") == "detailed_submitted"
    assert member(refused, "possible") == ["detailed", "void"]
    assert versions(maker, number) == ["initial", "detailed"]


def test_a_returned_report_is_corrected(maker: Program, number: str) -> None:
    detailed = {"kind": "detailed", "report": detailed_json()}
    assert maker.post(f"/{number}/versions", detailed, seen='"1"').status_code == 201
    review(maker, number, Act.REVIEW)
    review(maker, number, Act.RETURN, reason="请补充现场照片")
    corrected = maker.post(f"/{number}/versions", detailed, seen='"4"')
    assert member(corrected, "status") == "detailed_submitted"
    history = member(maker.get(f"/{number}"), "history")
    assert [entry["reason"] for entry in history] == [None, None, None, "请补充现场照片", None]


def test_a_detailed_report_needs_a_photo_and_an_investigation_report(maker: Program) -> None:
    number, (photo, paper) = maker.report(), files(system_of(maker.app))
    detailed = {"kind": "detailed", "report": detailed_json()}
    for named, code in (([], "attachment_photo_missing"), ([photo], "attachment_report_missing")):
        refused = maker.post(f"/{number}/versions", detailed | {"attachment_ids": named}, seen='"1"')
        assert (refused.status_code, member(refused, "code")) == (422, code)
        assert member(refused, "field") == "/attachment_ids"
    whole = detailed | {"attachment_ids": [photo, paper]}
    assert maker.post(f"/{number}/versions", whole, seen='"1"').status_code == 201


def test_a_report_is_voided_before_its_review_for_a_reason(maker: Program, number: str) -> None:
    assert maker.post(f"/{number}/void", {}, seen='"1"').status_code == 422
    blank = maker.post(f"/{number}/void", {"reason": " "}, seen='"1"')
    assert (blank.status_code, member(blank, "field")) == (422, "/reason")
    voided = maker.post(f"/{number}/void", {"reason": "重复上报"}, seen='"1"')
    assert (voided.status_code, member(voided, "status")) == (201, "voided")
    again = maker.post(f"/{number}/void", {"reason": "重复上报"}, seen='"2"')
    assert (again.status_code, member(again, "possible")) == (409, [])
    assert versions(maker, number) == ["initial", "void"]


def test_under_review_nothing_is_voided(maker: Program, number: str) -> None:
    maker.post(f"/{number}/versions", {"kind": "detailed", "report": detailed_json()}, seen='"1"')
    review(maker, number, Act.REVIEW)
    assert maker.post(f"/{number}/void", {"reason": "重复上报"}, seen="*").status_code == 409


def test_who_does_not_say_what_was_read_is_asked_to(maker: Program, number: str) -> None:
    for answer in (maker.supplement(number, None), maker.post(f"/{number}/void", {"reason": "x"})):
        assert answer.status_code == 428
        assert (member(answer, "code"), member(answer, "field")) == ("precondition_required", "If-Match")
    assert versions(maker, number) == ["initial"]


@pytest.mark.parametrize("seen", ['"2"', '"0"', 'W/"1"', '"x"', '"01x"', "1x", '"7", "8"', '"99999999999"'])
def test_who_has_read_another_version_is_told_the_current_one(maker: Program, number: str, seen: str) -> None:
    stale = maker.supplement(number, seen)
    assert stale.status_code == 412
    assert (member(stale, "current_version"), stale.headers["ETag"]) == (1, '"1"')
    assert versions(maker, number) == ["initial"]


@pytest.mark.parametrize("seen", ['"1"', "*", '"5", "1"'])
def test_who_has_read_this_version_may_go_on(maker: Program, number: str, seen: str) -> None:
    assert maker.supplement(number, seen).status_code == 201


def test_of_two_at_once_on_the_same_version_one_is_stale(maker: Program, number: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda deaths: maker.supplement(number, deaths=deaths), (1, 2)))
    assert sorted(answer.status_code for answer in answers) == [201, 412]
    assert versions(maker, number) == ["initial", "supplement"]


def test_every_post_repeated_gets_the_same_answer_whatever_came_since(maker: Program) -> None:
    body = report_json()
    sent = body | {"attachment_ids": list(files(system_of(maker.app)))}
    calls: list[tuple[str, Any, str]] = [("", sent, "k0")]
    first = maker.post("", sent, key="k0")
    number = str(member(first, "report_no"))
    path = f"/{number}/versions"
    worse = report_json(
        deaths=1, occurred_at=body["occurred_at"], vehicles=[vehicle(vin="LTEST00B4S1000002")]
    )
    calls += [
        (path, {"kind": "supplement", "report": worse}, "k1"),
        (path, {"kind": "detailed", "report": detailed_json(deaths=1)}, "k2"),
        (path, {"kind": "detailed", "report": detailed_json()}, "k3"),
        (f"/{number}/void", {"reason": "重复上报"}, "k4"),
    ]
    once = [first, *(maker.post(p, b, key=k, seen=f'"{n}"') for n, (p, b, k) in enumerate(calls[1:], 1))]
    assert [answer.status_code for answer in once] == [201] * 5, [answer.text for answer in once]
    again = [maker.post(p, b, key=k, seen=f'"{max(n, 1)}"') for n, (p, b, k) in enumerate(calls)]
    assert [(a.status_code, a.data, a.location, a.headers["ETag"]) for a in again] == [
        (a.status_code, a.data, a.location, a.headers["ETag"]) for a in once
    ]
    assert versions(maker, number) == ["initial", "supplement", "detailed", "detailed", "void"]
    whole = member(maker.get(f"/{number}"), "deadline")
    assert whole == member(once[-1], "deadline")


def test_a_key_belongs_to_one_act_on_one_report(maker: Program, number: str) -> None:
    other = maker.report()
    assert maker.supplement(number, key="k").status_code == 201
    for answer in (
        maker.supplement(other, key="k"),
        maker.supplement(number, '"2"', key="k", deaths=3),
        maker.post(f"/{number}/void", {"reason": "重复上报"}, key="k", seen='"2"'),
        maker.post("", report_json(), key="k"),
    ):
        assert (answer.status_code, member(answer, "code")) == (422, "idempotency_key_reused")
        assert member(answer, "field") == "Idempotency-Key"
    assert versions(maker, number) == ["initial", "supplement"]
    assert versions(maker, other) == ["initial"]


def test_the_same_supplement_at_once_is_one_version(maker: Program, number: str) -> None:
    body = {"kind": "supplement", "report": report_json()}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: maker.post(f"/{number}/versions", body, key="k", seen='"1"'), range(4))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert versions(maker, number) == ["initial", "supplement"]


def test_what_was_in_time_is_in_time_when_it_is_sent_again(
    maker: Program, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, later = report_json(), clock.now() + timedelta(hours=30)
    maker.token = provider.access_token(exp=int(later.timestamp()) + 60)
    first = maker.post("", body, key="k")
    monkeypatch.setattr("clients.smdvs.api_submissions.clock.now", lambda: later)
    assert member(maker.post("", body, key="other"), "field") == "/late_reason"
    again = maker.post("", body, key="k")
    assert (again.status_code, again.data) == (first.status_code, first.data)


def test_another_enterprises_report_is_none(maker: Program, number: str, provider: TestProvider) -> None:
    stranger = Program.of(maker.app, provider, Person.handler(OTHER_ENTERPRISE))
    theirs = report_json(enterprise_credit_code=OTHER_ENTERPRISE)
    answers = [
        stranger.post(f"/{wanted}/versions", {"kind": "supplement", "report": theirs}, seen='"1"')
        for wanted in (number, "SMDVS-20200101-0001")
    ]
    answers += [stranger.post(f"/{number}/void", {"reason": "x"}, seen="*")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].data == answers[1].data == answers[2].data
    assert versions(maker, number) == ["initial"]


def test_the_report_in_a_version_is_the_tokens_enterprises(maker: Program, number: str) -> None:
    refused = maker.supplement(number, enterprise_credit_code=OTHER_ENTERPRISE)
    assert refused.status_code == 403
    assert member(refused, "reason") == "enterprise_mismatch"
    assert member(refused, "field") == "/report/enterprise_credit_code"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/kind", "missing"),
        ({"kind": "initial"}, "/kind", "enum"),
        ({"kind": ["supplement"]}, "/kind", "enum"),
        ({"kind": "supplement"}, "/report", "missing"),
        ({"kind": "supplement", "report": []}, "/report", "model_type"),
        ({"kind": "supplement", "report": report_json(), "more": 1}, "/more", "extra_forbidden"),
        (
            {"kind": "supplement", "report": report_json(vehicles=[vehicle(vin="LTEST00A1R1000001")])},
            "/report/vehicles/0/vin",
            "vin_check_digit",
        ),
    ],
)
def test_a_fault_in_a_version_is_told_with_its_pointer(
    maker: Program, number: str, body: Any, pointer: str, code: str
) -> None:
    answer = maker.post(f"/{number}/versions", body, seen='"1"')
    assert answer.status_code == 422, answer.text
    assert (member(answer, "field"), member(answer, "errors")[0]["code"]) == (pointer, code)
    assert versions(maker, number) == ["initial"]


def test_a_reading_token_submits_nothing(maker: Program, number: str, provider: TestProvider) -> None:
    reading = Program(maker.app, provider.access_token(scope="openid accident_report:read"))
    assert reading.supplement(number).status_code == 403
    assert reading.post(f"/{number}/void", {"reason": "x"}, seen='"1"').status_code == 403
    assert versions(maker, number) == ["initial"]
