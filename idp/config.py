"""The settings: one frozen value, the only reader of the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

DEMONSTRATION_SECRETS = frozenset({"dev", "development", "secret", "change-me", "changeme", "test"})
MIN_SECRET_LENGTH = 32
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


class ConfigurationError(Exception):
    """The environment can't be served from; ``faults`` holds one line for each fault,
    each naming its variable.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator can set; each attribute is the variable ``IDP_<NAME>`` (README has the table)."""

    env: str = "production"
    issuer: str = "http://127.0.0.1:5000"
    secret_key: str = ""
    database_url: str = "sqlite:///var/idp.sqlite3"
    redis_url: str | None = None
    keys_dir: Path = Path("keys")
    keys_passphrase: str | None = None
    sms: str = "outbox"
    sms_url: str | None = None
    sms_token: str | None = None
    sms_fixed_code: str | None = None
    captcha: str = "image"
    registry: str = "manual"
    registry_url: str | None = None
    registry_token: str | None = None
    throttle: bool = True
    password_max_age_days: int = 90
    trusted_proxies: int = 0
    client_certificate_header: str | None = None
    client_certificate_verify_header: str | None = None
    mtls_url: str | None = None
    ca_bundle: Path | None = None
    outbound_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    allow_test_identities: bool = False
    admin_acr: str = "2fa-crypto"
    dpop_nonce: bool = False
    registration: str = "token"
    scan_retention_days: int = 30
    upstream_issuer: str | None = None
    upstream_client_id: str | None = None
    upstream_client_secret: str | None = None
    upstream_name: str = "国家政务服务平台"
    upstream_highest_level: str = "2fa"
    dormant_days: int = 365

    @property
    def development(self) -> bool:
        """Whether this is a developer's or a demonstration installation."""
        return self.env == "development"

    @property
    def upstream(self) -> bool:
        """Whether people may sign in through another platform."""
        return self.upstream_issuer is not None

    @property
    def mutual_tls(self) -> bool:
        """Whether clients can show certificates (RFC 8705): a proxy in front passes them on."""
        return self.client_certificate_header is not None

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the endpoints answer programs: the issuer, and where clients show certificates."""
        return (self.issuer,) if self.mtls_url is None else (self.issuer, self.mtls_url)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that ``environ`` describes.

        Raises ConfigurationError naming every fault at once.
        """
        reader = _Reader(environ)
        settings = reader.read()
        faults = reader.faults + _faults(settings)
        if faults:
            raise ConfigurationError(faults)
        return settings


class _Reader:
    """Turns strings of the environment into typed values and collects what can't be read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def read(self) -> Settings:
        development = self._choice("env", "production", ("development", "production")) == "development"
        default = Settings()
        return Settings(
            env="development" if development else "production",
            issuer=self._text("issuer", default.issuer).rstrip("/"),
            secret_key=self._text("secret_key", ""),
            database_url=self._text("database_url", default.database_url),
            redis_url=self._optional("redis_url"),
            keys_dir=Path(self._text("keys_dir", str(default.keys_dir))),
            keys_passphrase=self._optional("keys_passphrase"),
            sms=self._choice("sms", "outbox" if development else "http", ("outbox", "http")),
            sms_url=self._optional("sms_url"),
            sms_token=self._optional("sms_token"),
            sms_fixed_code=self._optional("sms_fixed_code"),
            captcha=self._choice("captcha", "image", ("image", "off")),
            registry=self._choice(
                "registry", "demo" if development else "manual", ("demo", "http", "manual")
            ),
            registry_url=self._optional("registry_url"),
            registry_token=self._optional("registry_token"),
            throttle=self._switch("throttle", default=True),
            password_max_age_days=self._count("password_max_age_days", default.password_max_age_days, 3650),
            trusted_proxies=self._count("trusted_proxies", 0, 10),
            client_certificate_header=self._optional("client_certificate_header"),
            client_certificate_verify_header=self._optional("client_certificate_verify_header"),
            mtls_url=self._origin("mtls_url"),
            ca_bundle=self._path("ca_bundle"),
            outbound_allow=self._networks("outbound_allow"),
            allow_test_identities=self._switch("allow_test_identities", default=development),
            admin_acr=self._choice(
                "admin_acr", "2fa" if development else "2fa-crypto", ("2fa", "2fa-crypto")
            ),
            dpop_nonce=self._switch("dpop_nonce", default=False),
            registration=self._choice("registration", "token", ("token", "open")),
            scan_retention_days=self._count("scan_retention_days", 30, most=3650),
            upstream_issuer=self._optional("upstream_issuer"),
            upstream_client_id=self._optional("upstream_client_id"),
            upstream_client_secret=self._optional("upstream_client_secret"),
            upstream_name=self._text("upstream_name", default.upstream_name),
            upstream_highest_level=self._choice(
                "upstream_highest_level", default.upstream_highest_level, ("2fa", "2fa-crypto")
            ),
            dormant_days=self._days("dormant_days", default.dormant_days),
        )

    def _optional(self, name: str) -> str | None:
        return self._environ.get(f"IDP_{name.upper()}") or None

    def _text(self, name: str, default: str) -> str:
        return self._optional(name) or default

    def _origin(self, name: str) -> str | None:
        text = self._optional(name)
        return text.rstrip("/") if text else None

    def _path(self, name: str) -> Path | None:
        text = self._optional(name)
        return Path(text) if text else None

    def _choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self._text(name, default)
        if text not in allowed:
            self.faults.append(f"IDP_{name.upper()}: {text!r} is none of {', '.join(allowed)}")
            return default
        return text

    def _switch(self, name: str, *, default: bool) -> bool:
        text = self._text(name, "on" if default else "off").lower()
        if text not in {"on", "off", "1", "0", "true", "false"}:
            self.faults.append(f"IDP_{name.upper()}: {text!r} is neither on nor off")
        return text in {"on", "1", "true"}

    def _count(self, name: str, default: int, most: int) -> int:
        text = self._text(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most):
            self.faults.append(f"IDP_{name.upper()}: {text!r} is not a number from 0 to {most}")
            return default
        return int(text)

    def _days(self, name: str, default: int) -> int:
        """0 is never; less than 60 would leave no time between the reminder and what it warns of."""
        text = self._text(name, str(default))
        if text.isascii() and text.isdigit() and (int(text) == 0 or 60 <= int(text) <= 3650):
            return int(text)
        self.faults.append(f"IDP_{name.upper()}: {text!r} is neither 0 nor a number from 60 to 3650")
        return default

    def _networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        networks: list[IPv4Network | IPv6Network] = []
        for text in self._text(name, "").replace(",", " ").split():
            try:
                networks.append(ip_network(text))
            except ValueError:
                self.faults.append(f"IDP_{name.upper()}: {text!r} is not a network such as 10.1.0.0/16")
        return tuple(networks)


def _faults(settings: Settings) -> list[str]:
    """Every reason not to start with these settings, one line each."""
    faults = _faults_anywhere(settings) + _faults_of_mutual_tls(settings) + _faults_of_upstream(settings)
    if not settings.development:
        faults += _faults_in_production(settings)
    return faults


def _faults_anywhere(settings: Settings) -> list[str]:
    checks = [
        (
            not _is_origin(settings.issuer),
            f"IDP_ISSUER: {settings.issuer!r} is not scheme and host alone, such as https://id.example",
        ),
        (not settings.secret_key, "IDP_SECRET_KEY: missing; set a random text of 32 or more characters"),
        (
            settings.sms == "http" and not (settings.sms_url and settings.sms_token),
            "IDP_SMS: http needs IDP_SMS_URL and IDP_SMS_TOKEN",
        ),
        (
            settings.registry == "http" and not settings.registry_url,
            "IDP_REGISTRY: http needs IDP_REGISTRY_URL",
        ),
        (
            settings.sms_fixed_code is not None and not _is_code(settings.sms_fixed_code),
            "IDP_SMS_FIXED_CODE: not six digits",
        ),
    ]
    return [text for wrong, text in checks if wrong]


def _faults_of_mutual_tls(settings: Settings) -> list[str]:
    header, verify_header = settings.client_certificate_header, settings.client_certificate_verify_header
    url = settings.mtls_url
    checks = [
        (not _is_header(header), f"IDP_CLIENT_CERTIFICATE_HEADER: {header!r} is not the name of a header"),
        (
            settings.mutual_tls and not settings.trusted_proxies,
            "IDP_CLIENT_CERTIFICATE_HEADER: only a proxy can be believed; needs IDP_TRUSTED_PROXIES",
        ),
        (
            not _is_header(verify_header),
            f"IDP_CLIENT_CERTIFICATE_VERIFY_HEADER: {verify_header!r} is not the name of a header",
        ),
        (
            settings.mutual_tls != (verify_header is not None),
            "IDP_CLIENT_CERTIFICATE_VERIFY_HEADER: goes together with IDP_CLIENT_CERTIFICATE_HEADER",
        ),
        (
            url is not None and not (_is_origin(url) and url.startswith("https://")),
            f"IDP_MTLS_URL: {url!r} is not https:// and a host alone",
        ),
        (
            url is not None and not settings.mutual_tls,
            "IDP_MTLS_URL: needs IDP_CLIENT_CERTIFICATE_HEADER",
        ),
    ]
    return [text for wrong, text in checks if wrong]


def _faults_of_upstream(settings: Settings) -> list[str]:
    """The issuer is kept as it was written: the other platform's documents name it character by character."""
    issuer, client_id = settings.upstream_issuer, settings.upstream_client_id
    schemes = ("https://", "http://") if settings.development else ("https://",)
    checks = [
        (
            issuer is not None and not (issuer.startswith(schemes) and _is_issuer(issuer)),
            f"IDP_UPSTREAM_ISSUER: {issuer!r} is not the https address of an OpenID provider",
        ),
        (
            issuer is not None and issuer.rstrip("/") == settings.issuer,
            "IDP_UPSTREAM_ISSUER: this platform itself",
        ),
        (
            (issuer is None) != (client_id is None),
            "IDP_UPSTREAM_CLIENT_ID: goes together with IDP_UPSTREAM_ISSUER",
        ),
        (
            # What our key signs for ourselves must never pass for a token that it signs for others.
            client_id == settings.issuer,
            "IDP_UPSTREAM_CLIENT_ID: must differ from IDP_ISSUER",
        ),
        (
            issuer is None and settings.upstream_client_secret is not None,
            "IDP_UPSTREAM_CLIENT_SECRET: needs IDP_UPSTREAM_ISSUER",
        ),
    ]
    return [text for wrong, text in checks if wrong]


def _is_issuer(url: str) -> bool:
    """Whether this is an address as an issuer has it: a path maybe, no query or fragment (Discovery 3)."""
    return _parts(url) is not None and url.isascii() and url.isprintable() and not set(url) & set("?#@ ")


def _parts(url: str) -> SplitResult | None:
    """The parts of an address that has a host, and a port if one is written; None of anything else."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    return parts if parts.hostname else None


def _is_header(name: str | None) -> bool:
    return name is None or _HEADER_NAME.fullmatch(name) is not None


def _is_origin(url: str) -> bool:
    """Whether this is http or https, a host, maybe a port, and nothing else: an issuer has no path here."""
    parts = _parts(url)
    return (
        parts is not None
        and parts.scheme in {"http", "https"}
        and url == f"{parts.scheme}://{parts.netloc}"
        and "@" not in url
    )


def _is_code(text: str) -> bool:
    return len(text) == 6 and text.isascii() and text.isdigit()


def _faults_in_production(settings: Settings) -> list[str]:
    checks = [
        (
            bool(settings.secret_key)
            and (
                len(settings.secret_key) < MIN_SECRET_LENGTH
                or settings.secret_key.lower() in DEMONSTRATION_SECRETS
            ),
            "IDP_SECRET_KEY: a demonstration secret or shorter than 32 characters",
        ),
        (not settings.issuer.startswith("https://"), "IDP_ISSUER: must be https in production"),
        (settings.sms == "outbox", "IDP_SMS: outbox sends nothing; use http in production"),
        (settings.sms_fixed_code is not None, "IDP_SMS_FIXED_CODE: for development only"),
        (settings.registration == "open", "IDP_REGISTRATION: open is for development only"),
        (settings.captcha == "off", "IDP_CAPTCHA: off is for development only"),
        (not settings.throttle, "IDP_THROTTLE: off is for development only"),
        (settings.registry == "demo", "IDP_REGISTRY: demo is for development only"),
        (settings.allow_test_identities, "IDP_ALLOW_TEST_IDENTITIES: for development only"),
        (settings.admin_acr != "2fa-crypto", "IDP_ADMIN_ACR: must be 2fa-crypto in production"),
        (not settings.keys_passphrase, "IDP_KEYS_PASSPHRASE: missing; private keys must be encrypted"),
    ]
    return [text for wrong, text in checks if wrong]


def variable_names() -> list[str]:
    """Every variable this program reads, for the README's test."""
    return [f"IDP_{field.name.upper()}" for field in fields(Settings)]
