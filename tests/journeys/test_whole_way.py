"""The whole way over both real applications: from 注册 to an accepted report, and a refused one."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.applications import Applications, serving
from tests.journeys.people import TIMEOUT, Page, Person, scan
from tests.servers import PostgreSQL

PASSWORD = "Journey#2026"
CREDIT_CODE = "91990101MADEM0038Y"
ENTERPRISE = "演示汽车科技有限公司"
GOAL_SECONDS = 1.0


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Applications]:
    """Both applications and the worker, embedded or on PostgreSQL and Redis."""
    environ = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        name = f"journey_{secrets.token_hex(4)}"
        with server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
            connection.execute(f"CREATE DATABASE {name}_smdvs".encode())
        environ["IDP_DATABASE_URL"] = server.url(name)
        environ["SMDVS_DATABASE_URL"] = server.url(f"{name}_smdvs")
        environ["IDP_REDIS_URL"] = request.getfixturevalue("redis_url")
    with serving(tmp_path, environ) as applications:
        yield applications


@dataclass
class Tokens:
    """What a foreign client of the maker got by the code flow, and how to use it."""

    idp_url: str
    client_id: str
    secret: str
    answer: dict[str, str]

    def refresh(self) -> requests.Response:
        """RFC 6749 §6."""
        form = {"grant_type": "refresh_token", "refresh_token": self.answer["refresh_token"]}
        response = self._post("/oauth/token", form)
        if response.ok:
            self.answer |= response.json()
        return response

    def introspect(self) -> dict[str, object]:
        """RFC 7662."""
        answer: dict[str, object] = self._post(
            "/oauth/introspect", {"token": self.answer["access_token"]}
        ).json()
        return answer

    def userinfo(self) -> requests.Response:
        """OIDC Core 5.3."""
        return requests.get(f"{self.idp_url}/oauth/userinfo", headers=self.bearer, timeout=TIMEOUT)

    @property
    def bearer(self) -> dict[str, str]:
        """RFC 6750 §2.1."""
        return {"Authorization": f"Bearer {self.answer['access_token']}"}

    def _post(self, path: str, form: dict[str, str]) -> requests.Response:
        return requests.post(self.idp_url + path, form, auth=(self.client_id, self.secret), timeout=TIMEOUT)


def test_a_report_is_accepted_from_an_approved_handler_and_refused_after_revocation(
    running: Applications, capsys: pytest.CaptureFixture[str]
) -> None:
    legal, handler = Person(running.idp_url), Person(running.idp_url)
    become_legal_person(legal)
    become_natural_person(handler)
    application_id = apply_and_approve(handler, legal)

    smdvs_page = sign_in_at_smdvs(handler, running)
    assert ENTERPRISE in smdvs_page.text
    submitted = submit_report(handler, running)
    assert "SMDVS-" in submitted.text

    tokens = foreign_client_signs_in(handler, running)
    assert tokens.introspect()["handler_scope"] == ["nev-accident-report"]
    userinfo = tokens.userinfo()
    assert userinfo.ok, userinfo.headers
    assert userinfo.json()["enterprise_credit_code"] == CREDIT_CODE
    accepted = api_report(running, tokens)
    assert accepted.status_code == 201, accepted.text

    form = handler.open(f"{running.smdvs_url}/smdvs/reports/new")
    first, refused = revoke_and_try(running, legal, application_id, tokens, lambda: fill_in(handler, form))
    with capsys.disabled():
        shown = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in first.items())
        print(f"\nfrom the click on 撤销 to the first refusal: {shown}")
    assert max(first.values()) < GOAL_SECONDS
    assert "撤销" in refused.text
    assert "静置停放时底部冒烟" in refused.response.text  # what was typed is kept
    assert count_reports(running, legal) == 2


def revoke_and_try(
    running: Applications, legal: Person, application_id: str, tokens: Tokens, submit: Callable[[], Page]
) -> tuple[dict[str, float], Page]:
    """Click on 撤销, then try every way in; seconds to each first refusal, and smdvs's refusing page."""
    handlers = legal.open("/enterprise/handlers")
    answers: list[Page] = []

    def submit_again() -> Page:
        answers.append(submit())
        return answers[-1]

    clicked_at = time.perf_counter()
    legal.submit(handlers, "decision=revoke", row=application_id)
    return first_refusals(running, tokens, submit_again, clicked_at), answers[-1]


def become_legal_person(legal: Person) -> None:
    legal.register("journey_legal", "19900000101", PASSWORD)
    page = legal.open("/account/verification?subject_type=legal_person")
    page = legal.submit(
        page,
        "action=submit",
        {
            "organization_type": first_choice(page, "organization_type"),
            "legal_person_type": first_choice(page, "legal_person_type"),
            "enterprise_credit_code": CREDIT_CODE.lower(),
            "enterprise_name": ENTERPRISE,
            "representative_name": "张示例",
            "representative_document_type": "id_card",
            "representative_document_number": "990101197812310016",
            "address": "示例市示例区示例路 1 号",
        },
        files={"document_scan": scan(), "licence_scan": scan()},
    )
    assert "已实名认证" in legal.open("/account").text


def first_choice(page: Page, name: str) -> str:
    options = page.form(name).xpath(f".//select[@name='{name}']/option/@value")
    return str(next(value for value in options if value))


def become_natural_person(handler: Person) -> None:
    page = handler.register("journey_li", "19900000102", PASSWORD)
    assert "实名认证" in page.text
    page = handler.open("/account/verification?subject_type=natural_person")
    handler.submit(
        page,
        "action=submit",
        {
            "real_name": "李示例",
            "document_type": "id_card",
            "document_number": "990101199001010027",
            "address": "示例市示例区示例路 2 号",
            "valid_from": "2020-01-01",
            "valid_until": "2040-01-01",
        },
        files={"document_scan": scan()},
    )
    assert "已实名认证" in handler.open("/account").text


def apply_and_approve(handler: Person, legal: Person) -> str:
    page = handler.open("/account/handler-applications")
    page = handler.submit(
        page,
        "action=apply",
        {
            "enterprise_name": ENTERPRISE,
            "enterprise_credit_code": CREDIT_CODE,
            "matters": "nev-accident-report",
            "valid_until": (datetime.now(UTC) + timedelta(days=90)).date().isoformat(),
        },
    )
    assert "待审核" in page.text
    page = legal.open("/enterprise/handlers")
    assert "journey_li" in page.text
    application_id = dict(page.form("decision=approve").form_values())["id"]
    page = legal.submit(page, "decision=approve", row=application_id)
    assert "已通过" in page.text
    return str(application_id)


def sign_in_at_smdvs(handler: Person, running: Applications) -> Page:
    page = handler.open(f"{running.smdvs_url}/smdvs/login")
    assert ENTERPRISE in page.text, page.text
    page = handler.submit(page, "consent-approve")
    assert page.url.startswith(running.smdvs_url)
    return page


def submit_report(handler: Person, running: Applications) -> Page:
    return fill_in(handler, handler.open(f"{running.smdvs_url}/smdvs/reports/new"))


def fill_in(handler: Person, page: Page) -> Page:
    vehicle = {
        "vin": "LTEST00A0R1000001",
        "brand": "示例",
        "model": "示例EV-1",
        "vehicle_class": first_choice(page, "vehicles-0-vehicle_class"),
        "energy_type": first_choice(page, "vehicles-0-energy_type"),
        "odometer_km": "1234",
        "battery-cell_maker": "样板电池",
        "battery-pack_maker": "样板电池",
        "battery-battery_type": first_choice(page, "vehicles-0-battery-battery_type"),
    }
    moment = datetime.now(UTC) + timedelta(hours=8)
    return handler.submit(
        page,
        "vehicles-0-vin",
        {f"vehicles-0-{name}": value for name, value in vehicle.items()}
        | {
            "reporter_phone": "19900000102",
            "accident_type": first_choice(page, "accident_type"),
            "occurred_at": (moment - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"),
            "learned_at": (moment - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
            "place-province": first_choice(page, "place-province"),
            "place-city": "示例市",
            "place-address": "示例路 1 号",
            "vehicle_state": first_choice(page, "vehicle_state"),
            "narrative": "静置停放时底部冒烟，随后起火，消防到场扑灭。",
            "deaths": "0",
            "injured_heavy": "0",
            "injured_light": "0",
            "property_loss": "100000",
            "major_social_impact": "false",
            "preliminary_cause": first_choice(page, "preliminary_cause"),
        },
    )


def foreign_client_signs_in(handler: Person, running: Applications) -> Tokens:
    """A client registered by command, with the code flow of any OAuth library."""
    redirect_uri = "http://127.0.0.1:9/callback"
    client = running.register(
        {
            "client_name": "示例车企内部系统",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid enterprise handler accident_report:submit accident_report:read",
            "matters": ["nev-accident-report"],
            "require_enterprise": True,
        }
    )
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": redirect_uri,
        "scope": "openid enterprise handler accident_report:submit accident_report:read",
        "state": "xyz",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = handler.open(f"/oauth/authorize?{urlencode(query)}")
    form = page.form("consent-approve")
    values = dict(form.form_values()) | {"decision": "allow"}
    answer = handler.browser.post(form.action or page.url, values, allow_redirects=False, timeout=TIMEOUT)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    response = requests.post(
        f"{running.idp_url}/oauth/token",
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
        auth=(client["client_id"], client["client_secret"]),
        timeout=TIMEOUT,
    )
    assert response.ok, response.text
    return Tokens(running.idp_url, client["client_id"], client["client_secret"], response.json())


def api_report(running: Applications, tokens: Tokens) -> requests.Response:
    moment = datetime.now(UTC)
    report = {
        "enterprise_credit_code": CREDIT_CODE,
        "reporter_phone": "19900000102",
        "accident_type": "fire",
        "occurred_at": (moment - timedelta(hours=3)).isoformat(),
        "learned_at": (moment - timedelta(hours=2)).isoformat(),
        "place": {"province": "110000", "city": "示例市", "address": "示例路 1 号"},
        "vehicle_state": "parked",
        "vehicles": [
            {
                "vin": "LTEST00B4S1000002",
                "brand": "示例",
                "model": "示例EV-1",
                "vehicle_class": "passenger",
                "energy_type": "bev",
                "odometer_km": 12,
                "battery": {"cell_maker": "样板", "pack_maker": "样板", "battery_type": "lfp"},
            }
        ],
        "narrative": "静置停放时底部冒烟，随后起火。",
        "deaths": 0,
        "injured_heavy": 0,
        "injured_light": 0,
        "property_loss": 1000,
        "major_social_impact": False,
        "preliminary_cause": "under_investigation",
    }
    return requests.post(
        f"{running.smdvs_url}/smdvs/api/v1/reports",
        json=report,
        headers=tokens.bearer | {"Idempotency-Key": secrets.token_hex(8)},
        timeout=TIMEOUT,
    )


def first_refusals(
    running: Applications, tokens: Tokens, submit: Callable[[], Page], clicked_at: float
) -> dict[str, float]:
    """Seconds from the click until each way in is first refused."""
    ways: dict[str, Callable[[], bool]] = {
        "refresh": lambda: tokens.refresh().status_code == 400,
        "introspection": lambda: tokens.introspect() == {"active": False},
        "userinfo": lambda: tokens.userinfo().status_code == 401,
        "smdvs API": lambda: api_report(running, tokens).status_code == 401,
        "smdvs page": lambda: "SMDVS-" not in submit().text,
    }
    refused: dict[str, float] = {}
    while len(refused) < len(ways) and time.perf_counter() - clicked_at < 10:
        for name, is_refused in ways.items():
            if name not in refused and is_refused():
                refused[name] = time.perf_counter() - clicked_at
    assert refused.keys() == ways.keys()
    return refused


def count_reports(running: Applications, legal: Person) -> int:
    page = legal.open(f"{running.smdvs_url}/smdvs/login")
    legal.submit(page, "consent-approve")
    return len(legal.open(f"{running.smdvs_url}/smdvs/reports").numbers())
