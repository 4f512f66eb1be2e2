"""One more act in a report's chain: who did what, when, why, and the link to the act before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clients.rp.entitlement import Reporter
from clients.smdvs import chain
from clients.smdvs.contents import canonical, parted, seal_context
from clients.smdvs.lifecycle import Act
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.reports import ReportRow, ReportVersion
from clients.smdvs.system import System


@dataclass(frozen=True)
class Origin:
    """How an act came: ``browser`` or ``api``, and what the sign-in told of the person
    (may be empty).
    """

    channel: str
    reporter_name: str = ""
    enterprise_name: str = ""


@dataclass(frozen=True)
class Author:
    """Who acts, for which enterprise (empty for a regulator, who acts for none), on what it rests."""

    sub: str
    client_id: str
    account_type: str
    enterprise_credit_code: str
    handler_authorization_id: str | None
    channel: str
    name: str


@dataclass(frozen=True)
class Link:
    """Where in which chain the act belongs; ``previous_digest`` is chain.FIRST for the first."""

    report_no: str
    number: int
    previous_digest: str


def author_of(reporter: Reporter, origin: Origin) -> Author:
    """The author of an enterprise's act."""
    return Author(
        reporter.sub,
        reporter.client_id,
        reporter.account_type,
        reporter.enterprise_credit_code,
        reporter.handler_authorization_id,
        origin.channel,
        origin.reporter_name,
    )


@dataclass(frozen=True)
class Made:
    """An act as it was done: what was said, why, by whom, when."""

    act: Act
    document: Mapping[str, Any]
    reason: str | None
    author: Author
    now: datetime


class Raced(Exception):
    """Somebody else's act came first, and made this ``version``: rolls the transaction back."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def make(system: System, link: Link, made: Made) -> ReportVersion:
    """The row of an act but for its ``report_id``, its people sealed, its digest in the chain."""
    public, personal = parted(made.document)
    personal["reporter_name"] = made.author.name
    author, context = made.author, seal_context(link.report_no, link.number)
    version = ReportVersion(
        version=link.number,
        kind=made.act,
        document=canonical(public),
        personal_sealed=system.fields.seal(canonical(personal), context),
        channel=author.channel,
        client_id=author.client_id,
        sub=author.sub,
        account_type=author.account_type,
        enterprise_credit_code=author.enterprise_credit_code,
        handler_authorization_id=author.handler_authorization_id,
        received_at=made.now,
        reason=made.reason,
        previous_digest=link.previous_digest,
    )
    version.digest = chain.digest(system, link.report_no, version, personal)
    return version


def append(
    system: System, session: Session, row: ReportRow, made: Made, changes: Mapping[str, Any]
) -> ReportVersion:
    """Put one more act at the end of a report's chain and change its row; raises Raced when somebody else
    was faster.
    """
    previous = row.head_digest or rows.last_digest(session, row.id)  # the first release kept no head
    link = Link(row.report_no, row.version + 1, previous)
    version = make(system, link, made)
    version.report_id = row.id
    changes = {**changes, "updated_at": made.now, "head_digest": version.digest}
    if not rows.advance(session, row, changes):
        raise Raced(link.number)
    session.add(version)
    return version
