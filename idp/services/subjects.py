"""What a client calls a person: ``sub``, the same everywhere or different for each sector (OIDC Core 8)."""

from __future__ import annotations

from idp import crypto
from idp.domain.clients import Client, sector_of
from idp.services.platform import Platform


def sub_of(platform: Platform, client: Client, account_id: str) -> str:
    """The account's id, or for ``subject_type`` pairwise what nobody can lead back to it (Core 8.1)."""
    if client.subject_type != "pairwise":
        return account_id
    text = f"{sector_of(client)}\n{account_id}"
    return crypto.mac(platform.keyring.mac_key, "pairwise", crypto.octets(text)).hex()
