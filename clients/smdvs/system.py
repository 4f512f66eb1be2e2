"""Everything a use case of smdvs needs, made once at start. Nothing here asks the provider before it must."""

from __future__ import annotations

from dataclasses import dataclass

from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.flask import RelyingParty
from clients.rp.liveness import Liveness
from clients.rp.sealed import Sealer
from clients.smdvs import access, keys, oidc
from clients.smdvs.config import Settings
from clients.smdvs.session_store import DatabaseStore
from clients.smdvs.storage.database import Database

PREFIX = "/smdvs"
COOKIE_PREFIX = "smdvs_"


@dataclass(frozen=True)
class System:
    """Settings, database, what we are to the provider; ``fields`` seals what rests."""

    settings: Settings
    database: Database
    rp: RelyingParty
    fields: Sealer

    @property
    def provider(self) -> Provider:
        """The OpenID provider."""
        return self.rp.provider

    @property
    def client(self) -> Client:
        """Who we are to it."""
        return self.rp.client

    @property
    def liveness(self) -> Liveness:
        """What it says of tokens now."""
        return self.rp.liveness

    @property
    def cookies(self) -> Sealer:
        """Seals what travels."""
        return self.rp.cookies.sealer


def build(settings: Settings) -> System:
    """Open the database and the keys of these settings."""
    ours, database = keys.load(settings.keys_dir), Database(settings.database_url)
    rp = RelyingParty(
        issuer=settings.issuer,
        client_id=settings.client_id,
        key=ours.client,
        dpop_key=ours.dpop,
        public_url=settings.public_url,
        secret_key=settings.secret_key,
        scope=oidc.SCOPE,
        prefix=PREFIX,
        resource=settings.resource,
        matters=[access.MATTER],
        store=DatabaseStore(database),
        sealer=ours.fields,
        cookie_prefix=COOKIE_PREFIX,
        pages=oidc.OurPages,
        then=oidc.then,
        ca_bundle=settings.ca_bundle,
    )
    return System(settings, database, rp, ours.fields)
