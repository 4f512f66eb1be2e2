"""What each item's script is given, made anew for each round: requests, tokens to begin with, supplies."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from bench import proofs, relying_party
from bench.installation import SMS_CODE, Installation
from bench.population import MACHINE_SCOPE, PASSWORD, Credentials
from bench.wrk import Data, Supply

Row = dict[str, object]
SIGN_INS_AT_ONCE = 8
TOKEN, PUSH = "/oauth/token", "/oauth/par"


def get(path: str) -> Callable[[Installation], Data]:
    """One path, by nobody in particular."""
    return lambda _installation: [{"method": "GET", "path": path, "headers": {}}]


def client_credentials(algorithm: str) -> Callable[[Installation], Data]:
    """The back end whose access tokens are signed by ``algorithm``."""

    def data(installation: Installation) -> Data:
        client: Credentials = getattr(installation.population, algorithm)
        body = f"grant_type=client_credentials&scope={MACHINE_SCOPE}"
        return [_form(TOKEN, client, body)]

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


def refresh(installation: Installation) -> Data:
    """A refresh token of each person to begin with."""
    headers = relying_party.form_headers(installation.population.app)
    return [
        {"path": TOKEN, "headers": headers, "refresh_token": token}
        for token in _answers(installation, "refresh_token")
    ]


def code(installation: Installation) -> Data:
    """A browser of each person in which the session is there."""
    app = installation.population.app
    return [
        {
            "authorize_path": relying_party.authorization_path(app),
            "authorize_headers": {"Cookie": relying_party.cookie_of(person)},
            "token_path": TOKEN,
            "token_headers": relying_party.form_headers(app),
            "token_body": relying_party.redemption(),
        }
        for person in installation.population.people
    ]


def pushed_code(installation: Installation) -> Data:
    """Every assertion and every proof is new: the product takes each once, and a proof for two minutes."""
    client, url = installation.population.fapi, installation.url
    return [
        {
            "push_path": PUSH,
            "push_body": relying_party.pushed_request(client),
            "authorize_path": relying_party.pushed_authorization_path(client),
            "authorize_headers": {"Cookie": relying_party.cookie_of(person)},
            "token_path": TOKEN,
            "token_body": relying_party.asserted_redemption(),
            "supply": proofs.supply(url, client, PUSH, TOKEN),
        }
        for person in installation.population.people
    ]


def exchange(installation: Installation) -> Data:
    """Every token is new to the product: it verifies the signature of each."""
    headers = relying_party.form_headers(installation.population.receiver)
    of_people = _answers(installation, "access_token")
    supplies: list[list[str]] = json.loads(installation.say("bench.subject_tokens", *of_people))
    return [
        {"path": TOKEN, "headers": headers, "body": relying_party.exchange(), "supply": Supply(tokens)}
        for tokens in supplies
    ]


def introspection(installation: Installation) -> Data:
    """An access token of each person, which is worth something."""
    app = installation.population.app
    forms = [
        _form("/oauth/introspect", app, f"token={token}") for token in _answers(installation, "access_token")
    ]
    for form in forms:
        _expect(installation, form, "active")
    return forms


def userinfo(installation: Installation) -> Data:
    """An access token of each person, which userinfo answers to."""
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


def sign_in(installation: Installation) -> Data:
    """What each person types."""
    return [
        {"identifier": person.login_name, "password": quote(PASSWORD, safe=""), "sms_code": SMS_CODE}
        for person in installation.population.people[:SIGN_INS_AT_ONCE]
    ]
