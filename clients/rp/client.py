"""Who the relying party is to the provider, and how it proves it: ``private_key_jwt`` (OpenID Connect Core
§9).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc.jwk import ECKey

from clients.rp.prover import Prover

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


@dataclass(frozen=True)
class Client:
    """A confidential client without a shared secret; ``key`` is its private ES256 key, with a ``kid``.

    With a ``prover`` its tokens are bound to that one's key (RFC 9449).
    """

    client_id: str
    key: ECKey
    redirect_uri: str
    post_logout_redirect_uri: str
    prover: Prover | None = None

    @property
    def token_type(self) -> str:
        """What a token answer must say, in lower case: less than what we asked for is no answer to us."""
        return "bearer" if self.prover is None else "dpop"

    @property
    def key_thumbprint(self) -> str | None:
        """The key that our own tokens are bound to, if they are."""
        return None if self.prover is None else self.prover.thumbprint

    def authentication(self, issuer: str) -> dict[str, str]:
        """The form fields that authenticate one request; a new assertion each time, for the issuer alone."""
        # The issuer, not the endpoint, is the audience: one address can't then be passed off as another (RFC
        # 7523bis).
        assertion = private_key_jwt_sign(
            self.key,
            self.client_id,
            issuer,
            alg="ES256",
            header={"kid": self.key.kid, "typ": "JWT"},
            expires_at=int(time.time()) + ASSERTION_SECONDS,
        )
        return {
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
