from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from idp.domain.audit import FIRST_LINK, AuditEvent, Entry, Origin, internal_origin, sealed_form

ENTRY = Entry(
    id=7,
    occurred_at=datetime(2026, 11, 23, 8, 0, 0, 5, tzinfo=UTC),
    event="login:success",
    account_id="account",
    enterprise_id=None,
    client_id=None,
    object_id="sid",
    result="success",
    address="192.0.2.7",
    request_id="request-1",
    detail={"b": "二", "a": 1},
)


def test_every_event_is_an_area_and_an_action_and_fits_its_column() -> None:
    for event in AuditEvent:
        area, _, action = event.value.partition(":")
        assert area, event
        assert action, event
        assert len(event.value) <= 64


def test_origin_holds_no_more_than_a_row_can() -> None:
    origin = Origin("a" * 100, "u" * 1000, "r" * 100)
    assert (len(origin.address), len(origin.user_agent), len(origin.request_id)) == (64, 300, 64)


def test_origin_replaces_what_a_database_or_a_log_would_stumble_over() -> None:
    assert Origin("192.0.2.7", "Evil\x00\r\n\ud800/1.0", "id").user_agent == "Evil????/1.0"


def test_internal_origin_names_the_part_of_the_program() -> None:
    assert internal_origin("worker") == Origin("", "worker", "")


def test_a_seal_covers_each_field_its_place_and_the_seal_before() -> None:
    whole = sealed_form(FIRST_LINK, 1, ENTRY)
    changed = [
        sealed_form("1" * 64, 1, ENTRY),
        sealed_form(FIRST_LINK, 2, ENTRY),
        *(sealed_form(FIRST_LINK, 1, replace(ENTRY, **{name: other})) for name, other in _others().items()),
    ]
    assert len({whole, *changed}) == len(changed) + 1


def _others() -> dict[str, Any]:
    texts = (
        "event",
        "account_id",
        "enterprise_id",
        "client_id",
        "object_id",
        "result",
        "address",
        "request_id",
    )
    others: dict[str, Any] = dict.fromkeys(texts, "other")
    return others | {"id": 8, "occurred_at": datetime(2026, 11, 23, 8, 0, 0, 6, tzinfo=UTC), "detail": {}}


@pytest.mark.parametrize("detail", [{"b": "二", "a": 1}, {"a": 1, "b": "二"}])
def test_the_sealed_form_does_not_depend_on_the_order_of_details(detail: dict[str, object]) -> None:
    form = sealed_form(FIRST_LINK, 1, replace(ENTRY, detail=detail))
    assert form == sealed_form(FIRST_LINK, 1, ENTRY)
    assert json.loads(form)["occurred_at"] == "2026-11-23T08:00:00.000005+00:00"
