"""People and enterprises in the database, as the use cases would have left them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final

from sqlalchemy import update

from idp import clock, crypto
from idp.domain.agreements import AGREED
from idp.services.platform import Platform
from idp.storage.accounts import Account, AccountRole
from idp.storage.database import transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization

MATTER: Final = "nev-accident-report"
CREDIT_CODES: Final = ("91990101MADEM00117", "91990101MADEM002XY", "91990101MADEM0038Y")
NAMES: Final = ("示例新能源汽车有限公司", "样板动力电池有限公司", "演示汽车科技有限公司")


@dataclass(frozen=True)
class LegalPerson:
    """An enterprise and the account that is it."""

    account_id: str
    enterprise_id: str
    enterprise_credit_code: str
    enterprise_name: str


class People:
    """Makes accounts with all they hold; numbers are of region 99 and belong to nobody."""

    def __init__(self, platform: Platform) -> None:
        self._fields = platform.keyring.fields
        self._numbers = count(1)

    def person(self, *, verified: bool = True, real_name: str | None = None, **columns: Any) -> str:
        """A natural person's account; returns its id."""
        number = next(self._numbers)
        phone = f"199000{number:05d}"
        sealed = {"phone": phone, "email": f"p{number}@example.invalid", "real_name": real_name}
        values: dict[str, Any] = {
            "id": crypto.random_id(),
            "login_name": f"person{number}",
            "login_name_index": f"person{number}",
            "password_hash": "$argon2id$none",
            "password_changed_at": clock.now(),
            "phone_index": self._fields.index(phone, "accounts.phone"),
            "subject_type": "natural_person" if verified else None,
            "verification_status": "verified" if verified else "unverified",
            "agreed_versions": AGREED,
            "created_at": clock.now(),
            "updated_at": clock.now(),
        }
        for name, text in sealed.items():
            values[f"{name}_encrypted"] = self._fields.encrypt(text, f"accounts.{name}") if text else None
        with transaction() as session:
            session.add(Account(**values | columns))
        return str(values["id"])

    def legal_person(self, number: int = 0) -> LegalPerson:
        """The enterprise of this number (0 to 2) with its legal-person account."""
        account_id = self.person(subject_type="legal_person")
        sealed = {
            f"{name}_encrypted": self._fields.encrypt("x", f"enterprises.{name}")
            for name in ("representative_name", "representative_document_number", "address")
        }
        enterprise = Enterprise(
            id=crypto.random_id(),
            enterprise_credit_code=CREDIT_CODES[number],
            enterprise_name=NAMES[number],
            organization_type="enterprise",
            legal_person_type="limited_company",
            representative_document_type="id_card",
            legal_account_id=account_id,
            created_at=clock.now(),
            updated_at=clock.now(),
            **sealed,
        )
        with transaction() as session:
            session.add(enterprise)
        return LegalPerson(account_id, enterprise.id, CREDIT_CODES[number], NAMES[number])

    def handler(
        self,
        account_id: str,
        enterprise_id: str,
        *,
        matters: tuple[str, ...] = (MATTER,),
        valid_until: datetime | None = None,
    ) -> str:
        """An approved handler authorisation; returns its id."""
        authorization = HandlerAuthorization(
            id=crypto.random_id(),
            account_id=account_id,
            enterprise_id=enterprise_id,
            matters=list(matters),
            status="approved",
            applied_at=clock.now(),
            valid_from=clock.now(),
            valid_until=valid_until,
            decided_at=clock.now(),
        )
        with transaction() as session:
            session.add(authorization)
        return authorization.id

    def give_role(self, account_id: str, client_id: str, role: str) -> None:
        """A role at a client, as an admin gives it."""
        with transaction() as session:
            session.add(AccountRole(account_id=account_id, client_id=client_id, role=role))

    def freeze(self, account_id: str) -> None:
        """Lock an account."""
        _set(Account, account_id, status="frozen")

    def close(self, enterprise_id: str) -> None:
        """End an enterprise."""
        _set(Enterprise, enterprise_id, status="closed")

    def change_handler(self, handler_authorization_id: str, **columns: Any) -> None:
        """Set columns of a handler authorisation."""
        _set(HandlerAuthorization, handler_authorization_id, **columns)


def _set(row: type[Any], row_id: str, **columns: Any) -> None:
    with transaction() as session:
        session.execute(update(row).where(row.id == row_id).values(**columns))
