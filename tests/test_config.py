from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import pytest

from idp.config import ConfigurationError, Settings, variable_names

SECRET: Final = "0123456789abcdef" * 4
PRODUCTION: Final = {
    "IDP_ENV": "production",
    "IDP_ISSUER": "https://id.example",
    "IDP_SECRET_KEY": SECRET,
    "IDP_SMS_URL": "https://sms.example",
    "IDP_SMS_TOKEN": "token",
    "IDP_KEYS_PASSPHRASE": "a passphrase of some length",
}
DEVELOPMENT: Final = {"IDP_ENV": "development", "IDP_SECRET_KEY": "dev"}


def faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_env(environ)
    assert str(refused.value) == "\n".join(refused.value.faults)
    return [fault.partition(":")[0] for fault in refused.value.faults]


def test_development_starts_with_a_secret_alone() -> None:
    settings = Settings.from_env(DEVELOPMENT)
    assert settings.development
    assert settings.issuer == "http://127.0.0.1:5000"
    assert (settings.sms, settings.registry, settings.captcha) == ("outbox", "demo", "image")
    assert settings.allow_test_identities
    assert settings.admin_acr == "2fa"
    assert settings.redis_url is None


def test_production_is_the_default_and_strict() -> None:
    settings = Settings.from_env({name: value for name, value in PRODUCTION.items() if name != "IDP_ENV"})
    assert not settings.development
    assert (settings.sms, settings.registry, settings.captcha) == ("http", "manual", "image")
    assert not settings.allow_test_identities
    assert settings.admin_acr == "2fa-crypto"
    assert settings.throttle


def test_every_variable_is_read() -> None:
    settings = Settings.from_env(
        DEVELOPMENT
        | {
            "IDP_ISSUER": "https://id.example/",
            "IDP_DATABASE_URL": "postgresql+psycopg://x",
            "IDP_REDIS_URL": "redis://x",
            "IDP_KEYS_DIR": "/k",
            "IDP_KEYS_PASSPHRASE": "p",
            "IDP_SMS": "http",
            "IDP_SMS_URL": "https://sms.example",
            "IDP_SMS_TOKEN": "t",
            "IDP_SMS_FIXED_CODE": "123456",
            "IDP_CAPTCHA": "off",
            "IDP_REGISTRY": "http",
            "IDP_REGISTRY_URL": "https://registry.example",
            "IDP_REGISTRY_TOKEN": "r",
            "IDP_THROTTLE": "off",
            "IDP_PASSWORD_MAX_AGE_DAYS": "180",
            "IDP_TRUSTED_PROXIES": "2",
            "IDP_CLIENT_CERTIFICATE_HEADER": "ClientCert",
            "IDP_CLIENT_CERTIFICATE_VERIFY_HEADER": "ClientCertVerify",
            "IDP_MTLS_URL": "https://mtls.id.example/",
            "IDP_CA_BUNDLE": "/ca.pem",
            "IDP_OUTBOUND_ALLOW": "10.1.0.0/16, fd00::/8",
            "IDP_ALLOW_TEST_IDENTITIES": "off",
            "IDP_ADMIN_ACR": "2fa-crypto",
            "IDP_DPOP_NONCE": "on",
            "IDP_REGISTRATION": "open",
            "IDP_UPSTREAM_ISSUER": "https://national.example",
            "IDP_UPSTREAM_CLIENT_ID": "miit-platform",
            "IDP_UPSTREAM_CLIENT_SECRET": "u",
            "IDP_UPSTREAM_NAME": "省级平台",
            "IDP_UPSTREAM_HIGHEST_LEVEL": "2fa-crypto",
            "IDP_DORMANT_DAYS": "180",
            "IDP_SCAN_RETENTION_DAYS": "0",
        }
    )
    unchanged = {
        field.name
        for field in fields(Settings)
        if getattr(settings, field.name) == getattr(Settings.from_env(DEVELOPMENT), field.name)
    }
    assert unchanged == {"env", "secret_key"}
    assert settings.issuer == "https://id.example"
    assert settings.keys_dir == Path("/k")
    assert settings.outbound_allow == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert settings.trusted_proxies == 2
    assert settings.mtls_url == "https://mtls.id.example"


def test_an_empty_variable_is_one_left_out() -> None:
    assert Settings.from_env(DEVELOPMENT | {"IDP_REDIS_URL": "", "IDP_THROTTLE": ""}) == Settings.from_env(
        DEVELOPMENT
    )


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().env = "development"  # type: ignore[misc]


def test_the_variables_are_the_attributes() -> None:
    assert "IDP_ISSUER" in variable_names()
    assert len(variable_names()) == len(fields(Settings))


@pytest.mark.parametrize("word", ["on", "ON", "1", "true", "True"])
def test_a_switch_is_on_by_these_words(word: str) -> None:
    assert Settings.from_env(DEVELOPMENT | {"IDP_THROTTLE": word}).throttle


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IDP_ENV", "staging"),
        ("IDP_SMS", "pigeon"),
        ("IDP_CAPTCHA", "none"),
        ("IDP_REGISTRY", "file"),
        ("IDP_THROTTLE", "maybe"),
        ("IDP_TRUSTED_PROXIES", "-1"),
        ("IDP_TRUSTED_PROXIES", "11"),
        ("IDP_TRUSTED_PROXIES", "٣"),
        ("IDP_TRUSTED_PROXIES", "two"),
        ("IDP_OUTBOUND_ALLOW", "10.1.2.3/16"),
        ("IDP_OUTBOUND_ALLOW", "everywhere"),
        ("IDP_ALLOW_TEST_IDENTITIES", "x"),
        ("IDP_DORMANT_DAYS", "59"),
        ("IDP_DORMANT_DAYS", "3651"),
        ("IDP_DORMANT_DAYS", "-1"),
        ("IDP_DORMANT_DAYS", "never"),
        ("IDP_ADMIN_ACR", "1fa"),
        ("IDP_ISSUER", "id.example"),
        ("IDP_ISSUER", "ftp://id.example"),
        ("IDP_ISSUER", "https://"),
        ("IDP_ISSUER", "https://id.example?x=1"),
        ("IDP_ISSUER", "https://id.example#x"),
        ("IDP_ISSUER", "https://id.example/path"),
        ("IDP_ISSUER", "https://user@id.example"),
        ("IDP_ISSUER", "https://id.example:port"),
        ("IDP_ISSUER", "https://[id.example"),
        ("IDP_SECRET_KEY", ""),
        ("IDP_SMS", "http"),
        ("IDP_REGISTRY", "http"),
        ("IDP_SMS_FIXED_CODE", "12345"),
        ("IDP_SMS_FIXED_CODE", "12345a"),
        ("IDP_SMS_FIXED_CODE", "１２３４５６"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, value: str) -> None:
    assert name in faults(PRODUCTION | DEVELOPMENT | {"IDP_SMS_URL": "", name: value})


@pytest.mark.checklist(2)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IDP_SECRET_KEY", ""),
        ("IDP_SECRET_KEY", "change-me"),
        ("IDP_SECRET_KEY", "x" * 31),
        ("IDP_ISSUER", "http://id.example"),
        ("IDP_SMS", "outbox"),
        ("IDP_SMS_FIXED_CODE", "123456"),
        ("IDP_CAPTCHA", "off"),
        ("IDP_THROTTLE", "off"),
        ("IDP_REGISTRY", "demo"),
        ("IDP_ALLOW_TEST_IDENTITIES", "on"),
        ("IDP_ADMIN_ACR", "2fa"),
        ("IDP_KEYS_PASSPHRASE", ""),
    ],
)
def test_production_refuses_what_is_for_development(name: str, value: str) -> None:
    assert faults(PRODUCTION | {name: value}) == [name]


def test_every_fault_is_named_at_once() -> None:
    wrong = {"IDP_ISSUER": "http://id.example", "IDP_CAPTCHA": "off", "IDP_TRUSTED_PROXIES": "x"}
    assert set(faults(PRODUCTION | wrong)) == set(wrong)


MUTUAL_TLS: Final = {
    "IDP_TRUSTED_PROXIES": "1",
    "IDP_CLIENT_CERTIFICATE_HEADER": "ClientCert",
    "IDP_CLIENT_CERTIFICATE_VERIFY_HEADER": "ClientCertVerify",
    "IDP_MTLS_URL": "https://mtls.id.example:8443",
}


def test_mutual_tls_is_there_with_a_proxy_that_passes_certificates() -> None:
    assert Settings.from_env(PRODUCTION | MUTUAL_TLS).mutual_tls
    assert Settings.from_env(PRODUCTION | MUTUAL_TLS | {"IDP_MTLS_URL": ""}).mutual_tls
    assert not Settings.from_env(PRODUCTION).mutual_tls


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"IDP_TRUSTED_PROXIES": "0"}, ["IDP_CLIENT_CERTIFICATE_HEADER"]),
        ({"IDP_CLIENT_CERTIFICATE_HEADER": "Client_Cert"}, ["IDP_CLIENT_CERTIFICATE_HEADER"]),
        ({"IDP_CLIENT_CERTIFICATE_HEADER": "Client Cert"}, ["IDP_CLIENT_CERTIFICATE_HEADER"]),
        ({"IDP_CLIENT_CERTIFICATE_VERIFY_HEADER": "é"}, ["IDP_CLIENT_CERTIFICATE_VERIFY_HEADER"]),
        ({"IDP_CLIENT_CERTIFICATE_VERIFY_HEADER": ""}, ["IDP_CLIENT_CERTIFICATE_VERIFY_HEADER"]),
        (
            {"IDP_CLIENT_CERTIFICATE_HEADER": ""},
            ["IDP_CLIENT_CERTIFICATE_VERIFY_HEADER", "IDP_MTLS_URL"],
        ),
        ({"IDP_MTLS_URL": "http://mtls.id.example"}, ["IDP_MTLS_URL"]),
        ({"IDP_MTLS_URL": "https://mtls.id.example/oauth"}, ["IDP_MTLS_URL"]),
        ({"IDP_MTLS_URL": "mtls.id.example"}, ["IDP_MTLS_URL"]),
    ],
)
def test_half_of_mutual_tls_is_none(changes: dict[str, str], named: list[str]) -> None:
    assert faults(PRODUCTION | MUTUAL_TLS | changes) == named


UPSTREAM: Final = {
    "IDP_UPSTREAM_ISSUER": "https://national.example/oidc/",
    "IDP_UPSTREAM_CLIENT_ID": "miit-platform",
}


def test_another_platform_is_named_as_it_names_itself() -> None:
    settings = Settings.from_env(PRODUCTION | UPSTREAM)
    assert settings.upstream
    assert settings.upstream_issuer == "https://national.example/oidc/"
    assert settings.upstream_name == "国家政务服务平台"
    assert settings.upstream_highest_level == "2fa"
    assert not Settings.from_env(PRODUCTION).upstream


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"IDP_UPSTREAM_ISSUER": "http://national.example"}, "IDP_UPSTREAM_ISSUER"),
        ({"IDP_UPSTREAM_ISSUER": "https://national.example?x"}, "IDP_UPSTREAM_ISSUER"),
        ({"IDP_UPSTREAM_ISSUER": "https://user@national.example"}, "IDP_UPSTREAM_ISSUER"),
        ({"IDP_UPSTREAM_ISSUER": "https://national.example:port"}, "IDP_UPSTREAM_ISSUER"),
        ({"IDP_UPSTREAM_ISSUER": "https://国家.example"}, "IDP_UPSTREAM_ISSUER"),
        ({"IDP_UPSTREAM_ISSUER": "https://id.example/"}, "IDP_UPSTREAM_ISSUER"),
        ({"IDP_UPSTREAM_CLIENT_ID": ""}, "IDP_UPSTREAM_CLIENT_ID"),
        ({"IDP_UPSTREAM_CLIENT_ID": "https://id.example"}, "IDP_UPSTREAM_CLIENT_ID"),
        ({"IDP_UPSTREAM_HIGHEST_LEVEL": "4fa"}, "IDP_UPSTREAM_HIGHEST_LEVEL"),
    ],
)
def test_half_another_platform_is_a_fault(change: dict[str, str], fault: str) -> None:
    assert faults(PRODUCTION | UPSTREAM | change) == [fault]


def test_a_secret_belongs_to_a_platform() -> None:
    assert faults(PRODUCTION | {"IDP_UPSTREAM_CLIENT_SECRET": "x"}) == ["IDP_UPSTREAM_CLIENT_SECRET"]
    assert faults(PRODUCTION | {"IDP_UPSTREAM_CLIENT_ID": "x"}) == ["IDP_UPSTREAM_CLIENT_ID"]


def test_in_development_another_platform_may_be_on_this_machine() -> None:
    settings = Settings.from_env(DEVELOPMENT | UPSTREAM | {"IDP_UPSTREAM_ISSUER": "http://localhost:5100"})
    assert settings.upstream_issuer == "http://localhost:5100"
