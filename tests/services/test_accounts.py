from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.services import accounts, authentication, clients, handlers
from idp.services.clients import RegisteredClient
from idp.services.handlers import HandlerApplicationForm, HandlerView
from idp.services.platform import Platform
from idp.storage import accounts as account_rows
from tests.queries import AssertQueries
from tests.services.conftest import at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PHONE,
    account,
    enterprise,
    events,
    give_identity,
    open_login,
    person,
)

CREDIT_CODE = "91990101MADEM0046R"


def handler_of(platform: Platform) -> str:
    """A natural person who is approved handler of the enterprise CREDIT_CODE."""
    legal = account(platform, "legal_1", "19900000009")
    give_identity(platform, legal, enterprise(CREDIT_CODE))
    account_id = account(platform)
    give_identity(platform, account_id, person())
    form = HandlerApplicationForm(enterprise().enterprise_name, CREDIT_CODE, ("nev-accident-report",), None)
    applied = handlers.apply(platform, account_id, form, ORIGIN)
    assert isinstance(applied, HandlerView)
    handlers.decide(platform, legal, applied.id, "approve", ORIGIN)
    return account_id


@pytest.fixture
def client(platform: Platform) -> str:
    """A client with the role ``regulator``."""
    metadata = {
        "client_id": "reports",
        "client_name": "测试应用",
        "redirect_uris": ["https://client.example/callback"],
        "scope": "openid roles",
        "roles": ["regulator"],
    }
    assert isinstance(clients.register(platform, metadata, ORIGIN), RegisteredClient)
    return "reports"


# --- profile ---


def test_the_profile_of_a_natural_person_is_in_the_clear(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, person())
    profile = accounts.get_profile(platform, account_id)
    assert (profile.login_name, profile.phone, profile.email) == ("alice_1", PHONE, "alice_1@example.com")
    assert (profile.real_name, profile.document_number) == ("李测试", "990101199001010019")
    assert (profile.subject_type, profile.verification_status) == ("natural_person", "verified")
    assert profile.enterprise is None


def test_the_profile_of_a_legal_person_account_has_its_enterprise(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, enterprise(CREDIT_CODE))
    profile = accounts.get_profile(platform, account_id)
    assert profile.enterprise is not None
    assert profile.enterprise.enterprise_credit_code == CREDIT_CODE
    assert profile.enterprise.representative_name == "王测试"
    assert (profile.real_name, profile.document_number) == (None, None)


def test_an_unknown_account_has_no_profile(platform: Platform) -> None:
    assert accounts.find_profile(platform, "unknown") is None
    with pytest.raises(LookupError):
        accounts.get_profile(platform, "unknown")


def test_accounts_are_listed_masked_by_part_of_the_login_name_and_page(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PAGE_SIZE", 2)
    first = account(platform, "Alice_1", PHONE)
    give_identity(platform, first, person())
    for number, name in enumerate(("alice_2", "alice_3", "bob_12")):
        account(platform, name, f"1990000010{number}")
    listed = accounts.list_accounts(platform, "ALICE")
    assert [(line.login_name, line.phone, line.real_name) for line in listed] == [
        ("Alice_1", "199****0001", "*测试"),
        ("alice_2", "199****0100", ""),
    ]
    assert [line.login_name for line in accounts.list_accounts(platform, "alice", 2)] == ["alice_3"]
    assert accounts.count_accounts(platform, "alice") == 3
    assert accounts.count_accounts(platform) == 4
    assert accounts.list_accounts(platform, "%") == []
    assert accounts.find_account_id(platform, "ALICE_1") == first


# --- enterprise ---


def test_the_default_enterprise_is_one_the_account_may_act_for(platform: Platform) -> None:
    account_id = handler_of(platform)
    token, _ = open_login(platform, account_id)
    assert accounts.set_default_enterprise(platform, account_id, "91990101madem0046r", ORIGIN) is None
    login = authentication.find_login(platform, token)
    (acting,) = handlers.acting_candidates(platform, account_id, clock.now())
    assert login is not None
    assert login.default_enterprise_id == acting.enterprise_id
    assert accounts.set_default_enterprise(platform, account_id, "", ORIGIN) is None
    cleared = authentication.find_login(platform, token)
    assert cleared is not None
    assert cleared.default_enterprise_id is None
    assert [entry.enterprise_id for entry in events(platform, "enterprise:switch")] == [
        acting.enterprise_id,
        None,
    ]


@pytest.mark.parametrize("code", ["91990101MADEM0070A", "nonsense", "\x00"])
def test_an_enterprise_the_account_cannot_act_for_is_refused(platform: Platform, code: str) -> None:
    account_id = handler_of(platform)
    refusal = accounts.set_default_enterprise(platform, account_id, code, ORIGIN)
    assert refusal is not None
    assert (refusal.problems[0].field, refusal.code) == ("enterprise", "cannot_act")
    assert events(platform, "enterprise:switch") == []


# --- roles ---


def test_a_role_is_given_and_taken_once_each(platform: Platform, client: str) -> None:
    account_id, actor = account(platform), account(platform, "admin_1", OTHER_PHONE)
    for granted in (True, True, False, False):
        assert accounts.set_role(platform, account_id, client, "regulator", granted, ORIGIN, actor) is None
        expected = [(client, "regulator")] if granted else []
        assert accounts.list_roles(platform, account_id) == expected
    recorded = [(e.event, e.account_id, e.object_id, e.detail["role"]) for e in events(platform, "role")]
    assert recorded == [
        ("role:grant", actor, account_id, "regulator"),
        ("role:withdraw", actor, account_id, "regulator"),
    ]


def test_a_role_given_twice_at_once_is_there_once(platform: Platform, client: str) -> None:
    account_id = account(platform)
    give = partial(accounts.set_role, platform, account_id, client, "regulator", True, ORIGIN)
    assert at_once([give] * 4) == [None] * 4
    assert accounts.list_roles(platform, account_id) == [(client, "regulator")]
    assert len(events(platform, "role")) == 1


def test_unknown_roles_clients_and_accounts_are_refused(platform: Platform, client: str) -> None:
    account_id = account(platform)

    def code(account_id: str, client_id: str, role: str) -> str | None:
        refusal = accounts.set_role(platform, account_id, client_id, role, True, ORIGIN)
        return refusal.code if refusal else None

    assert code(account_id, client, "owner") == "role_invalid"
    assert code(account_id, "unknown", "regulator") == "role_invalid"
    assert code("unknown", client, "regulator") == "not_found"
    assert accounts.list_roles(platform, account_id) == []


def test_an_administrator_is_made_and_unmade(platform: Platform) -> None:
    account_id = account(platform)
    for granted in (True, True, False):
        assert accounts.set_platform_role(platform, account_id, "administrator", granted, ORIGIN) is None
        profile = accounts.get_profile(platform, account_id)
        assert profile.platform_role == ("administrator" if granted else None)
    assert [entry.event for entry in events(platform, "role")] == ["role:grant", "role:withdraw"]
    for arguments, code in (
        ((account_id, "owner"), "role_invalid"),
        (("unknown", "administrator"), "not_found"),
    ):
        refusal = accounts.set_platform_role(platform, *arguments, True, ORIGIN)
        assert refusal is not None
        assert refusal.code == code


def test_a_profile_costs_two_statements(platform: Platform, assert_queries: AssertQueries) -> None:
    account_id = account(platform)
    with assert_queries(2):
        accounts.get_profile(platform, account_id)


def test_a_role_that_another_administrator_gave_meanwhile_is_no_error(
    platform: Platform, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = account(platform)

    def overtaken(*_arguments: object) -> bool:
        raise IntegrityError("INSERT", {}, Exception("unique"))

    monkeypatch.setattr(account_rows, "insert_role", overtaken)
    assert accounts.set_role(platform, account_id, client, "regulator", True, ORIGIN) is None
    assert events(platform, "role") == []
