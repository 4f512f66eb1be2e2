"""Whatever comes in, a report, faults with words, or a clear refusal come out, never an exception."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from clients.rp import clock
from clients.smdvs import forms, messages
from clients.smdvs.documents import NotJson, parse_json, report_from_form, report_from_json
from clients.smdvs.report import Report
from tests.clients.documents import form_fields, report_json, vehicle

texts = st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
members = st.sampled_from(sorted(Report.model_fields))
car_members = st.sampled_from(sorted(vehicle()))


def told(outcome: Report | tuple[Any, ...]) -> None:
    if isinstance(outcome, tuple):
        assert outcome
        for fault in outcome:
            assert messages.fault_text(fault)
            assert messages.field_label(fault)
            json.dumps(fault.pointer)


def explained(code: str) -> None:
    assert messages.BODY_FAULTS[code]


@settings(deadline=None, max_examples=150)
@given(members, values)
def test_any_value_in_any_member_is_taken_or_told(member: str, value: Any) -> None:
    told(report_from_json(report_json() | {member: value}, clock.now()))


@settings(deadline=None, max_examples=100)
@given(car_members, values)
def test_any_value_in_a_vehicle_is_taken_or_told(member: str, value: Any) -> None:
    told(report_from_json(report_json(vehicles=[vehicle(**{member: value})]), clock.now()))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200) | texts.map(str.encode) | values.map(json.dumps).map(str.encode))
def test_any_body_is_an_object_or_refused(body: bytes) -> None:
    try:
        document = parse_json(body)
    except NotJson as error:
        explained(error.code)
    else:
        told(report_from_json(document, clock.now()))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(form_fields())), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_in_any_field_is_taken_or_told(name: str, text: str) -> None:
    body = urlencode(form_fields() | {name: text}).encode()
    try:
        fields = forms.parse("application/x-www-form-urlencoded", body)
    except forms.BadFormError as error:
        explained(error.code)
    else:
        told(report_from_form(forms.document(fields), clock.now()))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    try:
        fields = forms.parse("application/x-www-form-urlencoded", body)
    except forms.BadFormError as error:
        explained(error.code)
    else:
        told(report_from_form(forms.document(fields), clock.now()))
