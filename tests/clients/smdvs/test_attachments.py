"""Attachments: sealed at rest, whole or an error, of one report only, gone when nobody wants them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import text

from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.rp.sealed import Sealer
from clients.smdvs import attachments
from clients.smdvs.attachment_kinds import MAX_A_REPORT, MAX_BYTES
from clients.smdvs.attachments import UNCLAIMED_TTL, Damaged, Kept, Upload
from clients.smdvs.documents import Fault
from clients.smdvs.storage.reports import get_report
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import system_of
from tests.clients.files import archive, picture
from tests.clients.life import REPORTER, brought_to
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE

OWNER = Owner(REPORTER.sub, ENTERPRISE)
FORM = "a" * 22
# Three pieces that don't compress: a picture with something behind it.
LARGE = picture("JPEG") + os.urandom(2 * 1024 * 1024 + 12345)


# Puts another piece in the place of one.
OTHER_PIECE = (
    "UPDATE attachment_chunks SET sealed = (SELECT sealed FROM attachment_chunks"
    " WHERE attachment_id = {of} AND number = {piece}) WHERE attachment_id = :id AND number = :n"
)


class Undone(Exception):
    """Rolls a transaction back."""


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def keep(
    system: System,
    content: bytes = LARGE,
    filename: str = "王某现场.jpg",
    kind: str = "site_photo",
    draft_id: str | None = FORM,
    owner: Owner = OWNER,
) -> Kept | Fault:
    return attachments.keep_upload(system, owner, draft_id, Upload(filename, content), kind, clock.now())


def kept(outcome: Kept | Fault) -> Kept:
    assert isinstance(outcome, Kept), outcome
    return outcome


def report_id(system: System, report_no: str) -> int:
    with system.database.reading() as session:
        return get_report(session, report_no).id


def claim(system: System, report_no: str, *ids: str) -> object:
    """As a submission does it: what can't be claimed as a whole is rolled back."""
    number = report_id(system, report_no)
    outcome: object = None
    with suppress(Undone), system.database.transaction() as session:
        outcome = attachments.claim(system, session, ids, REPORTER, number, clock.now())
        if isinstance(outcome, Fault):
            raise Undone
    return outcome


def drain(pieces: Iterator[bytes], given: bytearray) -> None:
    for piece in pieces:
        given += piece


def codes(outcome: object) -> str:
    assert isinstance(outcome, Fault), outcome
    assert outcome.name == "attachments"
    return outcome.code


def stored(system: System, table: str = "attachment_chunks") -> int:
    with system.database.reading() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a test's table


def test_a_file_comes_back_as_it_was(system: System) -> None:
    one = kept(keep(system))
    assert b"".join(attachments.content(system, one)) == LARGE
    assert (one.filename, one.content_type, one.size) == ("王某现场.jpg", "image/jpeg", len(LARGE))
    assert attachments.of_draft(system, OWNER, FORM, clock.now()) == [one]
    assert attachments.find_own(system, OWNER, one.id, clock.now()) == one


def test_the_database_shows_neither_content_nor_name(system: System) -> None:
    kept(keep(system))
    with system.database.engine.connect() as connection:
        whole = connection.exec_driver_sql("SELECT sealed FROM attachment_chunks").all()
        listed = str(connection.exec_driver_sql("SELECT * FROM attachments").all())
    assert all(LARGE[:64] not in bytes(row[0]) for row in whole)
    assert "王某" not in listed


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        OTHER_PIECE.format(of=":other", piece=":n"),
        OTHER_PIECE.format(of=":id", piece="(:n + 1) % 3 AND :other <> ''"),
        "DELETE FROM attachment_chunks WHERE attachment_id = :id AND number = :n AND :other <> ''",
        "UPDATE attachments SET size = size - 1048576 WHERE id = :id AND :n >= 0 AND :other <> ''",
        "UPDATE attachments SET sha256 = 'f' WHERE id = :id AND :n >= 0 AND :other <> ''",
    ],
)
def test_pieces_that_were_changed_moved_dropped_or_shortened_end_in_an_error(
    system: System, change: str, number: int
) -> None:
    one, other = kept(keep(system)), kept(keep(system))
    with system.database.transaction() as session:
        session.execute(text(change), {"id": one.id, "other": other.id, "n": number})
    row = attachments.find_own(system, OWNER, one.id, clock.now())
    assert row is not None
    given = bytearray()
    with pytest.raises(Damaged):
        drain(attachments.content(system, row), given)
    assert len(given) < len(LARGE)
    assert LARGE.startswith(bytes(given))


@pytest.mark.parametrize(
    ("content", "filename", "kind", "code"),
    [
        (b"", "a.jpg", "site_photo", "attachment_empty"),
        (picture() + b"\0" * MAX_BYTES, "a.png", "site_photo", "attachment_too_large"),
        (picture(), "a.png", "", "attachment_kind_missing"),
        (picture(), "a.png", "photo", "attachment_kind_missing"),
        (picture(), "a.jpg", "site_photo", "attachment_name_mismatch"),
        (picture(), "a.png.exe", "site_photo", "attachment_name_mismatch"),
        (archive(), "a.zip", "site_photo", "attachment_type_not_allowed"),
        (archive(), "a.zip", "investigation_report", "attachment_type_not_allowed"),
    ],
)
def test_what_is_refused_leaves_nothing(
    system: System, content: bytes, filename: str, kind: str, code: str
) -> None:
    assert codes(keep(system, content, filename, kind)) == code
    assert stored(system) == stored(system, "attachments") == 0


def test_exactly_twenty_megabytes_are_kept(system: System) -> None:
    content = picture() + bytes(MAX_BYTES - len(picture()))
    one = kept(keep(system, content, "a.png"))
    assert b"".join(attachments.content(system, one)) == content


def test_a_form_takes_so_many_files_and_no_more(system: System) -> None:
    small = picture()
    for _ in range(MAX_A_REPORT):
        kept(keep(system, small, "a.png"))
    assert codes(keep(system, small, "a.png")) == "attachment_too_many"
    kept(keep(system, small, "a.png", draft_id="b" * 22))


def test_a_persons_unclaimed_files_are_counted_over_all_forms(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_UNCLAIMED", 2)
    for _ in range(2):
        kept(keep(system, picture(), "a.png", draft_id=None))
    assert codes(keep(system, picture(), "a.png")) == "attachment_too_many"


def test_a_claimed_file_belongs_to_its_report_for_those_who_may_read_it(system: System) -> None:
    one = kept(keep(system))
    report_no = brought_to(system, Status.INITIAL_SUBMITTED)
    assert claim(system, report_no, one.id, one.id) == [one.entry]
    reader = Reader("person-2", ENTERPRISE)
    assert attachments.find_in_report(system, reader, report_no, one.id) == one
    assert attachments.find_in_report(system, Reader("regulator-1", None), report_no, one.id) == one
    assert attachments.find_in_report(system, Reader("alien", OTHER_ENTERPRISE), report_no, one.id) is None
    other = brought_to(system, Status.INITIAL_SUBMITTED)
    assert attachments.find_in_report(system, reader, other, one.id) is None
    assert attachments.find_own(system, OWNER, one.id, clock.now()) is None
    assert attachments.of_draft(system, OWNER, FORM, clock.now()) == []
    assert attachments.of_report(system, report_id(system, report_no)) == [one]
    assert not attachments.remove(system, OWNER, one.id, clock.now())


def test_what_is_not_theirs_or_taken_or_unknown_is_not_claimed_and_nothing_beside_it(system: System) -> None:
    mine, taken = kept(keep(system)), kept(keep(system))
    alien = kept(keep(system, owner=Owner("person-2", ENTERPRISE)))
    elsewhere = kept(keep(system, owner=Owner(REPORTER.sub, OTHER_ENTERPRISE)))
    report_no, other = (brought_to(system, Status.INITIAL_SUBMITTED) for _ in range(2))
    claim(system, other, taken.id)
    for bad in (alien.id, elsewhere.id, taken.id, "unknown", ""):
        assert codes(claim(system, report_no, mine.id, bad)) == "attachment_gone"
    assert attachments.of_report(system, report_id(system, report_no)) == []
    assert attachments.find_own(system, OWNER, mine.id, clock.now()) == mine


def test_a_report_takes_so_many_files_and_no_more(system: System) -> None:
    report_no = brought_to(system, Status.INITIAL_SUBMITTED)
    ids = [kept(keep(system, picture(), "a.png")).id for _ in range(MAX_A_REPORT)]
    claim(system, report_no, *ids)
    one = kept(keep(system, picture(), "a.png"))
    assert codes(claim(system, report_no, one.id)) == "attachment_too_many"


def test_of_two_reports_that_want_a_file_at_once_one_gets_it(system: System) -> None:
    numbers = [brought_to(system, Status.INITIAL_SUBMITTED) for _ in range(2)]
    for _ in range(5):
        ids = [kept(keep(system, picture(), "a.png")).id for _ in range(2)]
        start = Barrier(2)

        def take(report_no: str, wanted: list[str] = ids, start: Barrier = start) -> object:
            start.wait()
            return claim(system, report_no, *wanted)

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(take, numbers))
        assert sorted(isinstance(outcome, list) for outcome in outcomes) == [False, True]


def test_its_owner_alone_removes_a_file(system: System) -> None:
    one = kept(keep(system))
    for stranger in (Owner("person-2", ENTERPRISE), Owner(OWNER.sub, OTHER_ENTERPRISE)):
        assert not attachments.remove(system, stranger, one.id, clock.now())
        assert attachments.find_own(system, stranger, one.id, clock.now()) is None
    assert attachments.remove(system, OWNER, one.id, clock.now())
    assert not attachments.remove(system, OWNER, one.id, clock.now())
    assert stored(system) == stored(system, "attachments") == 0


def test_what_nobody_claims_is_gone_after_its_time_and_not_before(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "PURGE_BATCH", 2)
    report_no = brought_to(system, Status.INITIAL_SUBMITTED)
    one, *_ = [kept(keep(system, picture(), "a.png")) for _ in range(6)]
    claim(system, report_no, one.id)
    assert attachments.purge(system, clock.now()) == 0
    later = clock.now() + UNCLAIMED_TTL
    assert attachments.of_draft(system, OWNER, FORM, later) == []
    assert attachments.purge(system, later) == 5
    assert stored(system) == stored(system, "attachments") == 1


def test_a_name_that_can_no_longer_be_opened_hides_nothing_else(system: System) -> None:
    kept(keep(system))
    another = replace(system, fields=Sealer({"x": b"x" * 32}, "x", b"x" * 32))
    (one,) = attachments.of_draft(another, OWNER, FORM, clock.now())
    assert one.filename == attachments.UNREADABLE_NAME
    with pytest.raises(Damaged):
        list(attachments.content(another, one))


def test_half_a_file_is_never_there(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = system.fields.seal_bytes

    def broken(content: bytes, context: str) -> bytes:
        if ":2/" in context:
            raise RuntimeError("gone in the middle")
        return seal(content, context)

    monkeypatch.setattr(system.fields, "seal_bytes", broken)
    with pytest.raises(RuntimeError):
        keep(system)
    assert stored(system) == stored(system, "attachments") == 0
