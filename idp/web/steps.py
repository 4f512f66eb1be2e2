"""The four steps of the business, and where a person stands in them."""

from __future__ import annotations

from dataclasses import dataclass

from idp.services.authentication import LoginView


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its ``code`` (the template has its words) and ``state``: done, current, or ahead."""

    code: str
    state: str


CODES = ("register", "verify", "authorize", "report")


def steps(login: LoginView | None, *, can_act: bool) -> list[Step]:
    """The step bar of this person; ``can_act``: for at least one enterprise, in whatever capacity."""
    done = (login is not None, login is not None and login.verification_status == "verified", can_act, False)
    current = done.index(False)
    return [Step(code, _state(number, current)) for number, code in enumerate(CODES)]


def _state(number: int, current: int) -> str:
    if number < current:
        return "done"
    return "current" if number == current else "ahead"
