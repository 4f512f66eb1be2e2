"""How strong and how long ago the sign-in behind a token must be (RFC 9470)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients.rp import jwt
from clients.rp.errors import Refusal, refuse


@dataclass(frozen=True)
class Strength:
    """What is asked of the sign-in: one of these ``acr_values`` (any when empty), at most ``max_age`` seconds
    ago (None: whenever).
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None


def too_little(claims: Mapping[str, Any], needed: Strength, now: datetime) -> Refusal | None:
    """Why the sign-in that these claims tell of (``acr``, ``auth_time``; RFC 9068 §2.2.1) isn't enough.

    The refusal's challenge names all that is needed, so that one new sign-in does (RFC 9470 §3).
    """
    if needed.acr_values and claims.get("acr") not in needed.acr_values:
        return refuse("sign_in_too_weak", acr_values=needed.acr_values, max_age=needed.max_age)
    if needed.max_age is not None and not _recent(claims.get("auth_time"), needed.max_age, now.timestamp()):
        return refuse("sign_in_too_old", acr_values=needed.acr_values, max_age=needed.max_age)
    return None


def _recent(auth_time: object, max_age: int, now: float) -> bool:
    latest = now + jwt.LEEWAY_SECONDS
    return jwt.is_time(auth_time) and now - max_age - jwt.LEEWAY_SECONDS <= auth_time <= latest
