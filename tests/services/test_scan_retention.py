from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from idp import clock
from idp.domain.audit import internal_origin
from idp.services import real_name, reviews, scan_retention
from idp.services.platform import Platform
from idp.services.registry import DemonstrationRegistry
from idp.services.reviews import UploadView
from idp.storage.database import transaction
from idp.storage.enterprises import Upload
from idp.storage.scans import HeldScan
from tests.people import ORIGIN
from tests.services.conftest import MovableClock, at_once
from tests.services.people import events
from tests.services.submissions import (
    People,
    add_people,
    code,
    count,
    decide,
    enterprise,
    person,
    submit,
    submitted,
)

WORKER = internal_origin("worker")


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return replace(make_platform(), registry=DemonstrationRegistry())


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def purge(platform: Platform) -> int:
    return scan_retention.purge(platform, clock.now(), WORKER)


def test_scans_end_thirty_days_after_the_decision(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    outcome = submitted(platform, people.applicant, enterprise(manual=True))
    moving_clock.advance(days=40)
    assert purge(platform) == 0  # nobody has decided
    decide(platform, people, outcome.application_id, "reject", "不清晰")
    moving_clock.advance(days=29, hours=23)
    assert purge(platform) == 0
    moving_clock.advance(hours=2)
    assert purge(platform) == 2
    assert count(Upload) == 0
    trail = events(platform, "upload:delete")
    assert {entry.account_id for entry in trail} == {people.applicant}
    assert {str(entry.detail["reason"]) for entry in trail} == {"retention"}


def test_a_match_at_once_is_a_decision(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    submitted(platform, people.applicant, person())
    moving_clock.advance(days=31)
    assert purge(platform) == 1


def test_with_no_days_scans_end_with_the_decision(
    make_platform: Callable[..., Platform], moving_clock: MovableClock
) -> None:
    strict = replace(make_platform(scan_retention_days=0), registry=DemonstrationRegistry())
    people = add_people(strict)
    submitted(strict, people.other, enterprise())
    assert count(Upload) == 0
    outcome = submitted(strict, people.applicant, person(manual=True))
    assert count(Upload) == 1
    decide(strict, people, outcome.application_id, "approve", None)
    assert count(Upload) == 0


def test_a_decision_that_is_refused_deletes_nothing(make_platform: Callable[..., Platform]) -> None:
    strict = replace(make_platform(scan_retention_days=0), registry=DemonstrationRegistry())
    people = add_people(strict)
    outcome = submitted(strict, people.applicant, person(manual=True))
    refusal = real_name.decide(strict, outcome.application_id, "reject", "", people.admin, ORIGIN)
    assert refusal is not None
    assert count(Upload) == 1


def test_many_are_deleted_in_batches_and_each_once(
    platform: Platform, people: People, moving_clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_retention, "BATCH", 1)
    submitted(platform, people.applicant, enterprise())
    submitted(platform, people.other, person())
    moving_clock.advance(days=31)
    deleted = sum(at_once([lambda: purge(platform)] * 3))  # two that choose the same one: one deletes it
    while again := purge(platform):
        deleted += again
    assert deleted == 3
    assert len(events(platform, "upload:delete")) == 3


def test_what_was_held_for_nothing_ends_too(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    submit(platform, people.applicant, person(address=""))
    assert purge(platform) == 0
    moving_clock.advance(hours=1, seconds=1)
    assert purge(platform) == 1
    assert count(HeldScan) == 0


def test_with_an_account_all_its_scans_go(platform: Platform, people: People) -> None:
    submitted(platform, people.applicant, person(manual=True))
    submit(platform, people.applicant, enterprise(address=""))
    submit(platform, people.other, person(address=""))
    with transaction() as session:
        assert scan_retention.delete_of_account(session, people.applicant, ORIGIN) == 1
    assert count(Upload) == 0
    assert count(HeldScan) == 1
    assert [entry.detail["reason"] for entry in events(platform, "upload:delete")] == ["account_deleted"]


def test_an_owner_sees_the_own_scans_until_when_they_are_kept(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    outcome = submitted(platform, people.applicant, person(manual=True))
    (own,) = reviews.list_own_uploads(platform, people.applicant)
    assert own.kept_until is None
    assert reviews.list_own_uploads(platform, people.other) == []
    decide(platform, people, outcome.application_id, "approve", None)
    (own,) = reviews.list_own_uploads(platform, people.applicant)
    assert own.kept_until is not None
    assert (own.kept_until - clock.now()).days == 30
    assert code(reviews.get_own_upload(platform, own.id, people.other, ORIGIN)) == "not_found"
    assert code(reviews.get_own_upload(platform, own.id, people.admin, ORIGIN)) == "not_found"
    assert events(platform, "upload:view") == []
    seen = reviews.get_own_upload(platform, own.id, people.applicant, ORIGIN)
    assert isinstance(seen, UploadView)
    assert seen.content.startswith(b"\x89PNG")
    assert [entry.account_id for entry in events(platform, "upload:view")] == [people.applicant]
    moving_clock.advance(days=31)
    purge(platform)
    assert code(reviews.get_own_upload(platform, own.id, people.applicant, ORIGIN)) == "not_found"
    assert reviews.list_own_uploads(platform, people.applicant) == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_was_deleted_is_not_left_in_the_file(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    submitted(platform, people.applicant, person())
    with transaction() as session:
        sealed = session.scalars(select(Upload.content_encrypted)).one()
        file = Path(session.get_bind().engine.url.database or "")
    assert sealed in _at_rest(file)
    moving_clock.advance(days=31)
    assert purge(platform) == 1
    assert sealed[20:60] not in _at_rest(file)


def _at_rest(file: Path) -> bytes:
    """The whole of the file, after what was written ahead has been carried over."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    return file.read_bytes()
