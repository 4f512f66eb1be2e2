from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

import pytest

from idp import clock
from tests.oauth.browser import Browser, answer_of
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import CREDIT_CODES, MATTER, People
from tests.oauth.relying_party import RelyingParty, assert_error, claims_of

CODE: Final = CREDIT_CODES[0]
DETAIL: Final[dict[str, Any]] = {
    "type": "enterprise_handler",
    "enterprise_credit_code": CODE,
    "matters": [MATTER],
}


def text(*details: Any) -> str:
    return json.dumps(details)


def granted(scene: Scene) -> dict[str, Any]:
    return DETAIL | {"handler_authorization_id": scene.handler_authorization_id}


BAD: Final = [
    "",
    "[",
    "{}",
    "[]",
    "5",
    "null",
    text(5),
    text([]),
    text({}),
    text(DETAIL | {"type": "payment_initiation"}),
    text(DETAIL | {"type": 5}),
    text({"type": "enterprise_handler"}),
    text(DETAIL | {"locations": ["https://x.example"]}),
    text(DETAIL | {"enterprise_credit_code": 5}),
    text(DETAIL | {"enterprise_credit_code": "91990101MADEM00118"}),
    text(DETAIL | {"enterprise_credit_code": CODE.lower()}),
    text(DETAIL | {"matters": []}),
    text(DETAIL | {"matters": MATTER}),
    text(DETAIL | {"matters": [5]}),
    text(DETAIL | {"matters": ["unknown"]}),
    text(DETAIL | {"matters": [MATTER, MATTER]}),
    text(DETAIL | {"valid_until": 5}),
    text(DETAIL, DETAIL | {"enterprise_credit_code": CREDIT_CODES[1]}),
    text(*[DETAIL] * 11),
    "[" * 3000,
    text(DETAIL) + " " * 5000,
]


@pytest.mark.parametrize("details", [bad for bad in BAD if bad])
def test_an_unknown_type_or_a_bad_field_is_refused(scene: Scene, details: str) -> None:
    answer = answer_of(scene.browser.authorize(scene.rp, authorization_details=details))
    assert answer["error"] == "invalid_authorization_details"
    assert_error(scene.rp.push(authorization_details=details), "invalid_authorization_details")


def test_a_matter_that_the_client_does_not_serve_is_refused(register: RegisterClient, scene: Scene) -> None:
    rp = register(matters=[])
    answer = answer_of(scene.browser.authorize(rp, authorization_details=text(DETAIL)))
    assert answer["error"] == "invalid_authorization_details"


def test_what_was_asked_is_granted_and_said_everywhere(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp, authorization_details=text(DETAIL))
    answer = scene.rp.redeem(code).get_json()
    assert answer["authorization_details"] == [granted(scene)]
    claims = claims_of(answer["access_token"], scene.rp.http)
    assert claims["authorization_details"] == [granted(scene)]
    assert claims["handler_scope"] == [MATTER]
    assert scene.rp.introspect(answer["access_token"])["authorization_details"] == [granted(scene)]


def test_without_details_there_are_none(scene: Scene) -> None:
    answer = scene.rp.redeem(scene.browser.code_for(scene.rp)).get_json()
    assert "authorization_details" not in answer
    assert "authorization_details" not in claims_of(answer["access_token"], scene.rp.http)
    assert "authorization_details" not in scene.rp.introspect(answer["access_token"])


def test_they_may_be_pushed(scene: Scene) -> None:
    pushed = scene.rp.pushed(authorization_details=text(DETAIL))
    code = answer_of(scene.browser.http.get("/oauth/authorize", query_string=pushed))["code"]
    assert scene.rp.redeem(code).get_json()["authorization_details"] == [granted(scene)]


def test_the_end_of_the_authorisation_is_told(people: People, rp: RelyingParty, browser: Browser) -> None:
    owner = people.legal_person()
    account_id = people.person()
    end = (clock.now() + timedelta(days=3)).replace(microsecond=0)
    people.handler(account_id, owner.enterprise_id, valid_until=end)
    browser.sign_in(account_id)
    browser.allow(rp, account_id, owner.enterprise_id)
    answer = rp.redeem(browser.code_for(rp, authorization_details=text(DETAIL))).get_json()
    assert answer["authorization_details"][0]["valid_until"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_named_enterprise_is_the_one_acted_for(scene: Scene, people: People) -> None:
    other = people.legal_person(1)
    people.handler(scene.account_id, other.enterprise_id)
    scene.browser.allow(scene.rp, scene.account_id, other.enterprise_id)
    for number in (0, 1):
        detail = text(DETAIL | {"enterprise_credit_code": CREDIT_CODES[number]})
        answer = scene.rp.redeem(scene.browser.code_for(scene.rp, authorization_details=detail)).get_json()
        claims = claims_of(answer["access_token"], scene.rp.http)
        assert claims["enterprise_credit_code"] == CREDIT_CODES[number]


@pytest.mark.parametrize("number", [1, 2])
def test_who_can_not_act_so_is_denied(scene: Scene, people: People, number: int) -> None:
    people.legal_person(1)
    detail = text(DETAIL | {"enterprise_credit_code": CREDIT_CODES[number]})
    answer = answer_of(scene.browser.authorize(scene.rp, authorization_details=detail))
    assert answer["error"] == "access_denied"


def test_details_and_claims_that_pin_different_enterprises_can_not_both_be_met(
    scene: Scene, people: People
) -> None:
    other = people.legal_person(1)
    people.handler(scene.account_id, other.enterprise_id)
    pinned = json.dumps({"id_token": {"enterprise_credit_code": {"value": other.enterprise_credit_code}}})
    answer = answer_of(scene.browser.authorize(scene.rp, authorization_details=text(DETAIL), claims=pinned))
    assert answer["error"] == "access_denied"
    same = json.dumps({"id_token": {"enterprise_credit_code": {"value": CODE}}})
    assert scene.browser.code_for(scene.rp, authorization_details=text(DETAIL), claims=same)


def test_the_enterprise_itself_is_granted_them_without_an_authorisation(
    rp: RelyingParty, people: People, browser: Browser
) -> None:
    owner = people.legal_person()
    browser.sign_in(owner.account_id)
    browser.allow(rp, owner.account_id, owner.enterprise_id)
    answer = rp.redeem(browser.code_for(rp, authorization_details=text(DETAIL))).get_json()
    assert answer["authorization_details"] == [DETAIL]
    assert rp.introspect(answer["access_token"])["authorization_details"] == [DETAIL]


def test_a_token_request_may_narrow_them_and_never_widen(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp, authorization_details=text(DETAIL))
    answer = scene.rp.redeem(code, authorization_details=text(granted(scene))).get_json()
    assert answer["authorization_details"] == [granted(scene)]
    other = text(DETAIL | {"enterprise_credit_code": CREDIT_CODES[1]})
    refused = scene.rp.refresh(answer["refresh_token"], authorization_details=other)
    assert_error(refused, "invalid_authorization_details")
    refused = scene.rp.refresh(answer["refresh_token"], authorization_details="[")
    assert_error(refused, "invalid_authorization_details")
    assert scene.rp.refresh(answer["refresh_token"]).status_code == 200  # no refusal cost a token


def test_what_was_granted_without_details_is_not_narrowed_by_them(scene: Scene) -> None:
    refused = scene.rp.redeem(scene.browser.code_for(scene.rp), authorization_details=text(DETAIL))
    assert_error(refused, "invalid_authorization_details")


def test_introspection_says_what_is_left_of_them(scene: Scene, people: People) -> None:
    code = scene.browser.code_for(scene.rp, authorization_details=text(DETAIL))
    token = scene.rp.redeem(code).get_json()["access_token"]
    people.change_handler(scene.handler_authorization_id, matters=["another-matter"])
    assert scene.rp.introspect(token) == {"active": False}


def test_a_client_registered_for_other_types_only_asks_none(register: RegisterClient, scene: Scene) -> None:
    rp = register(authorization_details_types=["enterprise_handler"])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    assert scene.browser.code_for(rp, authorization_details=text(DETAIL))
