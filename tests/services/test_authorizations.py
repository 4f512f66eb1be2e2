from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.domain.audit import Origin
from idp.domain.clients import Client
from idp.domain.errors import Refusal
from idp.domain.interaction import Acting
from idp.domain.requested_claims import NOTHING_REQUESTED
from idp.services import authentication, authorizations, clients, grants, handlers, revocation
from idp.services.authentication import Authenticated, LoginView
from idp.services.authorizations import NewAuthorization, Presented
from idp.services.grants import Grant
from idp.services.platform import Platform
from idp.storage.authorizations import Authorization
from idp.storage.database import reading, transaction
from tests.oauth.people import People
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once

ORIGIN = Origin("192.0.2.7", "test browser", "request-1")
REDIRECT_URI = "https://rp.example/cb"
CHALLENGE = "c" * 43


@dataclass
class World:
    """A handler who is signed in, and a client."""

    platform: Platform
    clock: MovableClock
    people: People
    client: Client
    login: LoginView
    acting: Acting

    def new(self, **changes: Any) -> NewAuthorization:
        values: dict[str, Any] = {
            "client": self.client,
            "login": self.login,
            "acr": self.login.acr,
            "acting": self.acting,
            "scopes": frozenset({"openid", "enterprise", "handler"}),
            "requested": NOTHING_REQUESTED,
            "resources": (),
            "details": (),
            "nonce": "n",
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "dpop_jkt": None,
        }
        return NewAuthorization(**values | changes)

    def issue(self, **changes: Any) -> str:
        return authorizations.issue(self.platform, self.new(**changes), self.clock.now())

    def redeem(self, code: str) -> Grant | Refusal:
        return authorizations.redeem_code(
            self.platform, self.client, Presented(code, REDIRECT_URI, CHALLENGE), ORIGIN, self.clock.now()
        )

    def grant(self, **changes: Any) -> Grant:
        grant = self.redeem(self.issue(**changes))
        assert isinstance(grant, Grant), grant
        return grant

    def token(self, grant: Grant) -> str:
        return authorizations.refresh_token_of(self.platform, grant)

    def rotate(self, token: str) -> Grant | Refusal:
        return authorizations.rotate(self.platform, self.client, token, None, ORIGIN, self.clock.now())

    def is_live(self, grant: Grant) -> bool:
        found = grants.find_grant(self.platform, grant.authorization_id, self.clock.now())
        return found is not None


@pytest.fixture
def world(platform: Platform, moving_clock: MovableClock) -> World:
    people = People(platform)
    owner = people.legal_person()
    person = people.person(real_name="李示例")
    people.handler(person, owner.enterprise_id)
    metadata = {
        "client_id": "rp",
        "client_name": "RP",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid enterprise handler roles offline_access",
        "matters": ["nev-accident-report"],
        "roles": ["regulator"],
    }
    clients.register(platform, metadata, ORIGIN)
    client = clients.find_client(platform, "rp")
    assert client
    authenticated = Authenticated(
        person, "urn:gsp:acr:2fa", ("pwd", "sms"), int(moving_clock.now().timestamp())
    )
    _, login = authentication.open_login(platform, authenticated, ORIGIN, replaces=None)
    (acting,) = handlers.acting_candidates(platform, person, moving_clock.now())
    return World(platform, moving_clock, people, client, login, acting)


def test_a_grant_is_what_was_agreed(world: World) -> None:
    grant = world.grant()
    assert grant.client_id == "rp"
    assert grant.scopes == {"openid", "enterprise", "handler"}
    assert (grant.nonce, grant.generation) == ("n", 0)
    subject = grant.subject
    assert (subject.account_id, subject.sid) == (world.login.account_id, world.login.sid)
    assert (subject.account_type, subject.handler_scope) == ("handler", ("nev-accident-report",))
    assert subject.enterprise_credit_code == "91990101MADEM00117"
    assert subject.handler_authorization_id == world.acting.handler_authorization_id
    assert (subject.auth_time, subject.amr) == (world.login.auth_time, ("pwd", "sms"))


def test_neither_code_nor_refresh_token_is_stored(world: World) -> None:
    code = world.issue()
    grant = world.redeem(code)
    assert isinstance(grant, Grant)
    token = world.token(grant)
    with reading() as session:
        (row,) = session.execute(select(Authorization.__table__))
    stored = " ".join(str(value) for value in row)
    assert code[22:] not in stored
    assert token.rpartition(".")[2] not in stored


@pytest.mark.parametrize("calls", [2, 5])
def test_of_redemptions_at_once_one_wins_and_the_grant_ends_as_reused(world: World, calls: int) -> None:
    code = world.issue()
    outcomes = at_once([lambda: world.redeem(code) for _ in range(calls)])
    grants = [outcome for outcome in outcomes if isinstance(outcome, Grant)]
    assert len(grants) == 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refusal)} == {"code_reused"}
    assert not world.is_live(grants[0])


def test_of_rotations_at_once_all_get_the_same_successor(world: World) -> None:
    token = world.token(world.grant())
    outcomes = at_once([lambda: world.rotate(token) for _ in range(5)])
    assert {world.token(grant) for grant in outcomes if isinstance(grant, Grant)} != {token}
    assert [grant.generation for grant in outcomes if isinstance(grant, Grant)] == [1] * 5


def test_a_redemption_and_a_revocation_at_once_leave_nothing_alive(world: World) -> None:
    code = world.issue()
    handler = world.acting.handler_authorization_id
    assert handler

    def revoke() -> None:
        world.people.change_handler(handler, status="revoked")
        with transaction() as session:
            revocation.revoke_for_handler(
                session, world.platform, handler, "handler_revoked", world.clock.now()
            )

    outcomes: list[Any] = at_once([lambda: world.redeem(code), revoke])
    if isinstance(outcomes[0], Grant):
        assert not world.is_live(outcomes[0])


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(0, None), (29, None), (30, "refresh_token_reused"), (9999, "refresh_token_reused")],
)
def test_the_grace_of_the_former_token(world: World, seconds: int, outcome: str | None) -> None:
    grant = world.grant(scopes=frozenset({"openid", "offline_access"}))
    former = world.token(grant)
    world.rotate(former)
    world.clock.advance(seconds=seconds)
    again = world.rotate(former)
    if outcome is None:
        assert isinstance(again, Grant)
        assert again.generation == 1
    else:
        assert isinstance(again, Refusal)
        assert again.code == outcome
        assert not world.is_live(grant)


@pytest.mark.parametrize(
    ("scopes", "life"),
    [
        (frozenset({"openid"}), authorizations.SESSION_TTL),
        (frozenset({"openid", "offline_access"}), authorizations.OFFLINE_TTL),
    ],
)
def test_a_grant_ends_with_the_session_or_after_thirty_days(
    world: World, scopes: frozenset[str], life: timedelta
) -> None:
    world.clock.advance(minutes=10)
    grant = world.grant(scopes=scopes)
    begins_at = world.login.created_at if life == authorizations.SESSION_TTL else world.clock.now()
    assert grant.expires_at == begins_at + life


def test_a_grant_never_outlives_the_handler_authorisation(world: World) -> None:
    ends_at = world.clock.now() + timedelta(hours=1)
    handler = world.acting.handler_authorization_id
    assert handler
    world.people.change_handler(handler, valid_until=ends_at)
    (acting,) = handlers.acting_candidates(world.platform, world.login.account_id, world.clock.now())
    grant = world.grant(acting=acting, scopes=frozenset({"openid", "offline_access"}))
    assert grant.expires_at == ends_at
    world.clock.advance(hours=1)
    assert not world.is_live(grant)


def test_ending_a_session_spares_offline_access(world: World) -> None:
    tied = world.grant()
    offline = world.grant(scopes=frozenset({"openid", "offline_access"}))
    authentication.end_login(world.platform, world.login.sid, ORIGIN, "logout")
    assert (world.is_live(tied), world.is_live(offline)) == (False, True)


def test_a_scope_that_only_looks_like_offline_access_does_not_outlive_the_session(world: World) -> None:
    grant = world.grant(scopes=frozenset({"openid", "offline_access_log"}))
    authentication.end_login(world.platform, world.login.sid, ORIGIN, "logout")
    assert not world.is_live(grant)


def test_revoking_for_a_client_ends_what_this_account_gave_it(world: World) -> None:
    grants = [world.grant(), world.grant(acting=None)]
    with transaction() as session:
        count = revocation.revoke_for_client(
            session, world.platform, world.login.account_id, "rp", world.clock.now()
        )
    assert count == 2
    assert not any(world.is_live(grant) for grant in grants)


def test_an_account_that_acts_for_nobody_is_a_natural_person_only_if_it_is_one(world: World) -> None:
    assert world.grant(acting=None).subject.account_type == "natural_person"
    for login in (
        replace(world.login, subject_type="legal_person"),
        replace(world.login, verification_status="unverified"),
    ):
        assert world.grant(acting=None, login=login).subject.account_type is None


def test_roles_cost_a_query_only_where_they_are_asked_for(
    world: World, assert_queries: AssertQueries
) -> None:
    world.people.give_role(world.login.account_id, "rp", "regulator")
    plain, with_roles = world.grant(), world.grant(scopes=frozenset({"openid", "roles"}))
    assert with_roles.subject.roles == ("regulator",)
    with assert_queries(1):
        assert world.is_live(plain)
    with assert_queries(2):
        assert world.is_live(with_roles)
