"""A relying party in few lines: the kit without smdvs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from joserfc.jwk import ECKey

from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.prover import Prover
from clients.rp.transport import Transport
from tests.clients.provider import TestProvider

AUDIENCE = "http://127.0.0.1:5001/smdvs/api/v1"


@pytest.fixture
def client(provider: TestProvider) -> Client:
    """A client registered at the test's provider."""
    key = ECKey.generate_key("P-256", auto_kid=True)
    provider.register("smdvs", {"keys": [key.as_dict(private=False)]}, AUDIENCE)
    home = "http://127.0.0.1:5001/smdvs/"
    return Client("smdvs", key, f"{home}callback", home, Prover(ECKey.generate_key("P-256")))


@pytest.fixture
def op(provider: TestProvider) -> Iterator[Provider]:
    """The kit's view of the test's provider."""
    transport = Transport()
    yield Provider(provider.issuer, transport)
    transport.close()
