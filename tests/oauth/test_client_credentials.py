from __future__ import annotations

import pytest

from tests.oauth.conftest import RegisterClient
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error, claims_of, header_of
from tests.services.conftest import MovableClock

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def job(register: RegisterClient) -> RelyingParty:
    return register(
        grant_types=["client_credentials"], redirect_uris=[], scope="openid enterprise job:run job:read"
    )


@pytest.mark.checklist(48, 49)
def test_a_client_gets_a_token_for_itself(job: RelyingParty, time: MovableClock) -> None:
    response = job.token(GRANT)
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.get_json()
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 300)
    now = int(time.now().timestamp())
    told = claims_of(answer["access_token"], job.http)
    assert told == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": job.client_id,
        "client_id": job.client_id,
        "scope": "job:read job:run",
        "iat": now,
        "exp": now + 300,
        "jti": told["jti"],
    }
    assert header_of(answer["access_token"])["typ"] == "at+jwt"


@pytest.mark.checklist(37)
def test_it_may_ask_for_less(job: RelyingParty) -> None:
    answer = job.token(GRANT | {"scope": "job:run"}).get_json()
    assert answer["scope"] == "job:run"
    assert claims_of(answer["access_token"], job.http)["scope"] == "job:run"


@pytest.mark.checklist(37)
@pytest.mark.parametrize("scope", ["openid", "enterprise", "job:run openid", "job:other", "中", '"'])
def test_it_never_gets_a_persons_scopes_nor_unregistered_ones(job: RelyingParty, scope: str) -> None:
    assert_error(job.token(GRANT | {"scope": scope}), "invalid_scope")


def test_without_scopes_of_its_own_the_answer_names_none(register: RegisterClient) -> None:
    job = register(grant_types=["client_credentials"], redirect_uris=[], scope="openid")
    answer = job.token(GRANT).get_json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}


@pytest.mark.checklist(57)
def test_the_grant_must_be_registered(rp: RelyingParty) -> None:
    assert_error(rp.token(GRANT), "unauthorized_client")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_algorithm_is_as_registered(register: RegisterClient, algorithm: str) -> None:
    job = register(
        grant_types=["client_credentials"],
        redirect_uris=[],
        scope="job:run",
        access_token_signed_response_alg=algorithm,
    )
    assert header_of(job.token(GRANT).get_json()["access_token"])["alg"] == algorithm
