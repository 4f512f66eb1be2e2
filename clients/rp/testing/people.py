"""Who sits at the browser of the fake provider, and what one sign-in gives. All synthetic."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

Claims = dict[str, Any]

ENTERPRISE = "91990101MADEM00117"
OTHER_ENTERPRISE = "91990101MADEM002XY"
MATTER = "nev-accident-report"
SCOPE = "openid profile phone enterprise handler roles accident_report:submit accident_report:read"


@dataclass
class Person:
    """Someone at the browser, and what the provider says of them."""

    sub: str = "person-1"
    name: str = "李示例"
    phone_number: str = "19900000001"
    capacity: Claims = field(default_factory=dict)
    acr: str = "urn:gsp:acr:2fa"

    @classmethod
    def handler(cls, enterprise: str = ENTERPRISE, **changes: Any) -> Person:
        """A 经办人 of that enterprise; ``changes`` override claims."""
        capacity = {
            "account_type": "handler",
            "enterprise_credit_code": enterprise,
            "handler_scope": [MATTER],
            "handler_authorization_id": "authorization-1",
        }
        return cls(capacity=capacity | changes)

    @classmethod
    def legal_person(cls) -> Person:
        """The enterprise's own account, 法人账号."""
        return cls("legal-1", capacity={"account_type": "legal_person", "enterprise_credit_code": ENTERPRISE})

    @classmethod
    def natural_person(cls, **changes: Any) -> Person:
        """Somebody who acts for no enterprise; ``roles=["…"]`` gives roles."""
        return cls("natural-1", capacity={"account_type": "natural_person"} | changes)


@dataclass
class Grant:
    """What one sign-in gave."""

    person: Person
    sid: str
    nonce: str
    code_challenge: str
    scope: str = SCOPE
    jkt: str | None = None
    acr: str = "urn:gsp:acr:2fa"
    auth_time: int = field(default_factory=lambda: int(time.time()))
    redeemed: bool = False
    refresh_tokens: list[str] = field(default_factory=list)
