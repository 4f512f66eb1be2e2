from __future__ import annotations

from dataclasses import replace

import pytest

from idp.domain.errors import Refusal
from idp.domain.recovery import Sought
from idp.services import finding, outbox
from idp.services.finding import Found
from idp.services.platform import Platform
from idp.storage import accounts as account_rows
from idp.storage.database import transaction
from tests.queries import AssertQueries
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PHONE,
    CountingHasher,
    LostStore,
    WatchedStore,
    account,
    enterprise,
    events,
    give_identity,
    person,
    send_code,
)

BY_PHONE = Sought("phone", PHONE)
BY_PERSON = Sought("natural_person", "id_card:990101199001010019", "李测试")
BY_ENTERPRISE = Sought("legal_person", "91990101MADEM0046R")
UNKNOWN = {
    "phone": Sought("phone", "19900000008"),
    "natural_person": Sought("natural_person", "id_card:990101198506150012", "李测试"),
    "legal_person": Sought("legal_person", "91990101MADEM00117"),
}


@pytest.fixture
def known(platform: Platform) -> dict[str, Sought]:
    """A verified person's account and an enterprise's, and how each way names one of them."""
    give_identity(platform, account(platform), person("990101199001010019"))
    give_identity(platform, account(platform, "legal_1", OTHER_PHONE), enterprise("91990101MADEM0046R"))
    return {"phone": BY_PHONE, "natural_person": BY_PERSON, "legal_person": BY_ENTERPRISE}


def code_for(platform: Platform, sought: Sought) -> str:
    assert finding.send_code(platform, sought, ORIGIN) is None
    sent = outbox.list_recent_sms(platform, 1)[0]
    assert sent.purpose == "find_account"
    return str(sent.code)


def find(platform: Platform, sought: Sought, code: str) -> Found | str:
    outcome = finding.find(platform, sought, code, ORIGIN)
    return outcome.code if isinstance(outcome, Refusal) else outcome


def free(platform: Platform) -> Platform:
    return replace(platform, settings=replace(platform.settings, throttle=False))


def test_each_way_tells_the_login_name_to_the_bound_phone(
    platform: Platform, known: dict[str, Sought]
) -> None:
    platform = free(platform)
    for way, (login_name, masked, phone) in {
        "phone": ("alice_1", "al***_1", PHONE),
        "natural_person": ("alice_1", "al***_1", PHONE),
        "legal_person": ("legal_1", "le***_1", OTHER_PHONE),
    }.items():
        found = find(platform, known[way], code_for(platform, known[way]))
        assert found == Found(masked, f"199****{phone[-4:]}")
        told = outbox.list_recent_sms(platform, 1)[0]
        assert (told.phone, told.purpose) == (phone, "account_found")
        assert login_name in told.text
    assert [entry.result for entry in events(platform, "account:find")] == ["success"] * 3


def test_another_name_with_the_document_is_nobody(platform: Platform, known: dict[str, Sought]) -> None:
    other = replace(BY_PERSON, real_name="王测试")
    assert finding.send_code(platform, other, ORIGIN) is None
    assert outbox.list_recent_sms(platform) == []
    assert find(platform, other, "000000") == "search_wrong"


def test_an_unverified_account_is_found_by_its_phone_alone(platform: Platform) -> None:
    account(platform)
    assert find(platform, BY_PERSON, "000000") == "search_wrong"
    assert isinstance(find(platform, BY_PHONE, code_for(platform, BY_PHONE)), Found)


def test_a_deleted_account_is_nobody(platform: Platform) -> None:
    account_id = account(platform)
    with transaction() as session:
        account_rows.update_account(session, account_id, {"status": "deleted"})
    assert finding.send_code(platform, BY_PHONE, ORIGIN) is None
    assert outbox.list_recent_sms(platform) == []


def test_a_code_for_the_sign_in_finds_nothing_and_one_code_finds_once(platform: Platform) -> None:
    account(platform)
    assert find(platform, BY_PHONE, send_code(platform)) == "search_wrong"
    code = code_for(platform, BY_PHONE)
    assert isinstance(find(platform, BY_PHONE, code), Found)
    assert find(platform, BY_PHONE, code) == "search_wrong"


@pytest.mark.parametrize("way", list(UNKNOWN))
def test_known_and_unknown_cause_the_same_work_until_both_are_locked(
    platform: Platform, known: dict[str, Sought], way: str
) -> None:
    seen = []
    for sought in (known[way], UNKNOWN[way]):
        store, hasher = WatchedStore(platform.ephemeral), CountingHasher()
        watched = replace(platform, ephemeral=store, passwords=hasher)
        answers: list[object] = [finding.send_code(watched, sought, ORIGIN) for _ in range(2)]
        answers += [find(watched, sought, "000000") for _ in range(6)]
        seen.append((answers, store.verbs, hasher.verified))
    assert seen[0] == seen[1]
    assert seen[0][0][-1] == "login_locked"


@pytest.mark.parametrize("way", list(UNKNOWN))
def test_known_and_unknown_ask_the_database_alike(
    platform: Platform, known: dict[str, Sought], way: str, assert_queries: AssertQueries
) -> None:
    executed = []
    for sought in (known[way], UNKNOWN[way]):
        with assert_queries(2) as statements:
            find(platform, sought, "000000")
        executed.append(statements)
    assert executed[0] == executed[1]


def test_without_the_short_lived_store_nothing_is_told(platform: Platform) -> None:
    account(platform)
    assert find(replace(platform, ephemeral=LostStore()), BY_PHONE, "000000") == "service_unavailable"
