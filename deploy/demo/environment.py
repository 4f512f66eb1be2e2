"""The environment of the demonstration: what the person set, and defaults for the rest."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


class NotPossibleError(Exception):
    """The demonstration can't run; the text says why and what to do."""


@dataclass(frozen=True)
class Demonstration:
    """Where the two applications answer and what they are told; ``var`` holds everything they keep."""

    root: Path
    var: Path
    idp_port: int
    smdvs_port: int
    idp_environ: Mapping[str, str]
    smdvs_environ: Mapping[str, str]

    @property
    def idp_url(self) -> str:
        """Where the platform answers, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.idp_port}"

    @property
    def smdvs_url(self) -> str:
        """Where smdvs answers, without a path."""
        return f"http://{LOOPBACK}:{self.smdvs_port}"


def read(environ: Mapping[str, str], root: Path) -> Demonstration:
    """The demonstration that ``environ`` asks for, in the tree at ``root``.

    Creates the secrets it needs on first use. Raises NotPossibleError for a port that is none.
    """
    idp_port, smdvs_port = _port(environ, "IDP_PORT", 5000), _port(environ, "SMDVS_PORT", 5001)
    if idp_port == smdvs_port:
        raise NotPossibleError(f"IDP_PORT and SMDVS_PORT are both {idp_port}; they must differ.")
    var = Path(environ.get("DEMO_VAR") or root / "var").resolve()
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    idp = _idp_defaults(root, var, idp_port)
    chosen = {name: value for name, value in environ.items() if value or name not in idp}
    idp_environ = _local(idp | chosen)
    smdvs = _smdvs_defaults(var, idp_environ["IDP_ISSUER"], smdvs_port)
    others = {name: value for name, value in environ.items() if not name.startswith("IDP_") and value}
    return Demonstration(root, var, idp_port, smdvs_port, idp_environ, _local(smdvs | others))


def _idp_defaults(root: Path, var: Path, port: int) -> dict[str, str]:
    return {
        "IDP_ENV": "development",
        "IDP_ISSUER": f"http://{LOOPBACK}:{port}",
        "IDP_SECRET_KEY": _secret(var / "idp-secret-key"),
        "IDP_DATABASE_URL": f"sqlite:///{var / 'idp.sqlite3'}",
        "IDP_KEYS_DIR": str(root / "keys"),
        # The published password has to work on the demonstration's last day as on its first.
        "IDP_PASSWORD_MAX_AGE_DAYS": "0",
        "IDP_DORMANT_DAYS": "0",
    }


def _smdvs_defaults(var: Path, issuer: str, port: int) -> dict[str, str]:
    return {
        "SMDVS_ENV": "development",
        "SMDVS_ISSUER": issuer,
        "SMDVS_CLIENT_ID": "smdvs",
        "SMDVS_PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "SMDVS_DATABASE_URL": f"sqlite:///{var / 'smdvs.sqlite3'}",
        "SMDVS_KEYS_DIR": str(var / "smdvs-keys"),
        "SMDVS_SECRET_KEY": _secret(var / "smdvs-secret-key"),
    }


def _local(environ: dict[str, str]) -> dict[str, str]:
    """With a proxy in the environment the two must still reach one another directly."""
    direct = ",".join(
        filter(None, [environ.get("NO_PROXY") or environ.get("no_proxy"), LOOPBACK, "localhost"])
    )
    return environ | {"NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise NotPossibleError(f"{name}={text} is not a port; use a number from 1 to 65535.")
    return int(text)


def _secret(path: Path) -> str:
    """The secret kept in ``path``; made on first use, complete or not at all."""
    if not path.exists():
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        part.replace(path)
    return path.read_text()
