"""办件: what a person has asked of the platform, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idp.domain.progress import progress_code
from idp.services import handlers, reviews
from idp.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Proceeding:
    """One of them: its ``code`` to ask by, ``kind`` real_name or handler, ``about`` whom or which enterprise.

    ``status`` is that of the kind: of a review, or of a handler authorisation.
    """

    code: str
    kind: str
    about: str
    status: str
    submitted_at: datetime
    decided_at: datetime | None
    reason: str | None


def list_of_account(platform: Platform, account_id: str) -> list[Proceeding]:
    """What this account has asked for, the latest first; of real-name submissions the last one."""
    review = reviews.latest(platform, account_id)
    found = [
        Proceeding(
            progress_code("handler", view.id),
            "handler",
            view.enterprise_name,
            view.status,
            view.applied_at,
            view.decided_at,
            view.reason,
        )
        for view in handlers.list_of_account(platform, account_id)
    ]
    if review is not None:
        found.append(
            Proceeding(
                progress_code("real_name", review.id),
                "real_name",
                review.subject_type,
                review.status,
                review.submitted_at,
                review.decided_at,
                review.reason,
            )
        )
    return sorted(found, key=lambda proceeding: proceeding.submitted_at, reverse=True)
