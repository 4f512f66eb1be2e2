"""Calls to the provider as this client: authenticated, and with a DPoP proof where its tokens are bound."""

from __future__ import annotations

from collections.abc import Mapping

from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.transport import Answer


def post(provider: Provider, client: Client, url: str, form: Mapping[str, str]) -> Answer:
    """POST an authenticated form. Raises ProviderUnavailable.

    A server that asks for its nonce (RFC 9449 §8) is asked again, once, with a new assertion and proof.
    """
    answer = _post(provider, client, url, form)
    if client.prover is None or not client.prover.learn(url, answer.headers):
        return answer
    wants_nonce = answer.status == 400 and answer.body.get("error") == "use_dpop_nonce"
    return _post(provider, client, url, form) if wants_nonce else answer


def _post(provider: Provider, client: Client, url: str, form: Mapping[str, str]) -> Answer:
    headers = {} if client.prover is None else client.prover.header("POST", url)
    return provider.transport.post(url, {**form, **client.authentication(provider.issuer)}, headers)


def get(provider: Provider, client: Client, url: str, access_token: str) -> Answer:
    """GET a protected resource of the provider. Raises ProviderUnavailable."""
    answer = _get(provider, client, url, access_token)
    if client.prover is None or not client.prover.learn(url, answer.headers):
        return answer
    return _get(provider, client, url, access_token) if answer.status == 401 else answer


def _get(provider: Provider, client: Client, url: str, access_token: str) -> Answer:
    if client.prover is None:
        return provider.transport.get(url, {"Authorization": f"Bearer {access_token}"})
    proof = client.prover.header("GET", url, access_token)
    return provider.transport.get(url, {"Authorization": f"DPoP {access_token}", **proof})
