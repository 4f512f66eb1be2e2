from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain.known_devices import DEVICE_TTL, is_known, network_of

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last_seen_at", "known"),
    [(None, False), (NOW, True), (NOW - DEVICE_TTL, False), (NOW - DEVICE_TTL + timedelta(seconds=1), True)],
)
def test_a_browser_is_known_for_a_year(last_seen_at: datetime | None, known: bool) -> None:
    assert is_known(last_seen_at, NOW) is known


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "internal"),
        ("127.0.0.1", "internal"),
        ("fe80::1", "internal"),
        ("fd00::8", "internal"),
        ("8.8.8.8", "external"),
        ("2400:3200::1", "external"),
        ("224.0.0.1", "external"),
        ("100.64.0.1", None),
        ("", None),
        ("not an address", None),
    ],
)
def test_an_address_tells_inside_from_outside_and_nothing_more(address: str, network: str | None) -> None:
    assert network_of(address) == network
