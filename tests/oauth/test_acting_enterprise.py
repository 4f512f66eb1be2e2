from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from idp.domain.errors import Refusal
from idp.services import accounts, handlers
from idp.services.platform import Platform
from tests.oauth.browser import ORIGIN, answer_of, page_of
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import LegalPerson, People
from tests.oauth.relying_party import RelyingParty, claims_of
from tests.services.conftest import MovableClock


@pytest.fixture
def second(scene: Scene, people: People) -> LegalPerson:
    """A second enterprise that the handler of the scene acts for."""
    second = people.legal_person(1)
    people.handler(scene.account_id, second.enterprise_id)
    return second


def pin(*credit_codes: str) -> str:
    return json.dumps({"id_token": {"enterprise_credit_code": {"values": list(credit_codes)}}})


def acting(scene: Scene, answer: dict[str, str], rp: RelyingParty | None = None) -> dict[str, Any]:
    rp = rp or scene.rp
    return claims_of(rp.redeem(answer["code"]).get_json()["id_token"], rp.http)


def test_a_handler_of_two_chooses_and_the_token_names_only_the_chosen(
    scene: Scene, second: LegalPerson
) -> None:
    response = scene.browser.authorize(scene.rp)
    assert page_of(response) == "/interaction/enterprise"
    page = scene.browser.get(response.location)
    assert second.enterprise_credit_code in page.text
    assert "91990101MADEM00117" in page.text
    response = scene.browser.press(
        response.location, enterprise=second.enterprise_credit_code, decision="allow"
    )
    assert page_of(response) == "/interaction/consent"
    assert second.enterprise_name in scene.browser.get(response.location).text
    told = acting(scene, answer_of(scene.browser.press(response.location, decision="allow")))
    assert told["enterprise_credit_code"] == second.enterprise_credit_code
    assert "91990101MADEM00117" not in json.dumps(told)


def test_oneself_can_be_chosen_where_the_client_allows_it(scene: Scene, second: LegalPerson) -> None:
    response = scene.browser.authorize(scene.rp)
    response = scene.browser.press(response.location, enterprise="", decision="allow")
    told = acting(scene, answer_of(scene.browser.press(response.location, decision="allow")))
    assert told["account_type"] == "natural_person"
    assert "enterprise_credit_code" not in told


@pytest.mark.parametrize("chosen", ["", "91990101MADEM0038Y", "x", "91990101madem00117"])
def test_what_is_not_offered_is_not_chosen(
    register: RegisterClient, scene: Scene, second: LegalPerson, chosen: str
) -> None:
    strict = register(require_enterprise=True)
    response = scene.browser.authorize(strict)
    answer = scene.browser.press(response.location, enterprise=chosen, decision="allow")
    assert answer.status_code == 422
    assert "enterprise-page" in answer.text


@pytest.mark.checklist(38)
def test_cancelling_the_choice_is_access_denied(scene: Scene, second: LegalPerson) -> None:
    response = scene.browser.authorize(scene.rp)
    answer = answer_of(scene.browser.press(response.location, decision="deny"))
    assert answer["error"] == "access_denied"


@pytest.mark.checklist(26)
def test_silence_takes_the_enterprise_last_consented_for_this_client(
    scene: Scene, second: LegalPerson, time: MovableClock
) -> None:
    told = acting(scene, answer_of(scene.browser.authorize(scene.rp, prompt="none")))
    assert told["enterprise_credit_code"] == "91990101MADEM00117"
    time.advance(seconds=5)
    scene.browser.allow(scene.rp, scene.account_id, second.enterprise_id)
    told = acting(scene, answer_of(scene.browser.authorize(scene.rp, prompt="none")))
    assert told["enterprise_credit_code"] == second.enterprise_credit_code


def test_silence_takes_the_default_of_the_account_where_nothing_was_consented(
    register: RegisterClient, scene: Scene, second: LegalPerson, platform: Platform
) -> None:
    rp = register()
    answer = answer_of(scene.browser.authorize(rp, prompt="none"))
    assert answer["error"] == "interaction_required"
    chosen = second.enterprise_credit_code
    assert accounts.set_default_enterprise(platform, scene.account_id, chosen, ORIGIN) is None
    assert answer_of(scene.browser.authorize(rp, prompt="none"))["error"] == "consent_required"


@pytest.mark.checklist(34)
def test_a_pinned_enterprise_is_taken_without_a_question(scene: Scene, second: LegalPerson) -> None:
    scene.browser.allow(scene.rp, scene.account_id, second.enterprise_id)
    for changes in ({}, {"prompt": "none"}):
        response = scene.browser.authorize(scene.rp, claims=pin(second.enterprise_credit_code), **changes)
        told = acting(scene, answer_of(response))
        assert told["enterprise_credit_code"] == second.enterprise_credit_code


@pytest.mark.checklist(34)
@pytest.mark.parametrize("credit_code", ["91990101MADEM0038Y", "x", "91990101madem00117"])
def test_a_pinned_enterprise_of_others_is_access_denied_and_never_another(
    scene: Scene, people: People, credit_code: str
) -> None:
    people.legal_person(2)
    answer = answer_of(scene.browser.authorize(scene.rp, claims=pin(credit_code)))
    assert answer["error"] == "access_denied"


def test_who_acts_for_nobody_is_turned_away_where_enterprises_are_required(
    register: RegisterClient, scene: Scene, people: People
) -> None:
    strict = register(require_enterprise=True)
    scene.browser.sign_in(people.person())
    response = scene.browser.authorize(strict)
    assert page_of(response) == "/interaction/turned-away"
    page = scene.browser.get(response.location)
    assert page.status_code == 403
    assert "/account/handler-applications" in page.text
    answer = answer_of(scene.browser.press(response.location, decision="deny"))
    assert answer["error"] == "access_denied"
    silent = answer_of(scene.browser.authorize(strict, prompt="none"))
    assert silent["error"] == "access_denied"


def test_who_becomes_a_handler_meanwhile_goes_on(
    register: RegisterClient, scene: Scene, people: People
) -> None:
    strict = register(require_enterprise=True)
    person = people.person()
    scene.browser.sign_in(person)
    response = scene.browser.authorize(strict)
    people.handler(person, scene.enterprise_id)
    assert page_of(scene.browser.get(response.location)) == "/interaction/consent"


def test_matters_that_the_client_does_not_serve_are_access_denied(scene: Scene, people: People) -> None:
    people.change_handler(scene.handler_authorization_id, matters=["another-matter"])
    assert answer_of(scene.browser.authorize(scene.rp))["error"] == "access_denied"


def test_handler_scope_is_what_both_cover(scene: Scene, people: People) -> None:
    people.change_handler(scene.handler_authorization_id, matters=["another", "nev-accident-report"])
    told = acting(scene, answer_of(scene.browser.authorize(scene.rp)))
    assert told["handler_scope"] == ["nev-accident-report"]


@pytest.mark.parametrize(
    "end", ["pending", "refused", "revoked", "expired by the clock", "not yet valid", "enterprise closed"]
)
def test_an_authorisation_that_is_not_in_force_never_reaches_a_token(
    scene: Scene, people: People, time: MovableClock, end: str
) -> None:
    handler = scene.handler_authorization_id
    match end:
        case "expired by the clock":
            people.change_handler(handler, valid_until=time.now())
        case "not yet valid":
            people.change_handler(handler, valid_from=time.now() + timedelta(seconds=1))
        case "enterprise closed":
            people.close(scene.enterprise_id)
        case status:
            people.change_handler(handler, status=status)
    scene.browser.allow(scene.rp, scene.account_id)
    told = acting(scene, answer_of(scene.browser.authorize(scene.rp)))
    assert told["account_type"] == "natural_person"
    assert not told.keys() & {"enterprise_credit_code", "handler_scope", "handler_authorization_id"}


def test_a_revocation_between_choice_and_consent_counts(
    scene: Scene, second: LegalPerson, people: People, platform: Platform
) -> None:
    response = scene.browser.authorize(scene.rp)
    response = scene.browser.press(
        response.location, enterprise=second.enterprise_credit_code, decision="allow"
    )
    mine = handlers.list_of_enterprise(platform, second.enterprise_id)[0]
    decided = handlers.decide(platform, second.account_id, mine.id, "revoke", ORIGIN)
    assert not isinstance(decided, Refusal)
    assert page_of(scene.browser.get(response.location)) == "/interaction/enterprise"
