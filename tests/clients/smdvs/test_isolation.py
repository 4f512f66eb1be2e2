"""Every address of smdvs, and what each kind of person gets there about a report of enterprise A.

A new route without a row fails. What is another's looks like what is not there: same status, same body.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.rp import clock
from clients.smdvs import attachments, submissions
from clients.smdvs.attachments import Kept, Upload
from clients.smdvs.form_pages import LATER
from clients.smdvs.lifecycle import Act
from clients.smdvs.submissions import Accepted
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, system_of
from tests.clients.documents import detailed_json, form_fields, report_json
from tests.clients.files import multipart, picture
from tests.clients.life import ORIGIN, REPORTER, brought_to, files, report
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person, TestProvider

PHOTO = picture("JPEG")
NAMED = {"enterprise_credit_code": ENTERPRISE}
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
ROUTES |= {
    ("GET", "/smdvs/reports/<report_no>/attachments/<attachment_id>"): READ,
    ("GET", "/smdvs/api/v1/reports/<report_no>/attachments/<attachment_id>"): READ_API,
    ("POST", "/smdvs/api/v1/attachments"): (401, 403, 201, 201, 201, 403, 401, 403),
    # A draft is its owner's alone: the enterprise's legal person doesn't see it.
    ("GET", "/smdvs/drafts/<draft_id>/attachments/<attachment_id>"): (303, 403, 200, 404, 404, 403, 401, 403),
    ("POST", "/smdvs/drafts/<draft_id>/attachments"): (401, 403, 201, 403, 201, 403, 401, 403),
}
# Drafts are the person's own; the one of the table below is not written, so that nobody finds it.
DRAFT = (303, 403, 404, 404, 404, 403, 401, 403)
ROUTES |= {
    ("GET", "/smdvs/drafts"): (303, 403, 200, 200, 200, 403, 401, 403),
    ("GET", "/smdvs/drafts/<draft_id>"): DRAFT,
    ("POST", "/smdvs/drafts/<draft_id>"): (401,) * 8,
    ("POST", "/smdvs/drafts/<draft_id>/delete"): DRAFT,
    ("GET", f"/smdvs/reports/<report_no>/{LATER}"): (303, 403, 409, 404, 409, 403, 401, 403),
    ("POST", f"/smdvs/reports/<report_no>/{LATER}"): (401, 403, 422, 404, 422, 403, 401, 403),
}
# Files of the look: the same for everybody, about nobody.
FILES = ("/smdvs/static/<path:filename>", "/smdvs/static/bootstrap/<path:filename>")
ABOUT_ONE = [route for route in ROUTES if "<report_no>" in route[1] or "<attachment_id>" in route[1]]


@pytest.fixture(autouse=True)
def _never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the provider each time, so that one row doesn't lean on another."""
    monkeypatch.setattr("clients.rp.liveness.CACHE_SECONDS", 0.0)


@dataclass(frozen=True)
class Place:
    """What there is of enterprise A's: a report with a file, a draft with another."""

    report_no: str
    draft_id: str
    file_of_report: str
    file_of_draft: str

    def path(self, rule: str) -> str:
        """The address of that route about it."""
        file = self.file_of_draft if "/drafts/" in rule else self.file_of_report
        parts = {"<report_no>": self.report_no, "<draft_id>": self.draft_id, "<attachment_id>": file}
        parts |= dict.fromkeys(("<int:number>", "<version>"), "1")
        parts |= {f"<{LATER[1:-1]}>": "supplement"}
        for part, value in parts.items():
            rule = rule.replace(part, value)
        return rule

    def without_names(self, text: str) -> str:
        """A text without what its reader has asked for."""
        for name in (self.report_no, self.draft_id, self.file_of_report, self.file_of_draft):
            text = text.replace(name, "")
        return text


NOWHERE = Place("SMDVS-20200101-0001", "draft-9", "file-8", "file-9")


def made(system: System) -> Place:
    """Make it."""
    report_no = brought_to(system, Status.INITIAL_SUBMITTED)
    draft_id = secrets.token_urlsafe(16)
    of_report, of_draft = kept(system, None), kept(system, draft_id)
    needed = (of_report, *files(system))
    outcome = submissions.submit_version(
        system, REPORTER, report_no, Act.DETAILED, report(), ORIGIN, None, None, clock.now(), needed
    )
    assert isinstance(outcome, Accepted), outcome
    return Place(report_no, draft_id, of_report, of_draft)


def kept(system: System, draft_id: str | None) -> str:
    """A photo of the handler's."""
    owner, upload = Owner(REPORTER.sub, ENTERPRISE), Upload("现场.jpg", PHOTO)
    taken = attachments.keep_upload(system, owner, draft_id, upload, "site_photo", clock.now())
    assert isinstance(taken, Kept), taken
    return taken.id


class Visitor:
    """One of the people, at a browser and with a program."""

    def __init__(self, app: Flask, provider: TestProvider, name: str) -> None:
        self.app, self.provider, self.person, self.name = app, provider, PEOPLE[name], name
        self.browser = Browser(app.test_client(), provider)
        secret = secrets.token_urlsafe(32)
        self.browser.http.set_cookie("smdvs_csrf", secret, path="/smdvs/")
        self.csrf = system_of(app).cookies.digest(secret, "csrf")

    def visit(self, method: str, rule: str, place: Place) -> TestResponse:
        """Go there with everything that somebody entitled would send, and read the answer to its end."""
        headers = self._authorization() if "/api/" in rule else self._signed_in()
        sent = {} if method == "GET" else self._sent(rule)
        answer = self.browser.http.open(place.path(rule), method=method, headers=headers, **sent)
        answer.get_data()
        answer.close()
        return answer

    def _sent(self, rule: str) -> dict[str, Any]:
        fields = {"csrf_token": self.csrf, **_fields(rule)}
        if rule.endswith("/attachments"):
            return multipart(fields, ("现场.jpg", PHOTO))
        return {"json": _document(rule)} if "/api/" in rule else {"data": fields}

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
        return {"Authorization": f"Bearer {token}", "If-Match": '"2"'}


def _fields(rule: str) -> dict[str, str]:
    """A form as somebody entitled would send it."""
    if rule.endswith("/new"):
        return {**form_fields(), **NAMED}
    if rule.endswith("/attachments"):
        named = {"kind": "site_photo"}
        return named if "/api/" in rule else {"attachment_kind": "site_photo", **NAMED}
    return {"version": "2", "decision": "review", "reason": "一个原因", "confirm": "yes"}


def _document(rule: str) -> dict[str, object]:
    """A body as somebody entitled would send it."""
    if rule.endswith("/void"):
        return {"reason": "与另一份上报重复"}
    return {"kind": "detailed", "report": detailed_json()} if rule.endswith("/versions") else report_json()


def rules(app: Flask) -> Iterator[tuple[str, str]]:
    """Every route of ours."""
    for rule in app.url_map.iter_rules():
        if rule.rule not in FILES:
            yield from ((method, rule.rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_route_has_a_row(smdvs: Flask) -> None:
    assert sorted(rules(smdvs)) == sorted(ROUTES)


@pytest.mark.parametrize("name", list(PEOPLE))
def test_each_person_gets_exactly_what_they_may(smdvs: Flask, provider: TestProvider, name: str) -> None:
    visitor, column = Visitor(smdvs, provider, name), list(PEOPLE).index(name)
    got = {}
    for method, rule in ROUTES:
        got[method, rule] = visitor.visit(method, rule, made(system_of(smdvs))).status_code
    assert got == {route: statuses[column] for route, statuses in ROUTES.items()}


@pytest.mark.parametrize("route", ABOUT_ONE, ids=" ".join)
def test_what_is_anothers_looks_like_what_is_not_there(
    smdvs: Flask, provider: TestProvider, route: tuple[str, str]
) -> None:
    place, visitor = made(system_of(smdvs)), Visitor(smdvs, provider, "handler_b")
    alien, absent = (visitor.visit(*route, where) for where in (place, NOWHERE))
    assert alien.status_code == absent.status_code
    assert place.without_names(alien.text) == NOWHERE.without_names(absent.text)
    assert ENTERPRISE not in alien.text


@pytest.mark.parametrize(
    "rule", ["/smdvs/reports", "/smdvs/reports/export", "/smdvs/statistics", "/smdvs/api/v1/reports"]
)
def test_a_list_an_export_and_the_figures_hold_ones_own_alone(
    smdvs: Flask, provider: TestProvider, rule: str
) -> None:
    before = Visitor(smdvs, provider, "handler_b").visit("GET", rule, NOWHERE)
    place = made(system_of(smdvs))
    after = Visitor(smdvs, provider, "handler_b").visit("GET", rule, place)
    assert place.report_no.encode() not in after.data
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
