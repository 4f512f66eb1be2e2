from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from idp.domain.errors import Refusal
from idp.services import authentication, handler_views, representatives
from idp.services.platform import Platform
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from tests.people import ORIGIN
from tests.services.authorising import People, add_people, applied, code, decided
from tests.services.conftest import MovableClock
from tests.services.people import open_login

NEW = {
    "representative_name": "孙示例",
    "representative_document_type": "id_card",
    "representative_document_number": "990101198506150012",
}


@dataclass
class Registers:
    """Registers that know the new representative, or say what a test lets them."""

    answer: bool | None = True
    asked: Mapping[str, str] | None = None

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        self.asked = submission
        return self.answer

    def standing(self, facts: Mapping[str, str]) -> str | None:
        return None


@pytest.fixture
def registers() -> Registers:
    return Registers()


@pytest.fixture
def platform(
    make_platform: Callable[..., Platform], moving_clock: MovableClock, registers: Registers
) -> Platform:
    return replace(make_platform(throttle=False), registry=registers)


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def change(platform: Platform, people: People, **fields: str) -> Refusal | None:
    owner = people.maker.legal_account_id
    return representatives.change(platform, owner, people.maker.id, NEW | fields, ORIGIN)


def representative(platform: Platform, people: People) -> str:
    with reading() as session:
        sealed = session.get_one(Enterprise, people.maker.id).representative_name_encrypted
    return platform.keyring.fields.decrypt(sealed, "enterprises.representative_name")


def test_confirmed_by_the_registers_it_takes_effect_at_once(
    platform: Platform, people: People, registers: Registers
) -> None:
    held = decided(platform, people.maker, applied(platform, people.li), "approve")
    token, _ = open_login(platform, people.maker.legal_account_id)
    assert change(platform, people) is None
    assert registers.asked is not None
    assert registers.asked["enterprise_credit_code"] == people.maker.enterprise_credit_code
    assert representative(platform, people) == "孙示例"
    assert authentication.find_login(platform, token) is None
    view = handler_views.find_own(platform, people.li.id, held.id)
    assert view is not None
    assert (view.status, view.reason_code) == ("suspended", "representative_changed")
    assert code(change(platform, people)) == "representative_unchanged"


@pytest.mark.parametrize("answer", [False, None])
def test_what_the_registers_do_not_confirm_changes_nothing(
    platform: Platform, people: People, registers: Registers, answer: bool | None
) -> None:
    held = decided(platform, people.maker, applied(platform, people.li), "approve")
    registers.answer = answer
    assert code(change(platform, people)) == "representative_unknown"
    assert representative(platform, people) == "赵示例"
    view = handler_views.find_own(platform, people.li.id, held.id)
    assert view is not None
    assert view.status == "approved"


def test_wrong_fields_have_their_problems_and_nobody_is_asked(
    platform: Platform, people: People, registers: Registers
) -> None:
    result = change(platform, people, representative_name="", representative_document_number="1")
    assert isinstance(result, Refusal)
    assert [problem.field for problem in result.problems] == [
        "representative_name",
        "representative_document_number",
    ]
    assert registers.asked is None


def test_only_the_account_of_an_active_enterprise_says_so(platform: Platform, people: People) -> None:
    stranger = people.batteries.legal_account_id
    result = representatives.change(platform, stranger, people.maker.id, NEW, ORIGIN)
    assert code(result) == "enterprise_closed"
    with transaction() as session:
        session.get_one(Enterprise, people.maker.id).status = "closed"
    assert code(change(platform, people)) == "enterprise_closed"
