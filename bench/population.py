"""People, enterprises and clients for the load, made by the product's own use cases in a process of its own.

Run as a program, with the product's environment: prints what the load needs to know as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, TypeVar, cast

from joserfc.jwk import ECKey

from idp import clock
from idp.app import create_app
from idp.config import Settings
from idp.crypto import random_id
from idp.domain.audit import internal_origin
from idp.domain.clients import TOKEN_EXCHANGE
from idp.domain.errors import Refusal
from idp.domain.identifiers import id_number_check
from idp.domain.submissions import NaturalPerson
from idp.services import (
    accounts,
    authentication,
    clients,
    consents,
    demonstration,
    handlers,
    identities,
    registration,
)
from idp.services.demonstration_registry import CARS
from idp.services.platform import Platform
from idp.services.registration import AccountView
from idp.storage import accounts as account_rows
from idp.storage.database import transaction

T = TypeVar("T")

ORIGIN = internal_origin("benchmark")
HANDLERS = 16
# One of them also reads all reports in smdvs.
REGULATOR = HANDLERS - 1
PASSWORD = demonstration.PASSWORD
SMDVS_URL = "http://127.0.0.1:5001"
SMDVS = demonstration.CLIENT_ID
# What smdvs asks for at sign-in.
SMDVS_SCOPE = "openid profile phone enterprise handler roles accident_report:submit accident_report:read"
REDIRECT_URI = "https://rp.example.com/callback"
SCOPE = "openid profile enterprise handler accident_report:submit"
MACHINE_SCOPE = "accident_report:read"
ARCHIVE = "https://archive.example.com/api"
EXCHANGED_SCOPE = "enterprise handler"


@dataclass(frozen=True)
class Credentials:
    """A client that authenticates with ``client_secret_basic``."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Signer:
    """A client that authenticates with ``private_key_jwt``, and the P-256 key that it does so with."""

    client_id: str
    private_jwk: Mapping[str, Any]


@dataclass(frozen=True)
class Person:
    """A handler of an enterprise: how to sign in, and the cookie value of a session that is there."""

    login_name: str
    login_token: str


@dataclass(frozen=True)
class Population:
    """Who drives the load: people who have consented to ``app`` and to ``fapi``, which lives by the FAPI 2.0
    profile; one back end for each algorithm; and the one that ``app``'s tokens are shown to.
    """

    people: tuple[Person, ...]
    app: Credentials
    fapi: Signer
    es256: Credentials
    rs256: Credentials
    receiver: Credentials

    @classmethod
    def from_json(cls, text: str) -> Population:
        """Read back what the program printed."""
        document: dict[str, Any] = json.loads(text)
        people = tuple(Person(**person) for person in document.pop("people"))
        fapi = Signer(**document.pop("fapi"))
        named = {name: Credentials(**credentials) for name, credentials in document.items()}
        return cls(people=people, fapi=fapi, **named)


def populate(platform: Platform) -> Population:
    """Make everybody; needs an application context and an empty, migrated database."""
    demonstration.load(platform, SMDVS_URL, json.loads(os.environ["BENCH_SMDVS_JWKS"]))
    app = _register(platform, _relying_party("bench-app"))
    fapi = _signer(platform)
    asked = {app.client_id: SCOPE, fapi.client_id: SCOPE, SMDVS: SMDVS_SCOPE}
    people = tuple(_handler(platform, number, asked) for number in range(HANDLERS))
    _register(platform, _resource_server("bench-archive", ARCHIVE))
    return Population(
        people,
        app,
        fapi,
        es256=_back_end(platform, "ES256"),
        rs256=_back_end(platform, "RS256"),
        receiver=_register(platform, _resource_server("bench-receiver", f"{SMDVS_URL}/smdvs/api/v1")),
    )


def _relying_party(client_id: str) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "id_token_signed_response_alg": "ES256",
        "scope": SCOPE,
        "matters": [demonstration.MATTER],
        "require_enterprise": True,
    }


def _signer(platform: Platform) -> Signer:
    """A relying party under the profile, as smdvs is one: it pushes its requests and proves its keys."""
    key = ECKey.generate_key("P-256", auto_kid=True)
    metadata = {
        **_relying_party("bench-fapi"),
        "profile": "fapi2",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.as_dict(private=False)]},
    }
    return Signer(_register(platform, metadata).client_id, key.as_dict(private=True))


def _resource_server(client_id: str, resource: str) -> dict[str, Any]:
    """A platform that takes tokens at ``resource`` and hands the mandate on, without a scope of its own."""
    return {
        "client_id": client_id,
        "grant_types": [TOKEN_EXCHANGE],
        "scope": EXCHANGED_SCOPE,
        "resources": [resource],
    }


def _register(platform: Platform, metadata: Mapping[str, Any]) -> Credentials:
    registered = _made(clients.register(platform, {"client_name": metadata["client_id"], **metadata}, ORIGIN))
    return Credentials(registered.client_id, registered.client_secret or "")


def _back_end(platform: Platform, algorithm: str) -> Credentials:
    metadata = {
        "client_id": f"bench-{algorithm.lower()}",
        "grant_types": ["client_credentials"],
        "access_token_signed_response_alg": algorithm,
        "scope": MACHINE_SCOPE,
    }
    return _register(platform, metadata)


def _handler(platform: Platform, number: int, asked: Mapping[str, str]) -> Person:
    """A verified person with an approved authorisation, a consent for each client and a session."""
    login_name = f"bench_{number:02}"
    account = AccountView(random_id(), login_name, f"1990001{number:04}", f"{login_name}@example.com")
    password_hash = platform.passwords.hash(PASSWORD)
    _made(registration.create_account(platform, account, password_hash, ORIGIN))
    _verify(platform, account.account_id, number)
    _authorize(platform, account.account_id, asked)
    if number == REGULATOR:
        _made(accounts.set_role(platform, account.account_id, SMDVS, demonstration.REGULATOR, True, ORIGIN))
    authenticated = authentication.by_password_and_sms(account.account_id)
    token, _login = authentication.open_login(platform, authenticated, ORIGIN, replaces=None)
    return Person(login_name, token)


def _verify(platform: Platform, account_id: str, number: int) -> None:
    body = f"99010119900101{500 + number}"
    person = NaturalPerson(
        real_name="测示例",
        document_type="id_card",
        document_number=body + id_number_check(body),
        address=demonstration.ADDRESS,
        valid_from=date(2020, 1, 1),
        valid_until=None,
    )
    with transaction() as session:
        account = account_rows.find_account(session, account_id)
        if account is None:
            raise LookupError(account_id)
        identities.give(session, platform.keyring.fields, account, person, clock.now())


def _authorize(platform: Platform, account_id: str, asked: Mapping[str, str]) -> None:
    form = handlers.HandlerApplicationForm(
        CARS["enterprise_name"], CARS["enterprise_credit_code"], (demonstration.MATTER,), None
    )
    applied = _made(handlers.apply(platform, account_id, form, ORIGIN))
    legal_account_id = accounts.find_account_id(platform, "demo_legal") or ""
    _made(handlers.decide(platform, legal_account_id, applied.id, "approve", ORIGIN))
    for client_id, scope in asked.items():
        consents.remember(account_id, client_id, applied.enterprise_id, frozenset(scope.split()), ORIGIN)


def _made(outcome: T | Refusal) -> T:
    """What a use case made; a refusal is a fault of this program."""
    if isinstance(outcome, Refusal):
        raise TypeError(f"refused: {outcome.problems}")
    return outcome


def main() -> None:
    """Populate the installation of the environment."""
    app = create_app(Settings.from_env(os.environ))
    with app.app_context():
        print(json.dumps(asdict(populate(cast("Platform", app.extensions["idp"])))))


if __name__ == "__main__":
    main()
