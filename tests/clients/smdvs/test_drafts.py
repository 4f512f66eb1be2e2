"""Drafts: whose they are, which window wins, how many, and when they are gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.entitlement import Reporter
from clients.rp.sealed import Sealer
from clients.smdvs import drafts, submissions
from clients.smdvs.drafts import DRAFT_TTL, MAX_DRAFT_BYTES, MAX_DRAFTS, Kept, NotKept, Seen
from clients.smdvs.forms import Fields
from clients.smdvs.lifecycle import Act
from clients.smdvs.report import CHINA_TIME, Report
from clients.smdvs.system import System
from clients.smdvs.tickets import FIRST, Owner, Sheet
from clients.smdvs.versions import Origin
from tests.clients.conftest import system_of
from tests.clients.documents import report_json
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE

OWNER = Owner("person-1", ENTERPRISE)
HERE, THERE = Seen(0, "window-1"), Seen(0, "window-2")


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def keep(
    system: System,
    draft_id: str,
    fields: Fields | None = None,
    seen: Seen = HERE,
    owner: Owner = OWNER,
    now: datetime | None = None,
) -> Kept | NotKept:
    fields = {"narrative": "写了一半"} if fields is None else fields
    return drafts.keep(system, owner, draft_id, FIRST, fields, seen, now or clock.now())


def kept(outcome: Kept | NotKept) -> Kept:
    assert isinstance(outcome, Kept)
    return outcome


def typed(system: System, draft_id: str) -> Fields:
    draft = drafts.find(system, OWNER, draft_id)
    assert draft is not None
    assert draft.fields is not None
    return draft.fields


def submit(system: System, key: str) -> None:
    reporter = Reporter(
        OWNER.sub, system.client.client_id, "handler", ENTERPRISE, handler_authorization_id="authorization-1"
    )
    report = Report.model_validate(report_json(), context={"now": clock.now()})
    outcome = submissions.submit_initial(system, reporter, report, Origin("browser"), key, clock.now())
    assert isinstance(outcome, submissions.Accepted)


def test_what_was_typed_comes_back_as_it_was(system: System) -> None:
    draft_id = drafts.new_id()
    fields = {"narrative": "第一行\n第二行 <b>", "deaths": "许多", "vehicles-0-owner_name": "车主示例"}
    assert kept(keep(system, draft_id, fields)).revision == 1
    assert typed(system, draft_id) == fields


def test_the_database_does_not_show_what_was_typed(system: System) -> None:
    keep(system, drafts.new_id(), {"vehicles-0-owner_name": "车主示例", "reporter_phone": "19900000001"})
    with system.database.engine.connect() as connection:
        everything = str(connection.exec_driver_sql("SELECT * FROM drafts").all())
    assert "车主示例" not in everything
    assert "19900000001" not in everything


def test_a_draft_knows_when_the_accident_was_if_the_form_says_so(system: System) -> None:
    now = clock.now()
    yesterday = (now - timedelta(days=1)).astimezone(CHINA_TIME).replace(second=0, microsecond=0)
    said, unsaid, absurd = (drafts.new_id() for _ in range(3))
    keep(system, said, {"occurred_at": f"{yesterday:%Y-%m-%dT%H:%M}"})
    keep(system, unsaid, {})
    keep(system, absurd, {"occurred_at": "昨天"})
    times = {draft.row.id: draft.row.occurred_at for draft in drafts.list_of(system, OWNER)}
    assert times == {said: yesterday, unsaid: None, absurd: None}


@pytest.mark.parametrize(
    "stranger", [Owner("person-2", ENTERPRISE), Owner("person-1", OTHER_ENTERPRISE), Owner("", "")]
)
def test_a_draft_is_nobody_elses(system: System, stranger: Owner) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id)
    assert drafts.find(system, stranger, draft_id) is None
    assert drafts.list_of(system, stranger) == []
    assert keep(system, draft_id, {"narrative": "别人的"}, Seen(1, "window-1"), stranger) is NotKept.NOT_YOURS
    assert not drafts.delete(system, stranger, draft_id)
    assert typed(system, draft_id) == {"narrative": "写了一半"}


def test_only_its_writer_learns_for_which_enterprise_a_draft_is(system: System) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id)
    assert drafts.enterprise_of(system, "person-1", draft_id) == ENTERPRISE
    assert drafts.enterprise_of(system, "person-2", draft_id) is None


def test_a_window_writes_over_what_it_wrote_itself(system: System) -> None:
    draft_id = drafts.new_id()
    revisions = [kept(keep(system, draft_id, {"deaths": str(n)})).revision for n in range(3)]
    assert revisions == [1, 2, 3]
    assert typed(system, draft_id) == {"deaths": "2"}


def test_of_two_windows_the_later_does_not_lose_what_the_other_wrote(system: System) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id, {"deaths": "1"})
    assert keep(system, draft_id, {"deaths": "2"}, replace(THERE, revision=1)) == Kept(
        draft_id, 2, drafts.list_of(system, OWNER)[0].row.updated_at
    )
    stale = replace(HERE, revision=1)
    assert drafts.is_outdated(system, OWNER, draft_id, stale)
    assert keep(system, draft_id, {"deaths": "3"}, stale) is NotKept.NEWER
    assert typed(system, draft_id) == {"deaths": "2"}
    assert kept(keep(system, draft_id, {"deaths": "3"}, replace(HERE, revision=2))).revision == 3


def test_two_windows_at_once_one_of_them_wins(system: System) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id, {"deaths": "0"})
    windows = [Seen(1, f"window-{n}") for n in range(2, 8)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda seen: keep(system, draft_id, {"deaths": seen.window}, seen), windows))
    winners = [seen for seen, outcome in zip(windows, outcomes, strict=True) if isinstance(outcome, Kept)]
    assert len(winners) == 1
    assert set(outcomes) - {outcomes[windows.index(winners[0])]} == {NotKept.NEWER}
    assert typed(system, draft_id) == {"deaths": winners[0].window}


def test_a_first_save_sent_twice_at_once_begins_one_draft(system: System) -> None:
    draft_id = drafts.new_id()
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: keep(system, draft_id), range(4)))
    assert sorted(kept(outcome).revision for outcome in outcomes) == [1, 2, 3, 4]


def test_a_draft_that_is_gone_is_not_begun_again_by_an_old_window(system: System) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id)
    assert drafts.delete(system, OWNER, draft_id)
    assert not drafts.delete(system, OWNER, draft_id)
    assert keep(system, draft_id, seen=Seen(1, "window-1")) is NotKept.GONE
    assert drafts.count_of(system, OWNER) == 0


def test_a_submission_takes_its_draft_with_it(system: System) -> None:
    draft_id, other = drafts.new_id(), drafts.new_id()
    keep(system, draft_id)
    keep(system, other)
    submit(system, draft_id)
    assert [draft.row.id for draft in drafts.list_of(system, OWNER)] == [other]
    assert keep(system, draft_id) is NotKept.GONE


def test_a_submission_leaves_a_stranger_s_draft_alone(system: System) -> None:
    draft_id, stranger = drafts.new_id(), Owner("person-2", ENTERPRISE)
    keep(system, draft_id, owner=stranger)
    submit(system, draft_id)
    assert drafts.count_of(system, stranger) == 1


def test_one_draft_too_many_is_refused_and_none_is_lost(system: System) -> None:
    first = drafts.new_id()
    keep(system, first)
    for _ in range(MAX_DRAFTS - 1):
        assert isinstance(keep(system, drafts.new_id()), Kept)
    assert keep(system, drafts.new_id()) is NotKept.FULL
    assert keep(system, drafts.new_id(), owner=Owner("person-1", OTHER_ENTERPRISE)) is NotKept.FULL
    assert isinstance(keep(system, drafts.new_id(), owner=Owner("person-2", ENTERPRISE)), Kept)
    assert kept(keep(system, first)).revision == 2
    assert drafts.count_of(system, OWNER) == MAX_DRAFTS


def test_many_first_saves_at_once_do_not_pass_the_limit(system: System) -> None:
    for _ in range(MAX_DRAFTS - 2):
        keep(system, drafts.new_id())
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda _: keep(system, drafts.new_id()), range(6)))
    assert outcomes.count(NotKept.FULL) == 4
    assert drafts.count_of(system, OWNER) == MAX_DRAFTS


def test_an_oversized_draft_is_refused(system: System) -> None:
    draft_id = drafts.new_id()
    assert keep(system, draft_id, {"narrative": "x" * MAX_DRAFT_BYTES}) is NotKept.TOO_LARGE
    assert keep(system, draft_id, {"narrative": "字" * (MAX_DRAFT_BYTES // 3)}) is NotKept.TOO_LARGE
    assert drafts.count_of(system, OWNER) == 0


def test_drafts_end_thirty_days_after_the_last_change(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PURGE_BATCH", 2)
    now = clock.now()
    old, changed = drafts.new_id(), drafts.new_id()
    for draft_id in (old, changed, drafts.new_id(), drafts.new_id()):
        keep(system, draft_id, now=now)
    keep(system, changed, now=now + timedelta(days=1))
    assert drafts.purge(system, now + DRAFT_TTL - timedelta(seconds=1)) == 0
    assert drafts.purge(system, now + DRAFT_TTL) == 3
    assert [draft.row.id for draft in drafts.list_of(system, OWNER)] == [changed]


def test_a_draft_sealed_with_a_lost_key_is_there_and_says_nothing(system: System) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id)
    another = replace(system, fields=Sealer({"x": b"x" * 32}, "x", b"x" * 32))
    (draft,) = drafts.list_of(another, OWNER)
    assert draft.fields is None


def test_a_draft_of_a_later_act_knows_its_report_and_version(system: System) -> None:
    draft_id, sheet = drafts.new_id(), Sheet(Act.SUPPLEMENT, "SMDVS-20261123-0001")
    drafts.keep(system, OWNER, draft_id, sheet, {"base_version": "3"}, HERE, clock.now())
    draft = drafts.find(system, OWNER, draft_id)
    assert draft is not None
    assert draft.sheet == sheet
    assert draft.row.base_version == 3


@pytest.mark.parametrize("base", ["", "x", "-1", "9" * 30, "٣"])
def test_a_strange_base_version_is_none(system: System, base: str) -> None:
    draft_id = drafts.new_id()
    keep(system, draft_id, {"base_version": base})
    assert drafts.list_of(system, OWNER)[0].row.base_version is None


def test_ids_have_the_form_that_the_addresses_take() -> None:
    assert all(drafts.DRAFT_ID.fullmatch(drafts.new_id()) for _ in range(50))
