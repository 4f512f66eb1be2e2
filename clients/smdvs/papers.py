"""A form in a browser's hands: what was typed, and the hidden fields that say which draft it is, whose, as of
which revision, in which window.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from clients.smdvs import drafts, tickets
from clients.smdvs.drafts import Draft, Seen
from clients.smdvs.forms import Fields
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner, Sheet, Ticket

# Hidden fields and the button: about the form, not typed into it.
ABOUT = frozenset({"csrf_token", "action", "draft", "draft_ticket", "draft_revision", "draft_window"})
WINDOW = re.compile(r"[A-Za-z0-9_-]{11}")


@dataclass(frozen=True)
class Paper:
    """One form. Without an ``owner`` nobody knows whose it is, and it can't be kept."""

    sheet: Sheet
    fields: Fields
    draft_id: str
    owner: Owner | None
    seen: Seen

    @property
    def base_version(self) -> int:
        """The version of the report that the form goes on from; 0, which none has, when it doesn't say."""
        return number(self.fields.get("base_version", ""))

    def anew(self) -> Paper:
        """The same words as another draft, with another idempotency key."""
        return replace(self, draft_id=drafts.new_id(), seen=Seen(0, new_window()))

    def as_of(self, revision: int) -> Paper:
        """The form after its draft was written."""
        return replace(self, seen=replace(self.seen, revision=revision))

    def ticket(self, system: System, now: datetime) -> str:
        """The hidden field that says whose form it is."""
        if self.owner is None:
            return ""
        return tickets.issue(system, self.draft_id, Ticket(self.owner, self.sheet), now)


def blank(sheet: Sheet, owner: Owner, fields: Fields) -> Paper:
    """A form as it is before anything is typed."""
    return Paper(sheet, fields, drafts.new_id(), owner, Seen(0, new_window()))


def reopened(draft: Draft, owner: Owner, fields: Fields) -> Paper:
    """A form as its draft has it, in a new window."""
    return Paper(draft.sheet, fields, draft.row.id, owner, Seen(draft.row.revision, new_window()))


def received(
    system: System, sheet: Sheet, fields: Fields, session: BrowserSession | None, now: datetime
) -> Paper:
    """A form as a browser sends it back. What its hidden fields don't say, the session does."""
    draft_id = fields.get("draft", "")
    if not drafts.DRAFT_ID.fullmatch(draft_id):
        draft_id = drafts.new_id()
    ticket = tickets.read(system, draft_id, fields.get("draft_ticket", ""), now)
    known = ticket.owner if ticket is not None and ticket.sheet == sheet else owner_of(session)
    return Paper(sheet, typed(fields), draft_id, known, seen(fields))


def sent(
    system: System, draft_id: str, fields: Fields, session: BrowserSession | None, now: datetime
) -> Paper | None:
    """A form as its script sends it to be saved; None when its ticket isn't good, or another is signed in."""
    if not drafts.DRAFT_ID.fullmatch(draft_id):
        return None
    ticket = tickets.read(system, draft_id, fields.get("draft_ticket", ""), now)
    if ticket is None or (session is not None and session.sub != ticket.owner.sub):
        return None
    return Paper(ticket.sheet, typed(fields), draft_id, ticket.owner, seen(fields))


def owner_of(session: BrowserSession | None) -> Owner | None:
    """Whose a new form of this session is."""
    if session is None or session.enterprise_credit_code is None:
        return None
    return Owner(session.sub, session.enterprise_credit_code)


def typed(fields: Fields) -> Fields:
    """What is typed into a form."""
    return {name: text for name, text in fields.items() if name not in ABOUT}


def seen(fields: Fields) -> Seen:
    """What the window that sends this knows of its draft."""
    window = fields.get("draft_window", "")
    return Seen(
        number(fields.get("draft_revision", "")), window if WINDOW.fullmatch(window) else new_window()
    )


def number(text: str) -> int:
    """A count in a hidden field; 0 when it isn't one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def new_window() -> str:
    """A name for a window; chance enough that no two are the same."""
    return secrets.token_urlsafe(8)
