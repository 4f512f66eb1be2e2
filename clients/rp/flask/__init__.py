"""The kit for applications on Flask. ``RelyingParty`` is all that most of them need."""

from __future__ import annotations

from clients.rp.entitlement import Holder, Reporter
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.rp.flask.pages import Pages
from clients.rp.flask.relying_party import RelyingParty
from clients.rp.step_up import Strength

__all__ = ["Holder", "Pages", "ProviderUnavailable", "Refusal", "RelyingParty", "Reporter", "Strength"]
