"""Whom the browser itself tells of a sign-out (OpenID Connect Front-Channel Logout 1.0)."""

from __future__ import annotations

from idp.domain.logout import frame_address
from idp.services import clients
from idp.services.platform import Platform
from idp.storage import authorizations as rows
from idp.storage.database import reading


def list_frames(platform: Platform, sid: str) -> list[str]:
    """The addresses of the frames for a session, over or not: one for each client of it that has registered
    one (§3).
    """
    with reading() as session:
        took_part = {row["client_id"] for row in rows.clients_of_session(session, sid)}
    found = [clients.find_client(platform, client_id) for client_id in sorted(took_part)]
    return [
        frame_address(client.frontchannel_logout_uri, platform.settings.issuer, sid)
        for client in found
        if client is not None and client.frontchannel_logout_uri is not None
    ]
