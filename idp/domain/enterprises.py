"""What becomes of an enterprise when the registers say that it is not as it was."""

from __future__ import annotations

from typing import Final

ACTIVE: Final = "active"
CHANGED: Final = "changed"
CLOSED: Final = "closed"


def consequence(former: str | None, answer: str | None) -> str | None:
    """``closed`` or ``changed`` if the enterprise is to be closed, or its handlers suspended; else None.

    That facts differ means something only where they once agreed: a reviewer may have accepted others.
    No answer, and the same answer again, mean nothing.
    """
    if answer == former or answer not in {CHANGED, CLOSED}:
        return None
    return answer if answer == CLOSED or former == ACTIVE else None
