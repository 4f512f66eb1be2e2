"""Private keys in files: made on first use, 0600, whole or not at all, however many processes start at once.

``python -m clients.rp.key_files FILE`` makes the signing key if it isn't there and prints the public JWKS
that the client is registered with.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey


def signing_key(path: Path) -> ECKey:
    """The private ES256 key of that file, a JWK (RFC 7517)."""
    return ECKey.import_key(stored(path, new_signing_key))


def public_jwks(key: ECKey) -> dict[str, Any]:
    """The JWK Set to register, public parts only (RFC 7517 §5)."""
    return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"}]}


def new_signing_key() -> dict[str, Any]:
    """A new one, its ``kid`` the RFC 7638 thumbprint."""
    key = ECKey.generate_key("P-256", auto_kid=True)
    return {**key.as_dict(private=True), "use": "sig", "alg": "ES256"}


def stored(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The JSON object of that file, made first if it isn't there. OSError, ValueError."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, json.dumps(make()))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _create(path: Path, text: str) -> None:
    """Give the file its name only when it is complete; whoever links first wins, the others read that one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def main(arguments: Sequence[str]) -> int:
    """Print the public JWKS as JSON."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m clients.rp.key_files FILE\n")
        return 2
    sys.stdout.write(json.dumps(public_jwks(signing_key(Path(arguments[0])))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
