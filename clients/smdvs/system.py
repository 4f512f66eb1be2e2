"""Everything a use case of smdvs needs, made once at start. Nothing here asks the provider before it must."""

from __future__ import annotations

from dataclasses import dataclass

from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.liveness import Liveness
from clients.rp.prover import Prover
from clients.rp.sealed import Sealer, derive
from clients.rp.transport import Transport
from clients.smdvs import keys
from clients.smdvs.config import Settings
from clients.smdvs.storage.database import Database


@dataclass(frozen=True)
class System:
    """Settings, database, the provider and who we are to it;
    ``fields`` seals what rests, ``cookies`` what travels.
    """

    settings: Settings
    database: Database
    provider: Provider
    client: Client
    liveness: Liveness
    fields: Sealer
    cookies: Sealer


def build(settings: Settings) -> System:
    """Open the database and the keys of these settings."""
    ours = keys.load(settings.keys_dir)
    provider = Provider(settings.issuer, Transport(settings.ca_bundle))
    client = Client(
        settings.client_id, ours.client, settings.callback_url, settings.home_url, Prover(ours.dpop)
    )
    return System(
        settings=settings,
        database=Database(settings.database_url),
        provider=provider,
        client=client,
        liveness=Liveness(provider, client),
        fields=ours.fields,
        cookies=_cookie_sealer(settings.secret_key.encode()),
    )


def _cookie_sealer(secret: bytes) -> Sealer:
    return Sealer({"c": derive(secret, "cookies")}, "c", derive(secret, "csrf"))
