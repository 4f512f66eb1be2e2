"""Under which name a client knows an account (OIDC Core 8)."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from idp import crypto
from idp.domain.clients import Client, sector_of
from idp.services.platform import Platform


def sub_of(platform: Platform, client: Client, account_id: str) -> str:
    """The ``sub`` of an account at a client: its id, or with ``pairwise`` another one for each sector.

    43 characters of base64url that nobody without the platform's key can lead back to the account, or to
    its name in another sector (OIDC Core 8.1).
    """
    if client.subject_type == "public":
        return account_id
    pair = crypto.octets(f"{sector_of(client)}\0{account_id}")
    return urlsafe_b64encode(crypto.mac(platform.keyring.mac_key, "pairwise sub", pair)).rstrip(b"=").decode()
