"""Every address of smdvs, and what each kind of person gets there about a report of enterprise A.

A new route without a row fails. What is another's looks like what is not there: same status, same body.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, system_of
from tests.clients.documents import form_fields, report_json
from tests.clients.life import brought_to
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person, TestProvider

PEOPLE = {
    "nobody": None,
    "natural": Person.natural_person(),
    "handler_a": Person.handler(),
    "handler_b": replace(Person.handler(OTHER_ENTERPRISE), sub="person-b"),
    "legal_a": Person.legal_person(),
    "without_matter": replace(Person.handler(handler_scope=["another-matter"]), sub="person-c"),
    "revoked": replace(Person.handler(), sub="person-d"),
    "regulator": replace(Person.natural_person(roles=["regulator"]), sub="regulator-1"),
}
NOWHERE = "SMDVS-20200101-0001"

# Route: the statuses for the people above, in their order. 303 for nobody leads to the sign-in.
EVERYONE = (200,) * 8
READ = (303, 403, 200, 404, 200, 403, 401, 200)
LIST = (303, 403, 200, 200, 200, 403, 401, 200)
READ_API = (401, 403, 200, 404, 200, 403, 401, 200)
LIST_API = (401, 403, 200, 200, 200, 403, 401, 200)
# Of the enterprise alone: the regulator submits nothing.
OWN = (303, 403, 200, 404, 200, 403, 401, 403)
OWN_SENT = (401, 403, 303, 404, 303, 403, 401, 403)
OWN_API = (401, 403, 201, 404, 201, 403, 401, 403)
# Who has no role is told so before the provider is asked.
REGULATORS = (401, 403, 403, 403, 403, 403, 403, 303)
ROUTES: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "/"): (302,) * 8,
    ("GET", "/smdvs/"): EVERYONE,
    ("GET", "/smdvs/healthz"): EVERYONE,
    ("GET", "/smdvs/dev/outbox"): EVERYONE,  # in development alone: test_outbox
    ("GET", "/smdvs/login"): (303,) * 8,
    ("GET", "/smdvs/callback"): (400,) * 8,
    ("POST", "/smdvs/logout"): (303,) * 8,
    ("POST", "/smdvs/backchannel-logout"): (400,) * 8,
    ("POST", "/smdvs/events"): (401,) * 8,
    ("GET", "/smdvs/reports"): LIST,
    ("GET", "/smdvs/reports/export"): LIST,
    ("GET", "/smdvs/statistics"): LIST,
    ("GET", "/smdvs/reports/new"): (303, 403, 200, 200, 200, 403, 401, 403),
    ("POST", "/smdvs/reports/new"): (401, 403, 303, 403, 303, 403, 401, 403),
    ("GET", "/smdvs/reports/<report_no>"): READ,
    ("GET", "/smdvs/reports/<report_no>/print"): READ,
    ("GET", "/smdvs/reports/<report_no>/versions/<int:number>"): READ,
    ("GET", "/smdvs/reports/<report_no>/void"): OWN,
    ("POST", "/smdvs/reports/<report_no>/void"): OWN_SENT,
    ("POST", "/smdvs/reports/<report_no>/review"): REGULATORS,
    ("POST", "/smdvs/reports/<report_no>/persons"): (401, 403, 403, 403, 403, 403, 403, 200),
    ("GET", "/smdvs/api/v1/openapi.json"): EVERYONE,
    ("GET", "/smdvs/api/v1/reports"): LIST_API,
    ("POST", "/smdvs/api/v1/reports"): (401, 403, 201, 403, 201, 403, 401, 403),
    ("GET", "/smdvs/api/v1/reports/<report_no>"): READ_API,
    ("GET", "/smdvs/api/v1/reports/<report_no>/versions"): READ_API,
    ("GET", "/smdvs/api/v1/reports/<report_no>/versions/<version>"): READ_API,
    # The body names enterprise A: that is another's fault, whether or not the report is there.
    ("POST", "/smdvs/api/v1/reports/<report_no>/versions"): (401, 403, 201, 403, 201, 403, 401, 403),
    ("POST", "/smdvs/api/v1/reports/<report_no>/void"): OWN_API,
}
# Files of the look: the same for everybody, about nobody.
FILES = ("/smdvs/static/<path:filename>", "/smdvs/static/bootstrap/<path:filename>")
ABOUT_ONE = [route for route in ROUTES if "<report_no>" in route[1]]


@pytest.fixture(autouse=True)
def _never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the provider each time, so that one row doesn't lean on another."""
    monkeypatch.setattr("clients.rp.liveness.CACHE_SECONDS", 0.0)


class Visitor:
    """One of the people, at a browser and with a program."""

    def __init__(self, app: Flask, provider: TestProvider, name: str) -> None:
        self.app, self.provider, self.person, self.name = app, provider, PEOPLE[name], name
        self.browser = Browser(app.test_client(), provider)
        secret = secrets.token_urlsafe(32)
        self.browser.http.set_cookie("smdvs_csrf", secret, path="/smdvs/")
        self.csrf = system_of(app).cookies.digest(secret, "csrf")

    def visit(self, method: str, rule: str, report_no: str) -> TestResponse:
        """Go there with everything that somebody entitled would send, and read the answer to its end."""
        answer = self._visit(method, rule, report_no)
        answer.get_data()
        answer.close()
        return answer

    def _visit(self, method: str, rule: str, report_no: str) -> TestResponse:
        headers = self._authorization() if "/api/" in rule else self._signed_in()
        path = rule.replace("<report_no>", report_no)
        for number in ("<int:number>", "<version>"):
            path = path.replace(number, "1")
        if method == "GET":
            return self.browser.http.get(path, headers=headers)
        if "/api/" in rule:
            return self.browser.http.post(path, json=_document(rule), headers=headers | {"If-Match": '"2"'})
        return self.browser.http.post(path, data={"csrf_token": self.csrf, **_fields(rule)})

    def _signed_in(self) -> dict[str, str]:
        if self.person is not None:
            self.browser.sign_in(self.person)
            if self.name == "revoked":
                self.provider.revoke_all()
        return {}

    def _authorization(self) -> dict[str, str]:
        if self.person is None:
            return {}
        token = self.provider.access_token(self.person)
        if self.name == "revoked":
            self.provider.revoke_all()
        return {"Authorization": f"Bearer {token}"}


def _fields(rule: str) -> dict[str, str]:
    """A form as somebody entitled would send it."""
    if rule.endswith("/new"):
        return {**form_fields(), "enterprise_credit_code": ENTERPRISE}
    return {"version": "2", "decision": "review", "reason": "一个原因", "confirm": "yes"}


def _document(rule: str) -> dict[str, object]:
    """A body as somebody entitled would send it."""
    if rule.endswith("/void"):
        return {"reason": "与另一份上报重复"}
    return {"kind": "detailed", "report": report_json()} if rule.endswith("/versions") else report_json()


def rules(app: Flask) -> Iterator[tuple[str, str]]:
    """Every route of ours."""
    for rule in app.url_map.iter_rules():
        if rule.rule not in FILES:
            yield from ((method, rule.rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_route_has_a_row(smdvs: Flask) -> None:
    assert sorted(rules(smdvs)) == sorted(ROUTES)


@pytest.mark.parametrize("name", list(PEOPLE))
def test_each_person_gets_exactly_what_they_may(smdvs: Flask, provider: TestProvider, name: str) -> None:
    visitor, place = Visitor(smdvs, provider, name), list(PEOPLE).index(name)
    got = {}
    for method, rule in ROUTES:
        report_no = brought_to(system_of(smdvs), Status.DETAILED_SUBMITTED)
        got[method, rule] = visitor.visit(method, rule, report_no).status_code
    assert got == {route: statuses[place] for route, statuses in ROUTES.items()}


@pytest.mark.parametrize("route", ABOUT_ONE, ids=" ".join)
def test_what_is_anothers_looks_like_what_is_not_there(
    smdvs: Flask, provider: TestProvider, route: tuple[str, str]
) -> None:
    report_no = brought_to(system_of(smdvs), Status.DETAILED_SUBMITTED)
    visitor = Visitor(smdvs, provider, "handler_b")
    alien, absent = (visitor.visit(*route, number) for number in (report_no, NOWHERE))
    assert alien.status_code == absent.status_code
    assert alien.text.replace(report_no, "") == absent.text.replace(NOWHERE, "")
    assert ENTERPRISE not in alien.text


@pytest.mark.parametrize(
    "rule", ["/smdvs/reports", "/smdvs/reports/export", "/smdvs/statistics", "/smdvs/api/v1/reports"]
)
def test_a_list_an_export_and_the_figures_hold_ones_own_alone(
    smdvs: Flask, provider: TestProvider, rule: str
) -> None:
    before = Visitor(smdvs, provider, "handler_b").visit("GET", rule, NOWHERE)
    report_no = brought_to(system_of(smdvs), Status.DETAILED_SUBMITTED)
    after = Visitor(smdvs, provider, "handler_b").visit("GET", rule, report_no)
    assert report_no.encode() not in after.data
    assert ENTERPRISE.encode() not in after.data
    if rule.startswith("/smdvs/api"):
        assert after.data == before.data


def test_a_revoked_handler_is_out_at_the_next_request(smdvs: Flask, provider: TestProvider) -> None:
    report_no = brought_to(system_of(smdvs), Status.DETAILED_SUBMITTED)
    browser = Browser(smdvs.test_client(), provider)
    browser.sign_in(Person.handler())
    assert browser.get(f"/smdvs/reports/{report_no}").status_code == 200
    provider.revoke_all()
    answer = browser.get(f"/smdvs/reports/{report_no}")
    assert answer.status_code == 401
    assert report_no not in answer.text
    assert browser.get(f"/smdvs/reports/{report_no}").status_code == 303
