from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import update

from idp import clock
from idp.domain.agreements import AGREED, CURRENT
from idp.domain.errors import Refusal
from idp.services import (
    agreements,
    authentication,
    handlers,
    identity_consent,
    outbox,
    real_name,
    registration,
)
from idp.services.platform import Platform
from idp.services.registration import AccountView
from idp.storage.accounts import Account
from idp.storage.agreements import Agreement
from idp.storage.database import reading, transaction
from idp.storage.enterprises import RealNameApplication, Upload
from tests.people import CAR_MAKER, LI
from tests.services import submissions
from tests.services.authorising import FORM
from tests.services.conftest import at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PHONE,
    account,
    events,
    give_identity,
    open_login,
    password_hash,
)
from tests.services.submissions import account_of, count


def documents(account_id: str) -> list[tuple[str, str]]:
    return [(one.document, one.version) for one in agreements.list_of_account(account_id) if one.current]


def make_old(account_id: str) -> None:
    """As if the texts had changed since."""
    with transaction() as session:
        session.execute(update(Agreement).where(Agreement.document == "privacy").values(version="2020-01-01"))
        session.execute(update(Account).where(Account.id == account_id).values(agreed_versions="old"))


def test_registering_agrees_with_version_and_time(platform: Platform) -> None:
    account_id = account(platform)
    assert sorted(documents(account_id)) == [("privacy", CURRENT["privacy"]), ("terms", CURRENT["terms"])]
    (registered,) = events(platform, "account:register")
    assert registered.detail["agreed"] == AGREED


def test_a_registration_that_fails_agrees_to_nothing(platform: Platform) -> None:
    account(platform)
    view = AccountView("b" * 22, "bobby_1", PHONE, "bobby@example.com")
    assert isinstance(registration.create_account(platform, view, password_hash(), ORIGIN), Refusal)
    assert count(Agreement) == 2


def test_a_new_version_is_agreed_to_once(platform: Platform) -> None:
    account_id = account(platform)
    make_old(account_id)
    assert agreements.list_outstanding(account_id) == ("privacy",)
    at_once([partial(agreements.accept, account_id, ORIGIN)] * 3)
    assert account_of(account_id).agreed_versions == AGREED
    versions = [one.version for one in agreements.list_of_account(account_id) if one.document == "privacy"]
    assert versions == [CURRENT["privacy"], "2020-01-01"]


def test_the_consent_for_identity_documents_stands_apart_and_once(platform: Platform) -> None:
    account_id = account(platform)
    assert "identity" not in dict(documents(account_id))
    at_once([partial(agreements.consent_to_identity, account_id, ORIGIN)] * 3)
    assert [one for one in documents(account_id) if one[0] == "identity"] == [
        ("identity", CURRENT["identity"])
    ]


def test_taking_it_back_deletes_the_identity_and_what_rests_on_it(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    give_identity(platform, bob, CAR_MAKER)
    agreements.consent_to_identity(alice, ORIGIN)
    submissions.submitted(platform, alice, submissions.person(manual=True))
    give_identity(platform, alice, LI)
    applied = handlers.apply(platform, alice, FORM, ORIGIN)
    assert not isinstance(applied, Refusal)
    handlers.decide(platform, bob, applied.id, "approve", ORIGIN)
    token = open_login(platform, alice)[0]

    assert identity_consent.withdraw(platform, alice, ORIGIN) is None

    row = account_of(alice)
    assert (row.verification_status, row.subject_type, row.status) == ("unverified", None, "active")
    blank = (
        row.real_name_encrypted,
        row.document_number_encrypted,
        row.document_index,
        row.address_encrypted,
    )
    assert blank == (None, None, None, None)
    assert (count(Upload), count(RealNameApplication)) == (0, 0)
    assert handlers.acting_candidates(platform, alice, clock.now()) == []
    (view,) = handlers.list_of_account(platform, alice)
    assert (view.status, view.reason_code) == ("revoked", "identity_withdrawn")
    assert "identity" not in dict(documents(alice))
    login = authentication.find_login(platform, token)
    assert login is not None
    assert login.renewal_due
    told = {(sent.phone, sent.purpose) for sent in outbox.list_recent_sms(platform)}
    assert {(PHONE, "identity_withdrawn"), (OTHER_PHONE, "handler_gone")} <= told


def test_afterwards_one_may_consent_and_be_verified_again(platform: Platform) -> None:
    account_id = account(platform)
    agreements.consent_to_identity(account_id, ORIGIN)
    give_identity(platform, account_id, LI)
    identity_consent.withdraw(platform, account_id, ORIGIN)
    agreements.consent_to_identity(account_id, ORIGIN)
    states = [one.withdrawn_at is None for one in agreements.list_of_account(account_id)][:2]
    assert states == [True, False]
    outcome = submissions.submit(platform, account_id, submissions.person())
    assert isinstance(outcome, real_name.SubmissionOutcome)


def test_a_submission_under_review_goes_too(platform: Platform) -> None:
    account_id = account(platform)
    submissions.submitted(platform, account_id, submissions.person(manual=True))
    identity_consent.withdraw(platform, account_id, ORIGIN)
    assert account_of(account_id).verification_status == "unverified"
    assert real_name.list_pending(platform, 1) == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_an_enterprises_account_is_deleted_instead(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, CAR_MAKER)
    refused = identity_consent.withdraw(platform, account_id, ORIGIN)
    assert refused is not None
    assert refused.code == "identity_of_enterprise"
    with reading() as session:
        assert session.get_one(Account, account_id).verification_status == "verified"
