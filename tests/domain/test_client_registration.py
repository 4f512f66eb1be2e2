from __future__ import annotations

from typing import Any, Final

import pytest

from idp.domain.client_registration import (
    MAX_TTL,
    MAX_USES,
    SCOPES,
    check_initial_access,
    is_of_sector,
    self_registered,
)
from idp.domain.errors import Refusal

MINIMAL: Final[dict[str, Any]] = {"client_name": "RP", "redirect_uris": ["https://rp.example/cb"]}
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"


def accepted(**members: Any) -> dict[str, Any]:
    metadata = self_registered(MINIMAL | members)
    assert not isinstance(metadata, Refusal), metadata
    return metadata


def refused(**members: Any) -> set[tuple[str, str | None]]:
    refusal = self_registered(MINIMAL | members)
    assert isinstance(refusal, Refusal), refusal
    assert all(problem.detail["reason"] for problem in refusal.problems)
    return {(problem.code, problem.field) for problem in refusal.problems}


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        (" ".join(SCOPES), " ".join(SCOPES)),
        ("openid roles profile reports:read identity_document", "openid profile"),
        ("openid \t email", "openid email"),
    ],
)
def test_scopes_that_it_may_not_have_are_left_out(sent: str, left: str) -> None:
    assert accepted(scope=sent)["scope"] == left


def test_where_no_scope_is_left_the_default_of_validation_applies() -> None:
    assert "scope" not in accepted(scope="reports:read roles")


def test_who_sends_no_scope_may_ask_for_what_openid_connect_defines() -> None:
    assert accepted()["scope"] == "openid profile email phone address"
    offline = accepted(grant_types=["authorization_code", "refresh_token"])
    assert offline["scope"] == "openid profile email phone address offline_access"


@pytest.mark.parametrize("wrong", [5, "openid", {}])
def test_a_member_of_the_wrong_type_is_left_to_validation(wrong: Any) -> None:
    assert accepted(scope=[wrong])["scope"] == [wrong]
    assert accepted(grant_types=wrong)["grant_types"] == wrong


@pytest.mark.parametrize(
    "member",
    [
        {"matters": ["nev-accident-report"]},
        {"roles": ["regulator"]},
        {"require_enterprise": True},
        {"resources": ["https://rp.example/api"]},
        {"may_act": "smdvs"},
        {"client_id": "smdvs"},
        {"client_id": ""},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"]},
        {"grant_types": ["authorization_code", {}]},
    ],
)
def test_what_only_an_administrator_gives_is_refused(member: dict[str, Any]) -> None:
    assert refused(**member) == {("metadata_invalid", name) for name in member}


def test_every_refused_member_is_named() -> None:
    assert refused(matters=["x"], roles=["y"], client_id="z") == {
        ("metadata_invalid", name) for name in ("matters", "roles", "client_id")
    }


def test_empty_members_ask_for_nothing() -> None:
    accepted(matters=[], roles=None, require_enterprise=False, resources=[], may_act=None, client_id=None)
    accepted(grant_types=["authorization_code", "refresh_token", DEVICE_CODE])


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("a.b.c", "software_statement_unapproved"),
        ("", "software_statement_invalid"),
        ("nonsense", "software_statement_invalid"),
        (5, "software_statement_invalid"),
    ],
)
def test_a_software_statement_is_not_passed_over(statement: Any, code: str) -> None:
    assert refused(software_statement=statement) == {(code, "software_statement")}


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"client_name": "系统"}, "系统"),
        ({"client_name": None}, "rp.example"),
        ({"client_name": ""}, "rp.example"),
        ({"client_name": None, "redirect_uris": []}, None),
        ({"client_name": None, "redirect_uris": [5]}, None),
        ({"client_name": None, "redirect_uris": "https://rp.example/"}, None),
        ({"client_name": None, "redirect_uris": ["https://[/"]}, None),
        ({"client_name": None, "redirect_uris": ["com.example.app:/cb"]}, None),
    ],
)
def test_a_client_without_name_is_called_by_its_host(sent: dict[str, Any], name: str | None) -> None:
    assert accepted(**sent).get("client_name") == name


@pytest.mark.parametrize(
    ("uses", "ttl_seconds", "wrong"),
    [
        (1, 1, set()),
        (MAX_USES, int(MAX_TTL.total_seconds()), set()),
        (0, 60, {"uses"}),
        (MAX_USES + 1, 60, {"uses"}),
        (1, 0, {"ttl"}),
        (1, int(MAX_TTL.total_seconds()) + 1, {"ttl"}),
        (-1, 10**30, {"uses", "ttl"}),
    ],
)
def test_leave_to_register_has_its_limits(uses: int, ttl_seconds: int, wrong: set[str]) -> None:
    refusal = check_initial_access(uses, ttl_seconds)
    assert {problem.field for problem in (refusal.problems if refusal else ())} == wrong


@pytest.mark.checklist(112)
@pytest.mark.parametrize(
    ("document", "fits"),
    [
        (["https://a.example/", "https://b.example/", 5], True),
        (["https://a.example/"], False),
        (["https://a.example", "https://b.example/"], False),
        ([], False),
        ({"https://a.example/": 1, "https://b.example/": 2}, False),
        ("https://a.example/ https://b.example/", False),
        (None, False),
    ],
)
def test_a_sector_is_a_list_that_holds_every_redirect_uri(document: Any, fits: bool) -> None:
    metadata = {"redirect_uris": ["https://a.example/", "https://b.example/"]}
    assert is_of_sector(document, metadata) is fits
