"""How many handler authorisations one side may have: a review has to be doable."""

from __future__ import annotations

from typing import Final

from idp.domain.errors import Refusal

# One person at the enterprise looks at each of them every half year: that many can be done at one sitting.
MOST_HANDLERS: Final = 50
# Agents act for many makers; an account that acts for more is shared, or has been taken over.
MOST_ENTERPRISES: Final = 20
# Each application asks somebody for a decision.
MOST_PENDING: Final = 10


def refuse_application(pending: int) -> Refusal | None:
    """Another application of a person with so many pending ones."""
    return Refusal.of("too_many_pending", most=MOST_PENDING) if pending >= MOST_PENDING else None


def refuse_handler(of_enterprise: int, of_person: int) -> Refusal | None:
    """Another authorisation beside so many held, suspended ones among them."""
    if of_enterprise >= MOST_HANDLERS:
        return Refusal.of("too_many_handlers", most=MOST_HANDLERS)
    if of_person >= MOST_ENTERPRISES:
        return Refusal.of("too_many_enterprises", most=MOST_ENTERPRISES)
    return None
