from __future__ import annotations

import pytest

from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import assert_error, challenge_of


@pytest.mark.checklist(36)
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("verifier", ["a" * 43, "Az09-._~" * 16])
def test_s256_is_accepted_from_every_client(
    register: RegisterClient, scene: Scene, method: str, verifier: str
) -> None:
    rp = register(token_endpoint_auth_method=method)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    code = scene.browser.code_for(rp, code_challenge=challenge_of(verifier))
    assert rp.redeem(code, code_verifier=verifier).status_code == 200


@pytest.mark.checklist(56)
@pytest.mark.parametrize(
    "verifier",
    [None, "", "w" * 43, "v" * 42, "v" * 44, "v" * 129, "v" * 42 + "中", "v" * 42 + "+", "v" * 43 + "\n"],
)
def test_a_wrong_or_missing_verifier_is_refused_and_burns_nothing(scene: Scene, verifier: str | None) -> None:
    code = scene.browser.code_for(scene.rp)
    assert_error(scene.rp.redeem(code, code_verifier=verifier), "invalid_grant")
    assert scene.rp.redeem(code).status_code == 200


@pytest.mark.checklist(36, 56)
def test_the_challenge_itself_is_no_verifier(scene: Scene) -> None:
    verifier = "v" * 43
    code = scene.browser.code_for(scene.rp, code_challenge=challenge_of(verifier))
    assert_error(scene.rp.redeem(code, code_verifier=challenge_of(verifier)), "invalid_grant")


@pytest.mark.checklist(36)
def test_a_challenge_that_no_verifier_has_is_not_met_by_an_ill_formed_one(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp, code_challenge="A" * 43)
    assert_error(scene.rp.redeem(code, code_verifier=""), "invalid_grant")
    assert_error(scene.rp.redeem(code, code_verifier="short"), "invalid_grant")
