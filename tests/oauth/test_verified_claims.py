from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import update

from idp import clock
from idp.services.platform import Platform
from idp.storage.accounts import Account, Login
from idp.storage.database import transaction
from tests.oauth.browser import Browser, answer_of, page_of
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import MATTER, People, _set
from tests.oauth.relying_party import ISSUER, RelyingParty, claims_of, header_of
from tests.services.conftest import MovableClock

ENCRYPTION_KEY: Final = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"})
NUMBER: Final = "990101199001010019"


def asked(**verification: Any) -> dict[str, Any]:
    return {
        "verification": {"trust_framework": None} | verification,
        "claims": {"name": None, "authority": None},
    }


def claims_parameter(section: str, element: Any) -> str:
    return json.dumps({section: {"verified_claims": element}})


@pytest.fixture
def verifying(register: RegisterClient, scene: Scene) -> RelyingParty:
    """A client that may ask, and a person whose real-name authentication is two days old."""
    _set(Account, scene.account_id, verified_at=clock.now() - timedelta(days=2))
    rp = register(scope="openid profile enterprise handler verified_claims")
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    return rp


def tokens_of(scene: Scene, rp: RelyingParty, **changes: Any) -> dict[str, Any]:
    response = rp.redeem(scene.browser.code_for(rp, **changes))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def userinfo(scene: Scene, rp: RelyingParty, **changes: Any) -> dict[str, Any]:
    response = rp.userinfo(tokens_of(scene, rp, **changes)["access_token"])
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.get_json()
    return told


@pytest.mark.checklist(34, 80)
def test_userinfo_tells_what_was_asked_for_there(scene: Scene, verifying: RelyingParty) -> None:
    told = userinfo(scene, verifying, claims=claims_parameter("userinfo", asked(time=None)))
    verified = told["verified_claims"]
    assert verified["verification"].keys() == {"trust_framework", "time"}
    assert verified["claims"]["name"] == "李示例"
    (authority,) = verified["claims"]["authority"]
    assert authority["applies_to"]["registration_number"] == "91990101MADEM00117"
    assert authority["permission"][0]["function"] == [MATTER]


def test_an_id_token_tells_what_was_asked_for_there_and_the_access_token_nothing(
    scene: Scene, verifying: RelyingParty
) -> None:
    answer = tokens_of(scene, verifying, claims=claims_parameter("id_token", asked()))
    assert "verified_claims" in claims_of(answer["id_token"], verifying.http)
    assert "verified_claims" not in claims_of(answer["access_token"], verifying.http)
    assert "verified_claims" not in verifying.introspect(answer["access_token"])
    assert "verified_claims" not in verifying.userinfo(answer["access_token"]).get_json()


def test_the_scope_stands_for_everything_at_userinfo(scene: Scene, verifying: RelyingParty) -> None:
    scope = "openid enterprise handler verified_claims"
    answer = tokens_of(scene, verifying, scope=scope)
    told = verifying.userinfo(answer["access_token"]).get_json()["verified_claims"]
    assert told["claims"].keys() == {"name", "authority"}
    assert told["verification"].keys() == {
        "trust_framework",
        "assurance_level",
        "time",
        "verification_process",
    }
    assert "verified_claims" not in claims_of(answer["id_token"], verifying.http)


@pytest.mark.parametrize(
    "element",
    [
        asked(trust_framework={"value": "de_aml"}),
        asked(time={"max_age": 86400}),
        asked(assurance_level={"value": "4", "essential": True}),
        asked(evidence=[{"type": {"value": "document"}}]),
        {"verification": {"trust_framework": None}, "claims": {"birthdate": {"essential": True}}},
    ],
)
def test_what_is_not_to_be_had_is_left_out_and_never_an_error(
    scene: Scene, verifying: RelyingParty, element: Any
) -> None:
    assert "verified_claims" not in userinfo(scene, verifying, claims=claims_parameter("userinfo", element))


def test_of_several_elements_those_that_can_be_met_are_told(scene: Scene, verifying: RelyingParty) -> None:
    elements = [asked(), asked(trust_framework={"value": "x"}), asked(time={"max_age": 3 * 86400})]
    told = userinfo(scene, verifying, claims=claims_parameter("userinfo", elements))
    assert len(told["verified_claims"]) == 2


def test_a_malformed_element_is_an_invalid_request(scene: Scene, verifying: RelyingParty) -> None:
    request = claims_parameter("userinfo", {"claims": {"name": None}})
    answer = answer_of(scene.browser.authorize(verifying, claims=request))
    assert answer["error"] == "invalid_request"


def test_a_client_without_the_scope_is_told_nothing(scene: Scene) -> None:
    told = userinfo(scene, scene.rp, claims=claims_parameter("userinfo", asked()))
    assert "verified_claims" not in told


def test_verified_claims_need_consent_of_their_own(
    register: RegisterClient, people: People, browser: Browser
) -> None:
    rp = register(scope="openid verified_claims")
    account_id = people.person(real_name="李示例")
    browser.sign_in(account_id)
    first = browser.authorize(rp, scope="openid")
    assert page_of(first) == "/interaction/consent"
    browser.press(first.location, decision="allow")
    assert browser.code_for(rp, scope="openid")
    page = browser.authorize(rp, scope="openid", claims=claims_parameter("userinfo", asked()))
    assert page_of(page) == "/interaction/consent"
    assert "您的实名认证结果和企业授权关系" in browser.get(page.location).text


def test_they_are_as_true_as_the_moment_they_are_asked_for(
    scene: Scene, verifying: RelyingParty, people: People, time: MovableClock
) -> None:
    token = tokens_of(scene, verifying, claims=claims_parameter("userinfo", asked()))["access_token"]
    assert verifying.userinfo(token).status_code == 200
    people.change_handler(scene.handler_authorization_id, status="revoked")
    assert verifying.userinfo(token).status_code == 401


# --- claims with values


@pytest.mark.checklist(34)
def test_a_voluntary_claim_with_another_value_is_left_out(scene: Scene) -> None:
    wanted = {"name": {"value": "李示例"}, "email": {"value": "someone@else.invalid"}}
    told = userinfo(scene, scene.rp, claims=json.dumps({"userinfo": wanted}))
    assert told["name"] == "李示例"
    assert "email" not in told


@pytest.mark.checklist(34)
def test_two_enterprises_pinned_at_once_can_not_both_be_acted_for(scene: Scene, people: People) -> None:
    other = people.legal_person(1)
    people.handler(scene.account_id, other.enterprise_id)
    pinned = {
        "id_token": {"enterprise_credit_code": {"value": "91990101MADEM00117"}},
        "userinfo": {"enterprise_credit_code": {"value": other.enterprise_credit_code}},
    }
    answer = answer_of(scene.browser.authorize(scene.rp, claims=json.dumps(pinned)))
    assert answer["error"] == "access_denied"


# --- acr


@pytest.mark.checklist(73)
@pytest.mark.parametrize(
    "changes",
    [
        {"acr_values": "urn:gsp:acr:2fa"},
        {"acr_values": "urn:gsp:acr:2fa-crypto urn:gsp:acr:2fa"},
        {"acr_values": "unknown"},
        {"claims": '{"id_token":{"acr":{"values":["urn:gsp:acr:2fa"],"essential":true}}}'},
        {"claims": '{"id_token":{"acr":{"essential":true}}}'},
    ],
)
def test_the_acr_told_is_the_one_reached(scene: Scene, changes: dict[str, str]) -> None:
    token = tokens_of(scene, scene.rp, **changes)["id_token"]
    assert claims_of(token, scene.rp.http)["acr"] == "urn:gsp:acr:2fa"


@pytest.mark.checklist(73)
def test_an_essential_acr_that_can_not_be_reached_fails(scene: Scene) -> None:
    wanted = '{"id_token":{"acr":{"value":"urn:gsp:acr:3fa","essential":true}}}'
    answer = answer_of(scene.browser.authorize(scene.rp, claims=wanted))
    assert answer["error"] == "unmet_authentication_requirements"


@pytest.mark.checklist(73)
def test_a_login_that_is_too_weak_is_stepped_up(scene: Scene, platform: Platform) -> None:
    assert scene.browser.login is not None
    with transaction() as session:
        weak = update(Login).where(Login.sid == scene.browser.login.sid).values(acr="urn:gsp:acr:1fa")
        session.execute(weak)
    assert page_of(scene.browser.authorize(scene.rp, acr_values="urn:gsp:acr:2fa")) == "/login"
    silent = scene.browser.authorize(scene.rp, acr_values="urn:gsp:acr:2fa", prompt="none")
    assert answer_of(silent)["error"] == "login_required"


# --- the identity document


@pytest.fixture
def sealed(register: RegisterClient, scene: Scene, platform: Platform) -> RelyingParty:
    """A client that an admin has allowed to learn the identity document."""
    cipher = platform.keyring.fields
    _set(
        Account,
        scene.account_id,
        document_type="id_card",
        document_number_encrypted=cipher.encrypt(NUMBER, "accounts.document_number"),
    )
    rp = register(
        scope="openid profile identity_document",
        jwks={"keys": [ENCRYPTION_KEY.as_dict(private=False)]},
        userinfo_encrypted_response_alg="ECDH-ES",
    )
    scene.browser.allow(rp, scene.account_id)
    return rp


def test_the_document_is_told_signed_and_encrypted(scene: Scene, sealed: RelyingParty) -> None:
    answer = tokens_of(scene, sealed, scope="openid identity_document")
    response = sealed.userinfo(answer["access_token"])
    assert response.mimetype == "application/jwt"
    assert response.headers["Cache-Control"] == "no-store"
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
    opened = jwe.decrypt_compact(response.text, ENCRYPTION_KEY, registry=registry)
    assert opened.plaintext is not None
    told = claims_of(opened.plaintext.decode(), sealed.http)
    assert (told["document_type"], told["document_number"]) == ("id_card", NUMBER)
    assert (told["iss"], told["aud"]) == (ISSUER, sealed.client_id)
    for token in (answer["access_token"], answer["id_token"]):
        assert NUMBER not in json.dumps(claims_of(token, sealed.http))
    assert NUMBER not in json.dumps(sealed.introspect(answer["access_token"]))


def test_without_its_scope_the_document_stays_here(scene: Scene, sealed: RelyingParty) -> None:
    wanted = '{"userinfo":{"document_number":{"essential":true}},"id_token":{"document_number":null}}'
    answer = tokens_of(scene, sealed, scope="openid", claims=wanted)
    response = sealed.userinfo(answer["access_token"])
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
    opened = jwe.decrypt_compact(response.text, ENCRYPTION_KEY, registry=registry)
    assert opened.plaintext is not None
    assert "document_number" not in claims_of(opened.plaintext.decode(), sealed.http)
    assert "document_number" not in claims_of(answer["id_token"], sealed.http)


def test_it_can_not_be_registered_for_an_answer_in_the_clear(register: RegisterClient) -> None:
    with pytest.raises(AssertionError, match="identity_document"):
        register(scope="openid identity_document")


@pytest.mark.checklist(82)
def test_a_signed_answer_is_a_jwt_for_the_client(register: RegisterClient, scene: Scene) -> None:
    rp = register(userinfo_signed_response_alg="ES256")
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    response = rp.userinfo(tokens_of(scene, rp)["access_token"])
    assert response.mimetype == "application/jwt"
    header, told = header_of(response.text), claims_of(response.text, rp.http)
    assert (header["alg"], bool(header["kid"])) == ("ES256", True)
    assert (told["iss"], told["aud"], told["sub"]) == (ISSUER, rp.client_id, scene.account_id)
