"""The composition root: puts the platform together and gives Flask its parts."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from idp import cli, clock, web
from idp.config import ConfigurationError, Settings
from idp.crypto import PasswordHasher
from idp.ephemeral import Ephemeral
from idp.ephemeral.database import DatabaseEphemeral
from idp.keyring import READING, Keyring
from idp.oauth import routes
from idp.outbound import Outbound
from idp.services import demonstration
from idp.services.platform import Platform
from idp.services.registry import registry_from
from idp.storage import database

ROOT = Path(__file__).resolve().parent.parent
PARALLEL_HASHES = 2
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def create_app(settings: Settings) -> Flask:
    """The WSGI application for these settings; reads the keys and creates missing ones."""
    app = Flask("idp", root_path=str(ROOT / "idp"), template_folder=str(ROOT / "templates"))
    app.secret_key = settings.secret_key
    database.init_app(app, _absolute(settings.database_url))
    platform = _platform(app, settings)
    app.extensions["idp"] = platform
    web.register(app)
    routes.register(app, platform)
    cli.register(app)
    if not settings.development:
        _refuse_demonstration(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        # How Flask wants middleware to be put in; mypy takes it for a method.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _refuse_demonstration(app: Flask) -> None:
    """Production doesn't start over a database in which anybody can sign in with a published password."""
    with app.app_context():
        try:
            present = demonstration.present_accounts()
        except SQLAlchemyError:
            return  # no database, or not migrated yet: readiness tells
    if present:
        database.engines(app).dispose()
        fault = f"IDP_DATABASE_URL: the demonstration accounts are still there: {', '.join(present)}"
        raise ConfigurationError([fault])


def _platform(app: Flask, settings: Settings) -> Platform:
    keyring = Keyring.open(settings.keys_dir, settings.keys_passphrase)
    keyring.ensure(clock.now(), READING if settings.upstream else ())
    outbound = Outbound(
        settings.outbound_allow + (LOOPBACK if settings.development else ()),
        settings.ca_bundle,
        plain_http=settings.development,
    )
    return Platform(
        settings=settings,
        keyring=keyring,
        ephemeral=_ephemeral(app, settings),
        passwords=PasswordHasher(PARALLEL_HASHES),
        registry=registry_from(settings, outbound),
        outbound=outbound,
    )


def _ephemeral(app: Flask, settings: Settings) -> Ephemeral:
    if settings.redis_url is None:
        return DatabaseEphemeral(database.engines(app).single)
    from idp.ephemeral.redis import RedisEphemeral  # noqa: PLC0415 - installations without Redis don't load its driver

    return RedisEphemeral(settings.redis_url)


def _absolute(url: str) -> str:
    """A relative SQLite path is meant from the project's root, not from Flask's instance folder."""
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path.startswith("/"):
        return url
    file = ROOT / path
    file.parent.mkdir(parents=True, exist_ok=True)
    return f"{prefix}{file}"
