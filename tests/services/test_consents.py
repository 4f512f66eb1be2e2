from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from idp.domain.audit import Origin
from idp.services import clients, consents
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.database import reading
from tests.oauth.people import People
from tests.services.conftest import MovableClock, at_once

ORIGIN = Origin("192.0.2.7", "test browser", "request-1")
OPENID = frozenset({"openid"})


@pytest.fixture
def people(platform: Platform) -> People:
    return People(platform)


@pytest.fixture
def client_id(platform: Platform) -> str:
    return register(platform, "rp")


def register(platform: Platform, client_id: str) -> str:
    metadata = {
        "client_id": client_id,
        "client_name": f"系统 {client_id}",
        "redirect_uris": ["https://rp.example/cb"],
    }
    assert isinstance(clients.register(platform, metadata, ORIGIN), clients.RegisteredClient)
    return client_id


def test_scopes_of_one_enterprise_add_up_and_the_latest_consent_comes_first(
    platform: Platform, people: People, client_id: str, moving_clock: MovableClock
) -> None:
    person, enterprise = people.person(), people.legal_person()
    for enterprise_id, scopes in (
        (None, OPENID),
        (enterprise.enterprise_id, OPENID),
        (None, frozenset({"email"})),
    ):
        moving_clock.advance(seconds=1)
        consents.remember(person, client_id, enterprise_id, scopes, ORIGIN)
    remembered = consents.remembered(person, client_id).scopes_by_enterprise
    assert remembered == {"": {"openid", "email"}, enterprise.enterprise_id: OPENID}
    assert next(iter(remembered)) == ""


def test_a_consent_counts_for_its_account_and_client_only(
    platform: Platform, people: People, client_id: str
) -> None:
    one, other = people.person(), people.person()
    consents.remember(one, client_id, None, OPENID, ORIGIN)
    assert consents.remembered(other, client_id) == consents.NOTHING
    assert consents.remembered(one, register(platform, "other")) == consents.NOTHING


def test_consents_given_at_once_add_up(platform: Platform, people: People, client_id: str) -> None:
    person = people.person()

    def give(scope: str) -> Callable[[], None]:
        return lambda: consents.remember(person, client_id, None, frozenset({scope}), ORIGIN)

    at_once([give("openid"), give("email"), give("phone"), give("profile")])
    remembered = consents.remembered(person, client_id).scopes_by_enterprise
    assert remembered == {"": {"openid", "email", "phone", "profile"}}


def test_the_consents_of_an_account_are_listed_with_names(
    platform: Platform, people: People, client_id: str, moving_clock: MovableClock
) -> None:
    person, enterprise = people.person(), people.legal_person()
    consents.remember(person, client_id, None, OPENID, ORIGIN)
    moving_clock.advance(seconds=1)
    consents.remember(person, client_id, enterprise.enterprise_id, OPENID, ORIGIN)
    listed = consents.list_of_account(person)
    assert [view.enterprise_name for view in listed] == [enterprise.enterprise_name, None]
    assert {(view.client_id, view.client_name, view.scopes) for view in listed} == {
        ("rp", "系统 rp", ("openid",))
    }


def test_withdrawing_forgets_all_consents_of_a_client_and_is_recorded_once(
    platform: Platform, people: People, client_id: str
) -> None:
    person = people.person()
    kept = register(platform, "kept")
    for client in (client_id, kept):
        consents.remember(person, client, None, OPENID, ORIGIN)
    assert consents.withdraw(platform, person, client_id, ORIGIN)
    assert not consents.withdraw(platform, person, client_id, ORIGIN)
    assert [view.client_id for view in consents.list_of_account(person)] == [kept]
    with reading() as session:
        events = session.scalars(select(Entry.event).where(Entry.account_id == person)).all()
    assert sorted(events) == ["consent:grant", "consent:grant", "consent:withdraw"]
