"""What a relying party of the FAPI 2.0 profile signs, made ahead: the load generator can't sign.

Client assertions (RFC 7523) and DPoP proofs (RFC 9449), each with a ``jti`` of its own.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from bench.population import Signer
from bench.wrk import Supply

ASSERTION_SECONDS = 300
UNITS = 300
"""For one connection in one round: several times what the product could use up in it."""


def supply(issuer: str, client: Signer, push_path: str, token_path: str, units: int = UNITS) -> Supply:
    """For each unit assertion and proof of the push, assertion and proof of the token request.

    One DPoP key for all of it, as one instance of a relying party has.
    """
    client_key = ECKey.import_key(dict(client.private_jwk))
    proof_key = ECKey.generate_key("P-256")
    return Supply(
        [
            " ".join(
                text
                for path in (push_path, token_path)
                for text in (assertion(client_key, client.client_id, issuer), proof(proof_key, issuer + path))
            )
            for _ in range(units)
        ]
    )


def assertion(key: ECKey, client_id: str, issuer: str) -> str:
    """A client assertion from now on (RFC 7523 §3, FAPI 2.0 Security Profile 5.3.2.1)."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + ASSERTION_SECONDS}
    return _signed(key, {"kid": key.kid}, claims)


def proof(key: ECKey, address: str) -> str:
    """A DPoP proof for a POST to ``address`` now (RFC 9449 §4.2)."""
    header = {"typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    return _signed(key, header, {"htm": "POST", "htu": address, "iat": int(time.time())})


def _signed(key: ECKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    named = {**claims, "jti": secrets.token_urlsafe(16)}
    return jwt.encode({"alg": "ES256", **header}, named, key)
