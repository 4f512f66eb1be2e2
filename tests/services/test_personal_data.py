from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from idp import clock
from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.domain.throttling import EXPORTS_OF_ACCOUNT
from idp.services import (
    account_status,
    accounts,
    authentication,
    handlers,
    known_devices,
    personal_data,
)
from idp.services.known_devices import Meeting
from idp.services.personal_data import PersonalData
from idp.services.platform import Platform
from idp.storage.database import transaction
from idp.storage.upstream import insert_link
from tests.people import CAR_MAKER, LI
from tests.services import submissions
from tests.services.authorising import FORM
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PHONE,
    LostStore,
    account,
    events,
    give_identity,
    password_hash,
    signed_in,
)

ELSEWHERE = Origin("198.51.100.23", "administrator's browser", "request-9")


def two(platform: Platform) -> tuple[str, str]:
    """A handler whose data are exported, and the enterprise's account."""
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    give_identity(platform, bob, CAR_MAKER)
    submissions.submitted(platform, alice, submissions.person(manual=True))
    give_identity(platform, alice, LI)
    applied = handlers.apply(platform, alice, FORM, ORIGIN)
    assert not isinstance(applied, Refusal)
    handlers.decide(platform, bob, applied.id, "approve", ELSEWHERE)
    authentication.begin_login(platform, signed_in(alice), ORIGIN, replaces=None)
    known_devices.meet(platform, alice, Meeting(None, "Firefox"), ORIGIN)
    with transaction() as session:
        insert_link(session, "https://national.example", "0" * 64, alice, clock.now())
    return alice, bob


def export(platform: Platform, account_id: str) -> PersonalData:
    data = personal_data.export(platform, account_id, ORIGIN)
    assert isinstance(data, PersonalData)
    return data


def test_it_holds_everything_about_the_person(platform: Platform) -> None:
    alice, _ = two(platform)
    file = json.loads(json.dumps(export(platform, alice).as_json(), ensure_ascii=False))
    mine = file["account"]
    assert (mine["login_name"], mine["phone"], mine["real_name"]) == ("alice_1", PHONE, LI.real_name)
    assert mine["document_number"] == LI.document_number
    (application,) = file["real_name_applications"]
    assert application["fields"]["explanation"] == "姓名用字系统中没有"
    assert [scan["purpose"] for scan in application["scans"]] == ["document_scan"]
    (authorization,) = file["handler_authorizations"]
    assert (authorization["status"], authorization["enterprise_name"]) == (
        "approved",
        CAR_MAKER.enterprise_name,
    )
    assert [login["address"] for login in file["logins"]] == [ORIGIN.address]
    assert len(file["devices"]) == 1
    assert [link["issuer"] for link in file["linked_accounts"]] == ["https://national.example"]
    lines = {line["event"] for line in file["trail"]}
    assert {"account:register", "real_name:submit", "login:success", "account:export"} <= lines


def test_it_holds_nobody_elses(platform: Platform) -> None:
    alice, bob = two(platform)
    accounts.set_platform_role(platform, bob, "administrator", True, ELSEWHERE)
    account_status.freeze(platform, alice, ELSEWHERE, bob, "本人来电申请")
    account_status.unfreeze(platform, alice, ELSEWHERE, bob, "已核实")
    for account_id, others in ((alice, (bob, "bobby_1", OTHER_PHONE)), (bob, (alice, "alice_1", PHONE))):
        text = json.dumps(export(platform, account_id).as_json(), ensure_ascii=False)
        assert [other for other in others if other in text] == []
    text = json.dumps(export(platform, alice).as_json(), ensure_ascii=False)
    assert ELSEWHERE.address not in text
    assert ELSEWHERE.user_agent not in text
    assert '"account:freeze"' in text
    text = json.dumps(export(platform, bob).as_json(), ensure_ascii=False)
    assert [
        word for word in (LI.real_name, LI.document_number, CAR_MAKER.representative_name) if word in text
    ] == []
    assert CAR_MAKER.representative_document_number not in text


def test_a_submission_for_an_enterprise_leaves_its_representative_out(platform: Platform) -> None:
    account_id = account(platform)
    submissions.submitted(platform, account_id, submissions.enterprise(manual=True))
    text = json.dumps(export(platform, account_id).as_json(), ensure_ascii=False)
    assert submissions.ENTERPRISE["enterprise_name"] in text
    assert submissions.ENTERPRISE["representative_document_number"] not in text
    assert submissions.ENTERPRISE["representative_name"] not in text


def test_no_secret_leaves(platform: Platform) -> None:
    alice, _ = two(platform)
    text = json.dumps(export(platform, alice).as_json(), ensure_ascii=False)
    assert password_hash() not in text
    assert "token" not in text
    assert "_hash" not in text


def test_each_is_in_the_trail_and_five_a_day_are_enough(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(throttle=True)
    account_id = account(platform)
    for _ in range(EXPORTS_OF_ACCOUNT.most):
        export(platform, account_id)
    refused = personal_data.export(platform, account_id, ORIGIN)
    assert isinstance(refused, Refusal)
    assert refused.code == "export_limit"
    assert len(events(platform, "account:export")) == EXPORTS_OF_ACCOUNT.most


def test_without_the_store_nothing_leaves(platform: Platform) -> None:
    account_id = account(platform)
    refused = personal_data.export(replace(platform, ephemeral=LostStore()), account_id, ORIGIN)
    assert isinstance(refused, Refusal)
    assert refused.code == "service_unavailable"
    assert events(platform, "account:export") == []
