"""Access tokens of one authorization, many and each of its own, signed by the product's keys.

A back end is shown one token after the other and hands each on; fetching thousands for a round by code flows
would take longer than the round. Run as a program, with the product's environment and one access token for
each connection as arguments: prints as many lists as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, cast

from joserfc import jws

from idp import clock
from idp.app import create_app
from idp.config import Settings
from idp.crypto import random_id
from idp.oauth import jose
from idp.services.platform import Platform

UNITS = 800
"""For one connection in one round: several times what the product could use up in it."""


def like(platform: Platform, token: str, units: int) -> list[str]:
    """Tokens that differ from ``token`` in their ``jti`` alone."""
    signed = jws.extract_compact(token.encode())
    header, payload = signed.headers(), json.loads(signed.payload)
    return [_another(platform, header, payload) for _ in range(units)]


def _another(platform: Platform, header: dict[str, Any], payload: dict[str, Any]) -> str:
    payload = {**payload, "jti": random_id()}
    return jose.sign(platform, header["alg"], header["typ"], payload, clock.now())


def main() -> None:
    """Print the tokens."""
    app = create_app(Settings.from_env(os.environ))
    with app.app_context():
        platform = cast("Platform", app.extensions["idp"])
        print(json.dumps([like(platform, token, UNITS) for token in sys.argv[1:]]))


if __name__ == "__main__":
    main()
