"""The document at a client's ``sector_identifier_uri``, fetched when it registers (OIDC Registration 5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from idp.domain.client_registration import is_of_sector
from idp.domain.errors import Refusal
from idp.outbound import OutboundError
from idp.services.platform import Platform

FIELD: Final = "sector_identifier_uri"


def check(platform: Platform, metadata: Mapping[str, Any]) -> Refusal | None:
    """``metadata_invalid`` unless the sector that ``metadata`` claims, if any, knows the client."""
    uri = metadata.get(FIELD)
    if uri is None or is_of_sector(_fetched(platform, uri), metadata):
        return None
    reason = "must answer within seconds with a JSON array that lists every one of redirect_uris"
    return Refusal.of("metadata_invalid", FIELD, reason=reason)


def _fetched(platform: Platform, uri: str) -> Any:
    """What the document says; None for one that can't be had or read. A redirect is no answer."""
    try:
        answer = platform.outbound.get(uri)
        return json.loads(answer.body) if answer.status == 200 else None
    except (OutboundError, ValueError, RecursionError):
        return None
