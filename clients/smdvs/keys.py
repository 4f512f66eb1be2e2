"""The keys of smdvs in its keys directory: made on first use, 0600, whole or not at all.

``python -m clients.smdvs.keys`` makes what is missing and prints the public JWKS that the
client is registered with.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from clients.rp import key_files
from clients.rp.sealed import Sealer
from clients.smdvs.config import ConfigError, Settings

CLIENT_KEY_FILE = "client-es256.jwk"
DPOP_KEY_FILE = "dpop-es256.jwk"
FIELD_KEYS_FILE = "fields.json"


@dataclass(frozen=True)
class Keys:
    """The private keys that prove who we are to the provider (``client``) and that a token is ours (``dpop``,
    which all our processes share), and the sealer of personal data at rest.
    """

    client: ECKey
    dpop: ECKey
    fields: Sealer

    @property
    def public_jwks(self) -> dict[str, Any]:
        """The JWK Set to register, public parts only (RFC 7517 §5)."""
        return key_files.public_jwks(self.client)


def load(directory: Path) -> Keys:
    """The keys of that directory, made first if they aren't there. Safe when several processes
    start at once.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    client = key_files.signing_key(directory / CLIENT_KEY_FILE)
    dpop = key_files.signing_key(directory / DPOP_KEY_FILE)
    return Keys(client, dpop, _sealer(key_files.stored(directory / FIELD_KEYS_FILE, _new_field_keys)))


def _new_field_keys() -> dict[str, Any]:
    kid = secrets.token_hex(4)
    return {"current": kid, "keys": {kid: _random()}, "digest": _random()}


def _sealer(stored: dict[str, Any]) -> Sealer:
    keys = {kid: urlsafe_b64decode(key) for kid, key in stored["keys"].items()}
    return Sealer(keys, stored["current"], urlsafe_b64decode(stored["digest"]))


def _random() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def main() -> int:
    """Print the public JWKS as JSON."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(load(settings.keys_dir).public_jwks) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
