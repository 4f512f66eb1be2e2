"""The log of exports: added to, never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from clients.smdvs.storage.database import Base


class Export(Base):
    """One export: who (an account, no name), for which enterprise (None: of all), when, by which filters
    (a query string), how many reports, in which format.
    """

    __tablename__ = "exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    sub: Mapped[str]
    enterprise_credit_code: Mapped[str | None]
    format: Mapped[str]
    filters: Mapped[str]
    reports: Mapped[int]
