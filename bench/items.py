"""What is measured: each item's script, the cryptography it can't do without, and its goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench import requests
from bench.installation import DISCOVERY, EMBEDDED, POSTGRESQL, Installation
from bench.limits import ARGON2ID, ES256_SIGN, ES256_VERIFY, RS256_SIGN, SHA256
from bench.requests import SIGN_INS_AT_ONCE
from bench.wrk import Data

CONNECTIONS = 16


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


ITEMS = (
    Item("discovery", "discovery", "single", requests.get(DISCOVERY), _everywhere(0.05, 0.03)),
    Item("jwks", "JWKS", "single", requests.get("/oauth/jwks.json"), _everywhere(0.05, 0.03)),
    Item(
        "cc_es256",
        "client_credentials ES256",
        "single",
        requests.client_credentials("es256"),
        _everywhere(0.50, 0.37),
        (SHA256, ES256_SIGN),
    ),
    Item(
        "cc_rs256",
        "client_credentials RS256",
        "single",
        requests.client_credentials("rs256"),
        _everywhere(0.80, 0.65),
        (SHA256, RS256_SIGN),
    ),
    Item(
        "refresh",
        "refresh, rotated, ES256 ID token",
        "refresh",
        requests.refresh,
        {POSTGRESQL: Goal(1.2, 0.8), EMBEDDED: Goal(0.9, 0.6)},
        (SHA256, ES256_SIGN, ES256_SIGN),
        threads=CONNECTIONS,
    ),
    Item(
        "code",
        "code flow, session and consent there",
        "code",
        requests.code,
        {POSTGRESQL: Goal(2.4, 1.6), EMBEDDED: Goal(1.7, 1.2)},
        (SHA256, ES256_SIGN, ES256_SIGN),
        threads=CONNECTIONS,
    ),
    # Floor of parts measured alone, µs on PostgreSQL and Redis | SQLite (docs/benchmark.md): the code flow
    # 1,720 | 820; one more request with form and JSON answer 186; four JWTs of clients decoded, 85 each; six
    # writes, for four jti and the request pushed and used up, 103 | 51 each; two reads of it, 97 | 32 each:
    # 3,060 | 1,720. Goal: 1.4 | 1.7 times that, as of the code flow; proud: 1.0 | 1.25 times.
    Item(
        "pushed_code",
        "code flow PAR+DPoP",
        "pushed_code",
        requests.pushed_code,
        {POSTGRESQL: Goal(4.3, 3.1), EMBEDDED: Goal(2.9, 2.1)},
        (*4 * (ES256_VERIFY,), ES256_SIGN, ES256_SIGN),
        threads=CONNECTIONS,
    ),
    # Floor: client_credentials 292; the subject token decoded 85; its grant read 246 | 35: 620 | 410.
    # Goal and proud by the same factors.
    Item(
        "exchange",
        "token exchange",
        "exchange",
        requests.exchange,
        {POSTGRESQL: Goal(0.87, 0.62), EMBEDDED: Goal(0.70, 0.52)},
        (SHA256, ES256_VERIFY, ES256_SIGN),
        threads=CONNECTIONS,
    ),
    Item(
        "introspection",
        "introspection",
        "single",
        requests.introspection,
        _everywhere(0.50, 0.32),
        (SHA256, ES256_VERIFY),
    ),
    Item(
        "userinfo",
        "userinfo",
        "single",
        requests.userinfo,
        _everywhere(0.50, 0.32),
        (ES256_VERIFY,),
    ),
    Item(
        "sign_in",
        "full sign-in (goal: beyond its hash)",
        "sign_in",
        requests.sign_in,
        _everywhere(8.0, 5.0),
        (ARGON2ID,),
        connections=SIGN_INS_AT_ONCE,
        threads=SIGN_INS_AT_ONCE,
        beyond_cryptography=True,
    ),
)
