"""Messages that leave through the outbox: what a refusal says, and whether another try makes sense."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

CODE_WORTH = timedelta(minutes=5)  # a code that comes later than it lives is only confusing
LONGEST_ANSWER = 4096
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def refusal_of(body: bytes) -> str:
    """The ``error`` of a client's 400 (Back-Channel Logout 1.0 §2.8); ``unspecified`` for anything else."""
    return error_of(body, "error") or "unspecified"


def error_of(body: bytes, member: str) -> str | None:
    """The code in that member of a JSON answer; None when there is none.

    The description is left out: it is the client's free text and may repeat what it was sent.
    """
    try:
        answer = json.loads(body) if len(body) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        return None
    error = answer.get(member) if isinstance(answer, dict) else None
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else None


def is_worth_another_try(code: str | None, created_at: datetime, now: datetime) -> bool:
    """Whether an administrator may send a message once more; ``code`` is what a text message carries."""
    return code is None or now < created_at + CODE_WORTH
