from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from idp.config import ConfigurationError
from idp.services import demonstration

ROOT = Path(__file__).resolve().parents[1]
PRODUCTION = {
    "env": "production",
    "issuer": "https://idp.example.com",
    "registry": "manual",
    "sms": "http",
    "allow_test_identities": False,
}


def test_production_refuses_to_start_and_names_every_fault_at_once() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    environ |= {"IDP_ENV": "production", "IDP_SMS": "outbox", "IDP_SMS_FIXED_CODE": "123456"}
    started = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    assert "Traceback" not in started.stderr
    named = [line.partition(":")[0] for line in started.stderr.splitlines()]
    assert named == [
        "IDP_SECRET_KEY",
        "IDP_ISSUER",
        "IDP_SMS",
        "IDP_SMS_FIXED_CODE",
        "IDP_KEYS_PASSPHRASE",
    ]


def test_production_refuses_a_database_with_demonstration_accounts(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    with app.app_context():
        demonstration.load(app.extensions["idp"], "http://127.0.0.1:5001", {"keys": [PUBLIC_KEY]})
    with pytest.raises(ConfigurationError) as refused:
        make_app(**PRODUCTION)
    assert "demo_legal" in refused.value.faults[0]
    assert refused.value.faults[0].startswith("IDP_DATABASE_URL")


def test_production_starts_over_a_database_without_them(make_app: Callable[..., Flask]) -> None:
    assert make_app(**PRODUCTION).extensions["idp"].settings.env == "production"


def test_production_starts_before_its_schema_is_there(
    make_app: Callable[..., Flask], empty_database_url: str
) -> None:
    make_app(**PRODUCTION, database_url=empty_database_url)


PUBLIC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "example",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
