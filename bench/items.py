"""What is measured: each item's requests, the cryptography it can't do without, and its goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from bench import relying_party
from bench.installation import DISCOVERY, EMBEDDED, POSTGRESQL, SMS_CODE, Installation
from bench.limits import ARGON2ID, ES256_SIGN, ES256_VERIFY, RS256_SIGN, SHA256
from bench.population import MACHINE_SCOPE, PASSWORD, Credentials
from bench.wrk import Data

Row = dict[str, object]
CONNECTIONS = 16
SIGN_INS_AT_ONCE = 8


@dataclass(frozen=True)
class Goal:
    """CPU ms per unit where plain Flask's hello costs HELLO_MS (table.py): to meet, and to be proud of."""

    meet: float
    proud: float


@dataclass(frozen=True)
class Item:
    """One thing that is measured; ``data`` makes what the script needs, anew for each round."""

    name: str
    title: str
    script: str
    data: Callable[[Installation], Data]
    goals: Mapping[str, Goal]
    cryptography: tuple[str, ...] = ()
    connections: int = CONNECTIONS
    threads: int = 2
    beyond_cryptography: bool = field(default=False)
    """The goal is for what the product adds to the cryptography."""


def _everywhere(meet: float, proud: float) -> dict[str, Goal]:
    return {POSTGRESQL: Goal(meet, proud), EMBEDDED: Goal(meet, proud)}


def _get(path: str) -> Callable[[Installation], Data]:
    return lambda _installation: [{"method": "GET", "path": path, "headers": {}}]


def _client_credentials(algorithm: str) -> Callable[[Installation], Data]:
    def data(installation: Installation) -> Data:
        client: Credentials = getattr(installation.population, algorithm)
        body = f"grant_type=client_credentials&scope={MACHINE_SCOPE}"
        return [_form("/oauth/token", client, body)]

    return data


def _form(path: str, client: Credentials, body: str) -> Row:
    return {"method": "POST", "path": path, "headers": relying_party.form_headers(client), "body": body}


def _answers(installation: Installation, name: str) -> list[str]:
    """One token of each person, by a code flow."""
    population = installation.population
    return [
        str(relying_party.tokens(installation.url, person, population.app)[name])
        for person in population.people
    ]


def _refresh(installation: Installation) -> Data:
    headers = relying_party.form_headers(installation.population.app)
    return [
        {"path": "/oauth/token", "headers": headers, "refresh_token": token}
        for token in _answers(installation, "refresh_token")
    ]


def _code(installation: Installation) -> Data:
    app = installation.population.app
    return [
        {
            "authorize_path": relying_party.authorization_path(app),
            "authorize_headers": {"Cookie": relying_party.cookie_of(person)},
            "token_path": "/oauth/token",
            "token_headers": relying_party.form_headers(app),
            "token_body": relying_party.redemption(),
        }
        for person in installation.population.people
    ]


def _introspection(installation: Installation) -> Data:
    app = installation.population.app
    forms = [
        _form("/oauth/introspect", app, f"token={token}") for token in _answers(installation, "access_token")
    ]
    for form in forms:
        _expect(installation, form, "active")
    return forms


def _userinfo(installation: Installation) -> Data:
    requests: list[Row] = [
        {"method": "GET", "path": "/oauth/userinfo", "headers": {"Authorization": f"Bearer {token}"}}
        for token in _answers(installation, "access_token")
    ]
    for request in requests:
        _expect(installation, request, "sub")
    return requests


def _expect(installation: Installation, request: Row, member: str) -> None:
    """A 200 alone does not say that the product did its work: introspection answers it to anything."""
    headers = request["headers"] if isinstance(request["headers"], dict) else {}
    body = str(request["body"]) if "body" in request else None
    answer = relying_party.call(
        installation.url, str(request["method"]), str(request["path"]), headers, body
    ).json()
    if not answer.get(member):
        raise relying_party.UnexpectedAnswer(f"{request['path']}: {answer}")


def _sign_in(installation: Installation) -> Data:
    return [
        {"identifier": person.login_name, "password": quote(PASSWORD, safe=""), "sms_code": SMS_CODE}
        for person in installation.population.people[:SIGN_INS_AT_ONCE]
    ]


ITEMS = (
    Item("discovery", "discovery", "single", _get(DISCOVERY), _everywhere(0.05, 0.03)),
    Item("jwks", "JWKS", "single", _get("/oauth/jwks.json"), _everywhere(0.05, 0.03)),
    Item(
        "cc_es256",
        "client_credentials ES256",
        "single",
        _client_credentials("es256"),
        _everywhere(0.50, 0.37),
        (SHA256, ES256_SIGN),
    ),
    Item(
        "cc_rs256",
        "client_credentials RS256",
        "single",
        _client_credentials("rs256"),
        _everywhere(0.80, 0.65),
        (SHA256, RS256_SIGN),
    ),
    Item(
        "refresh",
        "refresh, rotated, ES256 ID token",
        "refresh",
        _refresh,
        {POSTGRESQL: Goal(1.2, 0.8), EMBEDDED: Goal(0.9, 0.6)},
        (SHA256, ES256_SIGN, ES256_SIGN),
        threads=CONNECTIONS,
    ),
    Item(
        "code",
        "code flow, session and consent there",
        "code",
        _code,
        {POSTGRESQL: Goal(2.4, 1.6), EMBEDDED: Goal(1.7, 1.2)},
        (SHA256, ES256_SIGN, ES256_SIGN),
        threads=CONNECTIONS,
    ),
    Item(
        "introspection",
        "introspection",
        "single",
        _introspection,
        _everywhere(0.50, 0.32),
        (SHA256, ES256_VERIFY),
    ),
    Item(
        "userinfo",
        "userinfo",
        "single",
        _userinfo,
        _everywhere(0.50, 0.32),
        (ES256_VERIFY,),
    ),
    Item(
        "sign_in",
        "full sign-in (goal: beyond its hash)",
        "sign_in",
        _sign_in,
        _everywhere(8.0, 5.0),
        (ARGON2ID,),
        connections=SIGN_INS_AT_ONCE,
        threads=SIGN_INS_AT_ONCE,
        beyond_cryptography=True,
    ),
)
