"""/healthz and /readyz, for whatever watches over the process."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from idp import clock
from idp.crypto import random_id
from idp.domain.clients import SIGNING_ALGORITHMS
from idp.ephemeral import EphemeralUnavailable
from idp.keyring import KeyringError
from idp.storage import database
from idp.web.session import platform

UNAVAILABLE: tuple[type[Exception], ...] = (EphemeralUnavailable, *database.UNAVAILABLE)
PROBE_TTL = timedelta(seconds=10)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process is up."""
    return jsonify(status="ok"), {"Cache-Control": "no-store"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Its database, short-lived store and keys answer; 503 with one reason for each that doesn't."""
    reasons = dict.fromkeys(unready(), "not answering")
    status = "unavailable" if reasons else "ok"
    return jsonify(status=status, reasons=reasons), 503 if reasons else 200, {"Cache-Control": "no-store"}


def unready() -> list[str]:
    """What does not answer: ``database``, ``ephemeral``, ``keys``."""
    checks = {"database": database.answers, "ephemeral": _ephemeral_answers, "keys": _keys_answer}
    return [name for name, answers in checks.items() if not answers()]


def _ephemeral_answers() -> bool:
    key, store = f"readyz:{random_id()}", platform().ephemeral
    try:
        store.put(key, b"1", PROBE_TTL)
        return store.take(key) == b"1"
    except UNAVAILABLE:
        return False


def _keys_answer() -> bool:
    try:
        for algorithm in SIGNING_ALGORITHMS:
            platform().keyring.signing_key(algorithm, clock.now())
    except (KeyringError, OSError):
        return False
    return True
