from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.domain.errors import Refusal
from idp.domain.upstream import Assertion, Enterprise, Person
from idp.services import outbox, upstream
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from idp.services.upstream import Recognised
from idp.storage import upstream as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.upstream import UpstreamIdentity
from tests.people import CAR_MAKER, LI, ORIGIN, WANG, add_enterprise, add_person
from tests.services.conftest import at_once
from tests.services.people import events

ISSUER: Final = "https://national.example"
TWO_FACTORS: Final = "urn:gsp:acr:2fa"
OF_LI: Final = Assertion(
    ISSUER, "sub-li", Person(LI.document_type, LI.document_number, LI.real_name), TWO_FACTORS, ("pwd",), 1000
)
OF_CAR_MAKER: Final = replace(OF_LI, subject="sub-car", identity=Enterprise(CAR_MAKER.enterprise_credit_code))


@pytest.fixture
def li(platform: Platform) -> str:
    with transaction() as session:
        return add_person(session, platform.keyring.fields, "li_shili", LI).id


def recognised(platform: Platform, assertion: Assertion = OF_LI) -> Recognised:
    found = upstream.recognise(platform, assertion, ORIGIN)
    assert isinstance(found, Recognised), found
    return found


def refused(platform: Platform, assertion: Assertion) -> str:
    refusal = upstream.recognise(platform, assertion, ORIGIN)
    assert isinstance(refusal, Refusal)
    assert events(platform, "upstream:login")[-1].result == refusal.code
    return refusal.code


def linked(account_id: str) -> int:
    with reading() as session:
        found = select(UpstreamIdentity).where(UpstreamIdentity.account_id == account_id)
        return len(session.scalars(found).all())


def change(account_id: str, **columns: Any) -> None:
    with transaction() as session:
        session.execute(update(Account).where(Account.id == account_id).values(**columns))


def test_the_account_with_the_document_is_found_and_linked_once(platform: Platform, li: str) -> None:
    for _ in range(2):
        authenticated = upstream.complete(platform, recognised(platform), ORIGIN)
        assert authenticated == Authenticated(li, TWO_FACTORS, ("pwd",), 1000)
    assert linked(li) == 1
    (link,) = events(platform, "upstream:link")
    assert (link.account_id, link.detail["issuer"]) == (li, ISSUER)
    assert [entry.result for entry in events(platform, "upstream:login")] == ["success", "success"]


def test_the_account_is_told_of_its_first_link_by_sms(platform: Platform, li: str) -> None:
    for _ in range(2):
        upstream.complete(platform, recognised(platform), ORIGIN)
    texts = [message.text for message in outbox.list_recent_sms(platform, 10)]
    assert len([text for text in texts if "已关联国家政务服务平台账号" in text]) == 1


def test_recognising_changes_nothing(platform: Platform, li: str) -> None:
    recognised(platform)
    assert linked(li) == 0
    assert events(platform, "upstream:link") == []


def test_neither_subject_nor_document_can_be_read_in_the_rows_or_the_trail(
    platform: Platform, li: str
) -> None:
    upstream.complete(platform, recognised(platform), ORIGIN)
    with reading() as session:
        row = session.scalars(select(UpstreamIdentity)).one()
    kept = f"{row.subject_index} {[entry.detail for entry in events(platform)]}"
    assert OF_LI.subject not in kept
    assert LI.document_number not in kept
    assert LI.real_name not in kept


def test_an_enterprise_leads_to_its_legal_person_account(platform: Platform, li: str) -> None:
    with transaction() as session:
        owner = add_enterprise(session, platform.keyring.fields, "car_maker").legal_account_id
    assert recognised(platform, OF_CAR_MAKER).account_id == owner


def test_the_representative_s_own_document_never_leads_to_the_enterprise(platform: Platform) -> None:
    with transaction() as session:
        add_enterprise(session, platform.keyring.fields, "car_maker")
    person = Person("id_card", CAR_MAKER.representative_document_number, CAR_MAKER.representative_name)
    assert refused(platform, replace(OF_LI, identity=person)) == "upstream_identity_unknown"


@pytest.mark.parametrize(("assertion", "kind"), [(OF_LI, "person"), (OF_CAR_MAKER, "enterprise")])
def test_nobody_here_has_the_document(platform: Platform, assertion: Assertion, kind: str) -> None:
    refusal = upstream.recognise(platform, assertion, ORIGIN)
    assert isinstance(refusal, Refusal)
    assert refusal == Refusal.of("upstream_identity_unknown", kind=kind)
    assert events(platform, "upstream:login")[-1].account_id is None


def test_the_same_number_of_another_type_is_another_document(platform: Platform, li: str) -> None:
    other = replace(OF_LI, identity=Person("foreigner_residence", LI.document_number, LI.real_name))
    assert refused(platform, other) == "upstream_identity_unknown"


def test_the_number_with_another_name_is_nobody_s(platform: Platform, li: str) -> None:
    other = replace(OF_LI, identity=Person(LI.document_type, LI.document_number, "王示例"))
    assert refused(platform, other) == "upstream_name_differs"


def test_an_account_without_a_name_matches_none(platform: Platform, li: str) -> None:
    change(li, real_name_encrypted=None)
    assert refused(platform, OF_LI) == "upstream_name_differs"


@pytest.mark.parametrize("status", ["frozen", "deleted"])
def test_only_an_active_account_is_signed_in(platform: Platform, li: str, status: str) -> None:
    change(li, status=status)
    expected = {"frozen": "account_frozen", "deleted": "upstream_identity_unknown"}
    assert refused(platform, OF_LI) == expected[status]


def test_an_account_frozen_in_between_is_not_signed_in(platform: Platform, li: str) -> None:
    found = recognised(platform)
    change(li, status="frozen")
    assert upstream.complete(platform, found, ORIGIN) == Refusal.of("account_frozen")
    assert linked(li) == 0


@pytest.mark.parametrize("status", ["dormant", "leaving"])
def test_an_account_that_sleeps_or_is_leaving_can_be_woken_by_what_was_shown(
    platform: Platform, li: str, status: str
) -> None:
    change(li, status=status)
    refusal = upstream.complete(platform, recognised(platform), ORIGIN)
    assert isinstance(refusal, Refusal)
    assert refusal.code == f"account_{status}"
    assert refusal.problems[0].detail["authenticated"] == Authenticated(li, TWO_FACTORS, ("pwd",), 1000)
    assert events(platform, "upstream:login")[-1].result == f"account_{status}"


def test_who_links_a_moment_later_finds_the_link(
    platform: Platform, li: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = recognised(platform)
    completed = upstream._completed
    calls = []

    def once_too_late(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise IntegrityError("INSERT", {}, Exception())
        return completed(*args)

    monkeypatch.setattr(upstream, "_completed", once_too_late)
    assert isinstance(upstream.complete(platform, found, ORIGIN), Authenticated)


def test_who_was_linked_must_still_be_whom_the_document_names(platform: Platform, li: str) -> None:
    with transaction() as session:
        add_person(session, platform.keyring.fields, "wang_shili", WANG)
    upstream.complete(platform, recognised(platform), ORIGIN)
    wang = Person(WANG.document_type, WANG.document_number, WANG.real_name)
    assert refused(platform, replace(OF_LI, identity=wang)) == "upstream_identity_changed"
    stranger = Person("id_card", "990101198506150020", "无名")
    assert refused(platform, replace(OF_LI, identity=stranger)) == "upstream_identity_changed"


def test_a_link_made_in_between_to_somebody_else_holds(platform: Platform, li: str) -> None:
    found = recognised(platform)
    with transaction() as session:
        wang = add_person(session, platform.keyring.fields, "wang_shili", WANG).id
        rows.insert_link(session, ISSUER, found.subject_index, wang, clock.now())
    assert upstream.complete(platform, found, ORIGIN) == Refusal.of("upstream_identity_changed")


def test_a_link_to_a_deleted_account_is_replaced(platform: Platform, li: str) -> None:
    upstream.complete(platform, recognised(platform), ORIGIN)
    change(li, status="deleted", document_index=None)
    with transaction() as session:
        again = add_person(session, platform.keyring.fields, "li_again", LI).id
    assert upstream.complete(platform, recognised(platform), ORIGIN) == Authenticated(
        again, TWO_FACTORS, ("pwd",), 1000
    )
    assert (linked(li), linked(again)) == (0, 1)


def test_an_account_may_be_known_there_by_several_names(platform: Platform, li: str) -> None:
    upstream.complete(platform, recognised(platform), ORIGIN)
    upstream.complete(platform, recognised(platform, replace(OF_LI, subject="sub-new")), ORIGIN)
    assert linked(li) == 2
    with transaction() as session:
        assert rows.find_linked_at(session, ISSUER, li) is not None
        assert rows.find_linked_at(session, "https://other.example", li) is None
        assert rows.delete_links(session, li) == 2


def test_two_windows_at_once_link_once(platform: Platform, li: str) -> None:
    found = recognised(platform)
    results = at_once([lambda: upstream.complete(platform, found, ORIGIN)] * 4)
    assert {type(result) for result in results} == {Authenticated}
    assert linked(li) == 1
    assert len(events(platform, "upstream:link")) == 1


def test_a_level_unknown_here_needs_a_code_and_one_that_is_no_telephone(platform: Platform, li: str) -> None:
    weak = recognised(platform, replace(OF_LI, acr="urn:other:1"))
    assert weak.level is None
    assert upstream.complete(platform, weak, ORIGIN) == Refusal.of("upstream_too_weak")
    assert refused(platform, replace(OF_LI, acr=None, amr=("sms",))) == "upstream_too_weak"


def test_a_right_code_makes_two_factors(platform: Platform, li: str) -> None:
    weak = recognised(platform, replace(OF_LI, acr=None))
    assert upstream.send_code(platform, weak, ORIGIN) is None
    code = outbox.list_recent_sms(platform, 1)[0].code or ""
    strong = upstream.confirm(platform, weak, code, ORIGIN)
    assert isinstance(strong, Recognised)
    assert (strong.level, strong.amr, strong.auth_time) == (TWO_FACTORS, ("pwd", "sms", "mfa"), 1000)
    assert isinstance(upstream.confirm(platform, weak, code, ORIGIN), Refusal)
