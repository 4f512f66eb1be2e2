"""Handler authorisations step by step, and who takes part, for tests of use cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import func, select

from idp import clock
from idp.domain.errors import Refusal
from idp.domain.interaction import Acting
from idp.services import handlers
from idp.services.handlers import HandlerApplicationForm, HandlerView
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization
from tests.people import (
    BATTERY_MAKER,
    CAR_MAKER,
    ORIGIN,
    WANG,
    add_account,
    add_enterprise,
    add_person,
)

MATTER: Final = "nev-accident-report"
FORM: Final = HandlerApplicationForm(
    CAR_MAKER.enterprise_name, CAR_MAKER.enterprise_credit_code, (MATTER,), None
)


@dataclass
class People:
    """Who takes part: accounts and enterprises."""

    li: Account
    wang: Account
    nobody: Account
    maker: Enterprise
    batteries: Enterprise


def add_people(platform: Platform) -> People:
    """Two verified persons, one unverified, two enterprises."""
    cipher = platform.keyring.fields
    with transaction() as session:
        return People(
            add_person(session, cipher, "li_example"),
            add_person(session, cipher, "wang_example", WANG),
            add_account(session, cipher, "nobody_yet"),
            add_enterprise(session, cipher, "makers"),
            add_enterprise(session, cipher, "batteries", BATTERY_MAKER),
        )


def apply(platform: Platform, account: Account, **changes: Any) -> HandlerView | Refusal:
    """What came of an application."""
    return handlers.apply(platform, account.id, replace(FORM, **changes), ORIGIN)


def applied(platform: Platform, account: Account, **changes: Any) -> HandlerView:
    """An application that is accepted."""
    view = apply(platform, account, **changes)
    assert isinstance(view, HandlerView), view
    return view


def decide(
    platform: Platform, enterprise: Enterprise, view: HandlerView, decision: str
) -> HandlerView | Refusal:
    """What came of the enterprise's decision."""
    return handlers.decide(platform, enterprise.legal_account_id, view.id, decision, ORIGIN)


def decided(platform: Platform, enterprise: Enterprise, view: HandlerView, decision: str) -> HandlerView:
    """A decision that is accepted."""
    after = decide(platform, enterprise, view, decision)
    assert isinstance(after, HandlerView), after
    return after


def code(result: object) -> str:
    """The code of a refusal."""
    assert isinstance(result, Refusal), result
    return result.code


def phone(platform: Platform, account_id: str) -> str:
    """Where messages for an account go."""
    with reading() as session:
        sealed = session.get_one(Account, account_id).phone_encrypted
    return platform.keyring.fields.decrypt(sealed, "accounts.phone")


def count() -> int:
    """How many authorisations there are."""
    with reading() as session:
        return session.scalar(select(func.count()).select_from(HandlerAuthorization)) or 0


def candidates(platform: Platform, account_id: str) -> list[Acting]:
    """For whom an account may act now."""
    return handlers.acting_candidates(platform, account_id, clock.now())
