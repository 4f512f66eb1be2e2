"""For the tests of relying parties: the fixture ``provider``, a fake OpenID provider over real HTTP.

Load it in the ``conftest.py`` beside ``pytest.ini``, tell your application its address and it your key::

    pytest_plugins = ["clients.rp.testing"]

    @pytest.fixture
    def http(provider):
        app = create_app(issuer=provider.issuer, client_id="my-client", key=KEY)
        public = {"keys": [KEY.as_dict(private=False)]}
        provider.register("my-client", public, audience="https://my.example/api")
        return app.test_client()

Sign someone in, revoke, rotate the keys, make it unreachable::

    def test_a_revoked_handler_is_turned_away(http, provider):
        provider.sign_in(http, "/login", Person.handler())
        assert http.get("/").status_code == 200
        provider.revoke_all()
        time.sleep(1)  # how long an answer about a token may be remembered
        assert http.get("/").status_code == 401

    def test_new_keys_are_found(http, provider):
        provider.rotate_key()
        assert provider.sign_in(http, "/login").status_code == 303

    def test_nothing_is_accepted_unchecked(http, provider):
        token = provider.access_token(Person.legal_person())
        with provider.unreachable():
            answer = http.post("/api/v1/things", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 503

``provider.calls`` lists what was asked for, ``provider.delays`` and ``provider.broken`` make single endpoints
slow or fail, ``provider.answer_changes`` spoils what they answer; ``access_token``, ``logout_token`` and
``event_token`` make tokens of any content, good and bad.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clients.rp.testing.people import ENTERPRISE, MATTER, OTHER_ENTERPRISE, SCOPE, Claims, Person
from clients.rp.testing.provider import FakeProvider, follow, serving

__all__ = [
    "ENTERPRISE",
    "MATTER",
    "OTHER_ENTERPRISE",
    "SCOPE",
    "Claims",
    "FakeProvider",
    "Person",
    "follow",
    "provider",
    "serving",
]


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A provider of this test's own, on a free port of this machine."""
    with serving() as state:
        yield state
