from __future__ import annotations

from typing import Any, Final

import pytest

from idp.config import Settings
from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.services import clients
from idp.services.client_certificates import problems_of
from idp.services.platform import Platform

WITH: Final = Settings(client_certificate_header="ClientCert")
WITHOUT: Final = Settings()
METHOD: Final = "token_endpoint_auth_method"
BOUND: Final = "tls_client_certificate_bound_access_tokens"


def fields(settings: Settings, **metadata: Any) -> list[str | None]:
    problems = problems_of(settings, {METHOD: "client_secret_basic"} | metadata)
    assert all(problem.code == "metadata_invalid" and problem.detail["reason"] for problem in problems)
    return [problem.field for problem in problems]


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({METHOD: "tls_client_auth", "tls_client_auth_san_dns": "job.example"}, METHOD),
        ({METHOD: "self_signed_tls_client_auth"}, METHOD),
        ({BOUND: True}, BOUND),
    ],
)
def test_without_mutual_tls_nothing_of_it_can_be_registered(metadata: dict[str, Any], field: str) -> None:
    assert fields(WITHOUT, **metadata) == [field]
    assert fields(WITH, **metadata) == []


def test_other_clients_need_none() -> None:
    assert fields(WITHOUT) == fields(WITHOUT, **{BOUND: False}) == []


@pytest.mark.parametrize(
    "subject",
    [
        "CN=job",
        "cn=job,O=示例,c=CN",
        "1.2.3.4=x",
        "CN=a\\,b+OU=c",
        "EMAILADDRESS=job@a.example",
        "UID=7,DC=a,dc=b",
    ],
)
def test_a_subject_is_a_distinguished_name(subject: str) -> None:
    assert fields(WITH, tls_client_auth_subject_dn=subject) == []


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "job",
        "CN=job, O=x",
        "CN=",
        "C=China",
        "X=1",
        "CN=job;O=x",
        "/C=CN/CN=job",
        "CN=#zz",
        "CN=#ff",
        "=x",
    ],
)
def test_a_subject_that_no_certificate_can_have_is_refused(subject: str) -> None:
    assert fields(WITH, tls_client_auth_subject_dn=subject) == ["tls_client_auth_subject_dn"]


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_an_address_is_one_of_ip(address: str) -> None:
    assert fields(WITH, tls_client_auth_san_ip=address) == []


@pytest.mark.parametrize("address", ["job.example", "192.0.2.0/24", "192.0.2.007", "[::1]"])
def test_another_address_is_refused(address: str) -> None:
    assert fields(WITH, tls_client_auth_san_ip=address) == ["tls_client_auth_san_ip"]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_register_refuses_with_the_reason(in_app: Any) -> None:
    platform: Platform = in_app.extensions["idp"]
    metadata = {
        "client_name": "测试",
        "grant_types": ["client_credentials"],
        METHOD: "tls_client_auth",
        "tls_client_auth_san_dns": "job.example",
    }
    refusal = clients.register(platform, metadata, Origin("", "", ""))
    assert isinstance(refusal, Refusal)
    assert [problem.field for problem in refusal.problems] == [METHOD]
    assert clients.list_clients(platform) == []
