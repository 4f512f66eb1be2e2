"""Everything that hangs on one account, for its holder: rows that other modules ask for one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from idp.storage.accounts import Login
from idp.storage.enterprises import RealNameApplication, Upload
from idp.storage.handler_escalations import HandlerEscalation
from idp.storage.upstream import UpstreamIdentity


def list_applications(session: Session, account_id: str) -> Sequence[RealNameApplication]:
    """Submissions of real-name authentication, the latest first."""
    mine = RealNameApplication.account_id == account_id
    newest = RealNameApplication.submitted_at.desc()
    return session.scalars(select(RealNameApplication).where(mine).order_by(newest)).all()


def list_scans(session: Session, account_id: str) -> Sequence[Upload]:
    """Scans without their content (which must not be read from these rows)."""
    statement = select(Upload).where(Upload.account_id == account_id)
    return session.scalars(statement.options(defer(Upload.content_encrypted, raiseload=True))).all()


def list_logins(session: Session, account_id: str) -> Sequence[Login]:
    """Browser sessions that are still kept, over or not, the latest first."""
    statement = select(Login).where(Login.account_id == account_id).order_by(Login.created_at.desc())
    return session.scalars(statement).all()


def list_escalations(session: Session, account_id: str) -> Sequence[HandlerEscalation]:
    """Applications to the platform in an enterprise's place."""
    return session.scalars(select(HandlerEscalation).where(HandlerEscalation.account_id == account_id)).all()


def list_links(session: Session, account_id: str) -> Sequence[UpstreamIdentity]:
    """Accounts of other platforms that lead here."""
    return session.scalars(select(UpstreamIdentity).where(UpstreamIdentity.account_id == account_id)).all()
