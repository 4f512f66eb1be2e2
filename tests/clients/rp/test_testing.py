"""The fixture as another relying party's tests load it: in a directory of their own, by its name alone."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

OTHERS_TESTS = """
    import requests
    from clients.rp.discovery import Provider
    from clients.rp.errors import ProviderUnavailable
    from clients.rp.testing import Person
    from clients.rp.transport import Transport

    def test_it_answers(provider):
        metadata = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=5).json()
        assert metadata["issuer"] == provider.issuer

    def test_its_tokens_are_signed_with_its_keys(provider):
        token = provider.access_token(Person.legal_person())
        kids = [key["kid"] for key in requests.get(f"{provider.issuer}/jwks", timeout=5).json()["keys"]]
        assert provider.keys[0].kid in kids and token.count(".") == 2

    def test_it_goes_and_comes_back(provider):
        op = Provider(provider.issuer, Transport())
        with provider.unreachable():
            try:
                op.metadata()
            except ProviderUnavailable:
                pass
            else:
                raise AssertionError("it answered")
        op.transport.close()
        assert requests.get(f"{provider.issuer}/jwks", timeout=5).ok
"""


def test_another_relying_party_loads_it_by_name(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["clients.rp.testing"]')
    pytester.makepyfile(OTHERS_TESTS)
    pytester.runpytest_inprocess("-q").assert_outcomes(passed=3)
