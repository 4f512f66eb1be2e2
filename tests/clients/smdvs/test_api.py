"""The JSON API: the checks of claims.md before anything is stored, and problems that say what is wrong."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from clients.rp.entitlement import Reader
from clients.smdvs import reports, submissions
from clients.smdvs.app import MAX_BODY_BYTES
from clients.smdvs.storage.database import DatabaseUnavailable
from tests.clients.conftest import PUBLIC_URL, system_of
from tests.clients.documents import report_json, vehicle
from tests.clients.provider import OTHER_ENTERPRISE, Person, TestProvider

REPORTS = "/smdvs/api/v1/reports"


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **headers}


@pytest.fixture
def token(smdvs: Flask, provider: TestProvider) -> str:
    return provider.access_token()


def post(smdvs: Flask, token: str, body: Any = None, **headers: str) -> TestResponse:
    document = report_json() if body is None else body
    return smdvs.test_client().post(REPORTS, json=document, headers=bearer(token, **headers))


def stored(smdvs: Flask) -> int:
    return reports.list_page(system_of(smdvs), Reader("", None), 1, 1).total


def test_a_handlers_program_submits_and_reads_back(smdvs: Flask, token: str) -> None:
    created = post(smdvs, token)
    assert created.status_code == 201, created.text
    assert created.json is not None
    report_no = created.json["report_no"]
    assert created.location == f"{PUBLIC_URL}{REPORTS}/{report_no}"
    client = smdvs.test_client()
    one = client.get(f"{REPORTS}/{report_no}", headers=bearer(token)).json
    assert one is not None
    assert one["report"]["narrative"] == report_json()["narrative"]
    assert one["history"][0]["handler_authorization_id"] == "authorization-1"
    listed = client.get(REPORTS, headers=bearer(token)).json
    assert listed is not None
    assert [row["report_no"] for row in listed["reports"]] == [report_no]
    assert listed["total"] == 1


def test_a_revoked_handlers_very_next_submission_is_refused(
    smdvs: Flask, token: str, provider: TestProvider
) -> None:
    assert post(smdvs, token).status_code == 201
    provider.revoke_all()
    began = time.monotonic()
    refused = post(smdvs, token)
    print(f"refused {time.monotonic() - began:.3f} s after the revocation")
    assert time.monotonic() - began < 1
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert refused.json is not None
    assert refused.json["reason"] == "authorisation_ended"
    assert stored(smdvs) == 1


def test_reading_ends_with_the_authorisation_too(
    smdvs: Flask, token: str, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.liveness.CACHE_SECONDS", 0.0)
    client = smdvs.test_client()
    assert client.get(REPORTS, headers=bearer(token)).status_code == 200
    provider.revoke_all()
    assert client.get(REPORTS, headers=bearer(token)).status_code == 401


@pytest.mark.parametrize(
    ("person", "reason", "status"),
    [
        (Person.natural_person(), "no_enterprise", 403),
        (Person.natural_person(roles=["regulator"]), "no_enterprise", 403),
        (Person.handler(handler_scope=["nev-recall"]), "handler_scope_missing", 403),
        (Person.handler(OTHER_ENTERPRISE), "enterprise_mismatch", 403),
        (Person.handler("91990101MADEM00118"), "enterprise_invalid", 401),
    ],
)
def test_who_may_not_submit_is_told_why(
    smdvs: Flask, provider: TestProvider, person: Person, reason: str, status: int
) -> None:
    refused = post(smdvs, provider.access_token(person))
    assert refused.status_code == status
    assert refused.mimetype == "application/problem+json"
    assert refused.json is not None
    assert (refused.json["reason"], refused.json["status"]) == (reason, status)
    challenges = refused.headers.getlist("WWW-Authenticate")
    assert [challenge.split(" ")[0] for challenge in challenges] == ["Bearer", "DPoP"]
    assert f'error_description="{refused.json["error_description"]}"' in challenges[0]
    assert stored(smdvs) == 0


def test_a_missing_scope_is_named(smdvs: Flask, provider: TestProvider) -> None:
    refused = post(smdvs, provider.access_token(scope="openid accident_report:read"))
    assert refused.status_code == 403
    challenge = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="accident_report:submit"' in challenge


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Token x"])
def test_no_credentials_are_asked_for_without_an_error_code(smdvs: Flask, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    refused = smdvs.test_client().post(REPORTS, json=report_json(), headers=headers)
    assert refused.status_code == 401
    assert "error=" not in refused.headers["WWW-Authenticate"]


def test_a_token_in_address_or_body_is_no_token(smdvs: Flask, token: str) -> None:
    client = smdvs.test_client()
    assert client.get(f"{REPORTS}?access_token={token}").status_code == 401
    assert client.post(REPORTS, json=report_json(access_token=token)).status_code == 401


def test_a_bad_token_is_told_before_a_bad_body(smdvs: Flask) -> None:
    answer = smdvs.test_client().post(REPORTS, data=b"{", headers=bearer("x.y.z"))
    assert answer.status_code == 401


def test_a_fault_is_told_with_its_field(smdvs: Flask, token: str) -> None:
    answer = post(smdvs, token, report_json(vehicles=[vehicle(vin="LTEST00A1R1000001")]))
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["field"] == "/vehicles/0/vin"
    assert answer.json["errors"][0]["code"] == "vin_check_digit"
    assert "校验位" in answer.json["detail"]
    assert stored(smdvs) == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "not_json"),
        (b"[]", "application/json", 400, "not_an_object"),
        (b"\xff", "application/json", 400, "not_utf8"),
        (b'{"a":"\\u0000"}', "application/json", 400, "nul_byte"),
        (b'{"a":1,"a":2}', "application/json", 400, "duplicate_member"),
        (b'{"enterprise_credit_code":[1]}', "application/json", 422, "invalid_report"),
        (b"{}", "application/json; charset=utf-8", 422, "invalid_report"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b'{"x":"' + b"x" * MAX_BODY_BYTES + b'"}', "application/json", 413, "request_entity_too_large"),
    ],
)
def test_a_body_that_is_no_report_is_a_clear_problem(
    smdvs: Flask, token: str, body: bytes, content_type: str, status: int, code: str
) -> None:
    headers = bearer(token, **({"Content-Type": content_type} if content_type else {}))
    answer = smdvs.test_client().post(REPORTS, data=body, headers=headers)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert (answer.json["code"], answer.json["status"]) == (code, status)
    assert stored(smdvs) == 0


def test_a_repeated_submission_gets_the_same_answer(smdvs: Flask, token: str) -> None:
    body = report_json()
    first, again = (post(smdvs, token, body, **{"Idempotency-Key": "k-1"}) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert (first.json, first.location) == (again.json, again.location)
    assert stored(smdvs) == 1


def test_a_key_with_another_body_is_unprocessable(smdvs: Flask, token: str) -> None:
    post(smdvs, token, **{"Idempotency-Key": "k-1"})
    reused = post(smdvs, token, report_json(deaths=1), **{"Idempotency-Key": "k-1"})
    assert reused.status_code == 422
    assert reused.json is not None
    assert reused.json["code"] == "idempotency_key_reused"
    assert stored(smdvs) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "键"])
def test_a_key_that_is_none_is_refused(smdvs: Flask, token: str, key: str) -> None:
    sent = key.encode().decode("latin-1")
    assert post(smdvs, token, **{"Idempotency-Key": sent}).status_code == 400


def test_the_same_key_at_once_is_one_report(smdvs: Flask, token: str) -> None:
    body = report_json()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(smdvs, token, body, **{"Idempotency-Key": "k"}), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.location for answer in answers}) == 1
    assert stored(smdvs) == 1


@pytest.mark.parametrize("endpoint", ["introspect", "jwks", "discovery"])
def test_a_silent_provider_is_503_and_nothing_is_stored(
    smdvs: Flask, token: str, provider: TestProvider, endpoint: str
) -> None:
    provider.broken.add(endpoint)
    answer = post(smdvs, token)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["detail"] == "平台暂时无法核验授权，请稍后重试"
    assert answer.headers["Retry-After"] == "5"
    assert stored(smdvs) == 0


def test_a_regulator_reads_all_and_an_enterprise_only_its_own(smdvs: Flask, provider: TestProvider) -> None:
    report_no = (post(smdvs, provider.access_token()).json or {})["report_no"]
    client, path = smdvs.test_client(), f"{REPORTS}/{report_no}"
    regulator = provider.access_token(Person.natural_person(roles=["regulator"]))
    stranger = provider.access_token(Person.handler(OTHER_ENTERPRISE))
    assert client.get(path, headers=bearer(regulator)).status_code == 200
    assert client.get(path, headers=bearer(stranger)).status_code == 404
    assert client.get(f"{REPORTS}/SMDVS-20260101-0001", headers=bearer(stranger)).status_code == 404
    assert (client.get(REPORTS, headers=bearer(stranger)).json or {})["total"] == 0


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "per_page=201", "page=-1", "page=99999999999", "page=１"]
)
def test_a_page_that_is_none_is_a_problem(smdvs: Flask, token: str, query: str) -> None:
    answer = smdvs.test_client().get(f"{REPORTS}?{query}", headers=bearer(token))
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def test_a_busy_database_is_503(smdvs: Flask, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise DatabaseUnavailable("SELECT 1", {}, Exception("database is locked"))

    monkeypatch.setattr(submissions, "submit_initial", busy)
    answer = post(smdvs, token)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "database_unavailable"


def test_unknown_addresses_and_methods_are_problems_too(smdvs: Flask) -> None:
    client = smdvs.test_client()
    assert client.get("/smdvs/api/v1/nothing").mimetype == "application/problem+json"
    wrong = client.delete(REPORTS)
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]
    assert wrong.mimetype == "application/problem+json"


class Prover:
    """A caller with a key: binds tokens to it and proves it."""

    def __init__(self, provider: TestProvider) -> None:
        self.key = ECKey.generate_key("P-256")
        self.token = provider.access_token(cnf={"jkt": self.key.thumbprint()})

    def headers(self, jti: str = "1", method: str = "POST") -> dict[str, str]:
        ath = urlsafe_b64encode(hashlib.sha256(self.token.encode()).digest()).rstrip(b"=").decode()
        claims = {"htm": method, "htu": PUBLIC_URL + REPORTS, "iat": int(time.time()), "jti": jti, "ath": ath}
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        proof = jwt.encode(header, claims, self.key, algorithms=["ES256"])
        return {"Authorization": f"DPoP {self.token}", "DPoP": proof}


def test_a_bound_token_submits_with_its_proof_once(smdvs: Flask, provider: TestProvider) -> None:
    prover, client = Prover(provider), smdvs.test_client()
    headers = prover.headers()
    assert client.post(REPORTS, json=report_json(), headers=headers).status_code == 201
    replayed = client.post(REPORTS, json=report_json(), headers=headers)
    assert replayed.status_code == 401
    assert replayed.headers["WWW-Authenticate"].startswith("DPoP ")
    assert stored(smdvs) == 1


def test_a_bound_token_is_refused_without_or_with_another_proof(smdvs: Flask, provider: TestProvider) -> None:
    prover, client = Prover(provider), smdvs.test_client()
    as_bearer = client.post(REPORTS, json=report_json(), headers=bearer(prover.token))
    assert (as_bearer.json or {})["reason"] == "token_binding"
    unproved = client.post(REPORTS, json=report_json(), headers={"Authorization": f"DPoP {prover.token}"})
    assert unproved.status_code == 401
    for_reading = client.post(REPORTS, json=report_json(), headers=prover.headers(method="GET"))
    assert for_reading.status_code == 401
    thief = Prover(provider)
    thief.token = prover.token
    stolen = client.post(REPORTS, json=report_json(), headers=thief.headers())
    assert (stolen.json or {})["reason"] == "token_binding"
    assert stored(smdvs) == 0


def test_the_openapi_document_describes_what_is_accepted(smdvs: Flask, token: str) -> None:
    described = smdvs.test_client().get("/smdvs/api/v1/openapi.json").json
    assert described is not None
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": f"{PUBLIC_URL}/smdvs/api/v1"}]
    body = described["paths"]["/reports"]["post"]["requestBody"]["content"]["application/json"]
    assert post(smdvs, token, body["example"]).status_code == 201
    schema = described["components"]["schemas"]["Report"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(body["example"])


def test_every_reference_of_the_openapi_document_leads_somewhere(smdvs: Flask) -> None:
    text = smdvs.test_client().get("/smdvs/api/v1/openapi.json").text
    names = set(json.loads(text)["components"]["schemas"])
    used = {part.split('"', 1)[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names
