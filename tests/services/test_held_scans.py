from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from idp.domain import throttling as limits
from idp.domain.errors import Problem, Refusal
from idp.ephemeral import EphemeralUnavailable
from idp.services import held_scans, real_name
from idp.services.platform import Platform
from idp.services.registry import DemonstrationRegistry
from idp.services.scans import Scan
from idp.storage.database import reading
from idp.storage.enterprises import Upload
from idp.storage.scans import HeldScan
from tests.people import ORIGIN
from tests.services.conftest import MovableClock, at_once
from tests.services.people import LostStore, events
from tests.services.submissions import (
    PNG,
    People,
    account_of,
    add_people,
    code,
    count,
    enterprise,
    person,
    submit,
    submitted,
)

NOTHING = replace(person(), scans=())


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return replace(make_platform(), registry=DemonstrationRegistry())


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def test_a_file_is_kept_when_another_field_was_wrong(platform: Platform, people: People) -> None:
    assert code(submit(platform, people.applicant, person(address=""))) == "required"
    held = held_scans.list_held(platform, people.applicant, "natural_person")
    assert {field: each.filename for field, each in held.items()} == {"document_scan": "both-sides.png"}
    assert held["document_scan"].size > 0
    submitted(platform, people.applicant, NOTHING)
    assert count(HeldScan) == 0
    assert count(Upload) == 1


def test_a_file_is_kept_when_the_registry_knew_better(platform: Platform, people: People) -> None:
    assert code(submit(platform, people.applicant, person(real_name="李例示"))) == "registry_mismatch"
    assert submitted(platform, people.applicant, NOTHING).status == "approved"


def test_a_wrong_file_beside_a_right_one_says_so_and_the_right_one_is_kept(
    platform: Platform, people: People
) -> None:
    both = enterprise()
    wrong = replace(both, scans=(both.scans[0], Scan("licence_scan", "licence.png", b"no picture")))
    outcome = submit(platform, people.applicant, wrong)
    assert isinstance(outcome, Refusal)
    assert outcome.problems == (Problem("scan_type_unknown", "licence_scan"),)
    assert set(held_scans.list_held(platform, people.applicant, "legal_person")) == {"document_scan"}
    assert submitted(platform, people.applicant, replace(both, scans=both.scans[1:])).status == "approved"


def test_a_new_file_takes_the_place_of_the_held_one(platform: Platform, people: People) -> None:
    for name in ("first.png", "second.png"):
        again = replace(person(address=""), scans=(Scan("document_scan", name, PNG),))
        submit(platform, people.applicant, again)
    held = held_scans.list_held(platform, people.applicant, "natural_person")
    assert held["document_scan"].filename == "second.png"
    assert count(HeldScan) == 1


def test_a_wrong_new_file_is_not_covered_up_by_the_held_one(platform: Platform, people: People) -> None:
    submit(platform, people.applicant, person(address=""))
    broken = replace(person(), scans=(Scan("document_scan", "scan.png", PNG[:50]),))
    assert code(submit(platform, people.applicant, broken)) == "scan_unreadable"
    assert count(HeldScan) == 1


def test_a_held_file_is_its_owners_and_of_one_kind_of_person(platform: Platform, people: People) -> None:
    submit(platform, people.applicant, person(address=""))
    (held,) = held_scans.list_held(platform, people.applicant, "natural_person").values()
    assert held_scans.list_held(platform, people.other, "natural_person") == {}
    assert held_scans.list_held(platform, people.applicant, "legal_person") == {}
    assert code(submit(platform, people.other, NOTHING)) == "required"
    for stranger in (people.other, people.admin):
        assert code(held_scans.get_held(platform, held.id, stranger, ORIGIN)) == "not_found"
    assert events(platform, "upload:view") == []
    assert not isinstance(held_scans.get_held(platform, held.id, people.applicant, ORIGIN), Refusal)
    assert [entry.object_id for entry in events(platform, "upload:view")] == [held.id]


def test_after_an_hour_it_is_forgotten(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    submit(platform, people.applicant, person(address=""))
    (held,) = held_scans.list_held(platform, people.applicant, "natural_person").values()
    moving_clock.advance(hours=1)
    assert held_scans.list_held(platform, people.applicant, "natural_person") == {}
    assert code(held_scans.get_held(platform, held.id, people.applicant, ORIGIN)) == "not_found"
    assert code(submit(platform, people.applicant, NOTHING)) == "required"


def test_name_and_content_are_encrypted_at_rest(platform: Platform, people: People) -> None:
    submit(platform, people.applicant, person(address=""))
    with reading() as session:
        row = session.scalars(select(HeldScan)).one()
    assert "both-sides" not in row.filename_encrypted
    assert b"PNG" not in row.content_encrypted


def test_of_two_browsers_at_once_one_file_is_held(platform: Platform, people: People) -> None:
    at_once([lambda: submit(platform, people.applicant, person(address=""))] * 4)
    assert count(HeldScan) == 1


def test_files_may_be_held_before_the_form_is_looked_at(platform: Platform, people: People) -> None:
    assert real_name.hold(platform, people.applicant, person(address=""), ORIGIN) is None
    broken = replace(person(), scans=(Scan("document_scan", "scan.png", b""),))
    assert code(real_name.hold(platform, people.applicant, broken, ORIGIN)) == "required"
    assert count(HeldScan) == 1
    assert account_of(people.applicant).verification_status == "unverified"


def test_an_account_sends_only_so_many_files(
    platform: Platform, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPLOADS_OF_ACCOUNT", replace(limits.UPLOADS_OF_ACCOUNT, most=2))
    for _ in range(2):
        assert code(submit(platform, people.applicant, person(address=""))) == "required"
    outcome = submit(platform, people.applicant, person(address=""))
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.retry_after) == ("upload_limit", 3600)
    assert code(real_name.hold(platform, people.applicant, person(), ORIGIN)) == "upload_limit"
    assert submitted(platform, people.applicant, NOTHING).status == "approved"  # what is held counts no more
    assert submitted(platform, people.other, enterprise()).status == "approved"


def test_bytes_count_as_well(platform: Platform, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    most = replace(limits.UPLOADED_BYTES_OF_ACCOUNT, most=len(PNG))
    monkeypatch.setattr(limits, "UPLOADED_BYTES_OF_ACCOUNT", most)
    assert code(submit(platform, people.applicant, person(address=""))) == "required"
    assert code(submit(platform, people.applicant, person(address=""))) == "upload_limit"


def test_without_the_short_lived_store_no_file_is_looked_at(platform: Platform, people: People) -> None:
    with pytest.raises(EphemeralUnavailable):
        submit(replace(platform, ephemeral=LostStore()), people.applicant, person())
    assert count(HeldScan) == count(Upload) == 0
