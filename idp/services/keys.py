"""Keys as an admin handles them: a successor is added, one that is no longer needed removed; both audited."""

from __future__ import annotations

from idp import clock
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.keyring import ROTATABLE, KeyringError
from idp.services import audit
from idp.services.platform import Platform
from idp.storage.database import transaction


def rotate(platform: Platform, algorithm: str, origin: Origin, actor: str | None = None) -> str | Refusal:
    """Add a key: published at once, in use after its lead, without a restart. Answers its ``kid``."""
    if algorithm not in ROTATABLE:
        return Refusal.of("algorithm_unknown", "algorithm")
    kid = platform.keyring.rotate(algorithm, clock.now())
    _record(AuditEvent.KEY_ROTATE, kid, origin, actor)
    return kid


def retire(platform: Platform, kid: str, origin: Origin, actor: str | None = None) -> Refusal | None:
    """Remove a key that nothing needs any more; refuses with the keyring's code."""
    try:
        platform.keyring.retire(kid)
    except KeyringError as error:
        return Refusal.of(error.code, "kid")
    _record(AuditEvent.KEY_RETIRE, kid, origin, actor)
    return None


def _record(event: AuditEvent, kid: str, origin: Origin, actor: str | None) -> None:
    with transaction() as session:
        audit.record(session, event, origin, account_id=actor, object_id=kid)
