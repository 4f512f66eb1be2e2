"""The environment: every fault named at once, and addresses in one spelling."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clients.smdvs.config import ConfigError, Settings

GOOD = {
    "SMDVS_ENV": "development",
    "SMDVS_ISSUER": "http://127.0.0.1:5000",
    "SMDVS_PUBLIC_URL": "http://127.0.0.1:5001/",
    "SMDVS_SECRET_KEY": "0123456789abcdef" * 2,
}


def test_the_least_environment_is_enough() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.resource == "http://127.0.0.1:5001/smdvs/api/v1"
    assert settings.callback_url == "http://127.0.0.1:5001/smdvs/callback"
    assert settings.home_url == "http://127.0.0.1:5001/smdvs/"
    assert settings.client_id == "smdvs"
    assert not settings.https


def test_an_empty_environment_is_told_all_it_lacks() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({})
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "SMDVS_ISSUER",
        "SMDVS_PUBLIC_URL",
        "SMDVS_SECRET_KEY",
        "SMDVS_SMS",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMDVS_ISSUER", "http://op.example"),
        ("SMDVS_ISSUER", "op.example"),
        ("SMDVS_ISSUER", "https://op.example?x=1"),
        ("SMDVS_ISSUER", "https://user@op.example"),
        ("SMDVS_ISSUER", "https://op.example /"),
        ("SMDVS_PUBLIC_URL", "https://smdvs.example/smdvs/"),
        ("SMDVS_PUBLIC_URL", "http://smdvs.example"),
        ("SMDVS_SECRET_KEY", "short"),
        ("SMDVS_DATABASE_URL", "mysql://x/y"),
        ("SMDVS_DATABASE_URL", "not an address"),
        ("SMDVS_CLIENT_ID", "a b"),
        ("SMDVS_CA_BUNDLE", "/does/not/exist"),
        ("SMDVS_DEADLINE_POLICY", "eidc-2024"),
        ("SMDVS_ENV", "test"),
        ("SMDVS_SMS", "pigeon"),
        ("SMDVS_SMS", "http"),
        ("SMDVS_SMS_URL", "http://sms.example/"),
        ("SMDVS_SMS_URL", "https://user@sms.example/"),
        ("SMDVS_SMS_TOKEN", "a b"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({**GOOD, name: value})
    assert [fault.split(":")[0] for fault in caught.value.faults] == [name]


def test_the_issuer_is_kept_as_written() -> None:
    assert Settings.from_env({**GOOD, "SMDVS_ISSUER": "https://op.example/"}).issuer == "https://op.example/"


def test_in_production_messages_leave_or_it_does_not_start() -> None:
    production = {name: value for name, value in GOOD.items() if name != "SMDVS_ENV"}
    for without in ({}, {"SMDVS_SMS": "outbox"}, {"SMDVS_SMS_URL": "https://sms.example/"}):
        with pytest.raises(ConfigError, match="SMDVS_SMS: "):
            Settings.from_env({**production, **without})
    gateway = {"SMDVS_SMS_URL": "https://sms.example/", "SMDVS_SMS_TOKEN": "token"}
    assert Settings.from_env({**production, **gateway}).sms == "http"


def test_postgresql_is_spoken_to_by_psycopg() -> None:
    url = Settings.from_env({**GOOD, "SMDVS_DATABASE_URL": "postgresql://u:p@db/smdvs"}).database_url
    assert url == "postgresql+psycopg://u:p@db/smdvs"


def test_the_program_refuses_to_start_on_a_faulty_environment(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import clients.smdvs.wsgi"]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SMDVS_ISSUER: is missing" in done.stderr
    assert "Traceback" not in done.stderr
