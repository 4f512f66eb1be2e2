"""The kit's fake provider under the names that the tests of this tree use."""

from __future__ import annotations

from clients.rp.testing import (
    ENTERPRISE,
    MATTER,
    OTHER_ENTERPRISE,
    SCOPE,
    Claims,
    Person,
    follow,
    serving,
)
from clients.rp.testing import FakeProvider as TestProvider
from clients.rp.testing.provider import LOGOUT_EVENT

__all__ = [
    "ENTERPRISE",
    "LOGOUT_EVENT",
    "MATTER",
    "OTHER_ENTERPRISE",
    "SCOPE",
    "Claims",
    "Person",
    "TestProvider",
    "follow",
    "serving",
]
