"""The settings of smdvs: read once, checked as a whole, never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from clients.smdvs.deadline_policies import DEFAULT_POLICY, policy_of

PREFIX = "SMDVS_"
MIN_SECRET_CHARACTERS = 32
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DRIVERS = {"postgresql": "postgresql+psycopg", "postgresql+psycopg": "postgresql+psycopg", "sqlite": "sqlite"}


class ConfigError(Exception):
    """The environment can't be used; ``faults`` has one line per variable at fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """Where the provider is, where we are, where things are kept. Addresses have no trailing slash."""

    issuer: str
    public_url: str
    database_url: str
    secret_key: str
    keys_dir: Path
    client_id: str
    ca_bundle: str | None
    deadline_policy: str = DEFAULT_POLICY
    env: str = "production"
    sms: str = "http"
    sms_url: str | None = None
    sms_token: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the ``SMDVS_`` variables; raises ConfigError naming every variable at fault."""
        reader = _Reader(environ)
        settings = cls(
            # The issuer is compared character by character, so it is kept exactly as it was written.
            issuer=reader.read("ISSUER", None, _issuer),
            public_url=reader.read("PUBLIC_URL", None, _public_url),
            database_url=reader.read("DATABASE_URL", "sqlite:///var/smdvs.sqlite3", _database_url),
            secret_key=reader.read("SECRET_KEY", None, _secret),
            keys_dir=Path(reader.read("KEYS_DIR", "keys/smdvs", _text)),
            client_id=reader.read("CLIENT_ID", "smdvs", _text),
            ca_bundle=reader.read("CA_BUNDLE", "", _file) or None,
            deadline_policy=reader.read("DEADLINE_POLICY", DEFAULT_POLICY, _policy),
            env=(env := reader.read("ENV", "production", _one_of("production", "development"))),
            sms=reader.read("SMS", "outbox" if env == "development" else "http", _one_of("outbox", "http")),
            sms_url=reader.read("SMS_URL", "", _gateway) or None,
            sms_token=reader.read("SMS_TOKEN", "", _token) or None,
        )
        faults = [*reader.faults, *settings.contradictions()]
        if faults:
            raise ConfigError(faults)
        return settings

    def contradictions(self) -> list[str]:
        """What doesn't go together: nobody is reminded by a message that never leaves."""
        rules = (
            (
                self.env == "production" and self.sms == "outbox",
                "SMDVS_SMS: outbox sends nothing; use http in production, or SMDVS_ENV=development",
            ),
            (
                self.env != "" and self.sms == "http" and not (self.sms_url and self.sms_token),
                "SMDVS_SMS: http needs SMDVS_SMS_URL and SMDVS_SMS_TOKEN",
            ),
        )
        return [fault for broken, fault in rules if broken]

    @property
    def home_url(self) -> str:
        """The home page, also where the provider sends people after sign-out."""
        return f"{self.public_url}/smdvs/"

    @property
    def callback_url(self) -> str:
        """The registered redirect_uri."""
        return f"{self.public_url}/smdvs/callback"

    @property
    def resource(self) -> str:
        """The identifier of the JSON API: the audience that its access tokens must have (RFC 8707)."""
        return f"{self.public_url}/smdvs/api/v1"

    @property
    def https(self) -> bool:
        """Whether people reach us by https, and cookies may be marked Secure."""
        return self.public_url.startswith("https://")


class _Reader:
    """Reads variable after variable and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def read(self, name: str, default: str | None, check: Callable[[str], str]) -> str:
        value = self._environ.get(PREFIX + name) or default
        if value is None:
            self.faults.append(f"{PREFIX}{name}: is missing")
            return ""
        try:
            return check(value)
        except ValueError as error:
            self.faults.append(f"{PREFIX}{name}: {error}")
            return ""


def _text(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be printable ASCII without spaces")
    return value


def _secret(value: str) -> str:
    if len(value) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"must have at least {MIN_SECRET_CHARACTERS} characters, random ones")
    return value


def _issuer(value: str) -> str:
    parts = urlsplit(_text(value))
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ValueError("must be an https address without query, fragment or user")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must be https, unless it is on this machine")
    return value


def _public_url(value: str) -> str:
    url = _issuer(value).rstrip("/")
    if urlsplit(url).path:
        raise ValueError("must have no path: the pages are always under /smdvs/")
    return url


def _database_url(value: str) -> str:
    try:
        url: URL = make_url(value)
    except ArgumentError:
        raise ValueError("is not a database address") from None
    if url.drivername not in DRIVERS:
        raise ValueError("must be sqlite or postgresql")
    return url.set(drivername=DRIVERS[url.drivername]).render_as_string(hide_password=False)


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return value

    return check


def _gateway(value: str) -> str:
    parts = urlsplit(_text(value))
    if value and (parts.scheme not in ("https", "http") or not parts.hostname or parts.username):
        raise ValueError("must be an https address without user")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must be https, unless it is on this machine")
    return value


def _token(value: str) -> str:
    return _text(value) if value else value


def _policy(value: str) -> str:
    policy_of(value)
    return value


def _file(value: str) -> str:
    if value and not Path(value).is_file():
        raise ValueError("is not a file")
    return value
