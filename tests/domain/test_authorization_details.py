from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import authorization_details as details
from idp.domain.authorization_details import HandlerDetail
from idp.domain.errors import Refusal

MATTER: Final = "nev-accident-report"
CODE: Final = "91990101MADEM00117"
DETAIL: Final = {"type": "enterprise_handler", "enterprise_credit_code": CODE, "matters": [MATTER]}
HELD: Final = (HandlerDetail(CODE, (MATTER, "other"), "h1", "2026-11-30T00:00:00Z"),)


def parse(*elements: Any) -> Any:
    return details.parse(json.dumps(elements), [MATTER])


def test_without_the_parameter_nothing_is_asked() -> None:
    assert details.parse(None, [MATTER]) == ()


def test_what_is_well_formed_is_read() -> None:
    assert parse(DETAIL) == (HandlerDetail(CODE, (MATTER,)),)


def test_what_was_granted_may_be_sent_back() -> None:
    granted = details.granted(
        parse(DETAIL), "h1", datetime(2026, 12, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    )
    assert [detail.as_json() for detail in granted] == [
        DETAIL | {"handler_authorization_id": "h1", "valid_until": "2026-12-01T00:00:00Z"}
    ]
    assert parse(*[detail.as_json() for detail in granted]) == granted


def test_an_enterprise_s_own_account_needs_no_authorisation() -> None:
    (granted,) = details.granted(parse(DETAIL), None, None)
    assert granted.as_json() == DETAIL


def test_what_is_left_follows_the_matters_in_force() -> None:
    assert details.in_force(HELD, ["other", "third"]) == (
        HandlerDetail(CODE, ("other",), "h1", "2026-11-30T00:00:00Z"),
    )
    assert details.in_force(HELD, []) == ()


def test_asking_narrows_and_never_widens() -> None:
    assert details.narrowed((), HELD) == HELD
    assert details.narrowed((HandlerDetail(CODE, ("other",)),), HELD) == details.in_force(HELD, ["other"])
    for wider in (HandlerDetail(CODE, ("third",)), HandlerDetail("91990101MADEM002XY", ("other",))):
        assert isinstance(details.narrowed((wider,), HELD), Refusal)
    assert isinstance(details.narrowed(HELD, ()), Refusal)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([CODE, MATTER, "enterprise_handler"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "enterprise_credit_code", "matters", "valid_until", "locations"]), inner
        )
    ),
    max_leaves=8,
)


@given(json_values | st.lists(st.fixed_dictionaries(dict.fromkeys(DETAIL, json_values)), max_size=3))
def test_any_json_is_details_of_one_enterprise_and_served_matters_or_refused(document: Any) -> None:
    parsed = details.parse(json.dumps(document), [MATTER])
    if isinstance(parsed, Refusal):
        assert parsed.code == "authorization_details_invalid"
        return
    assert parsed
    assert {detail.enterprise_credit_code for detail in parsed} == {details.enterprise_of(parsed)}
    assert details.matters_of(parsed) == {MATTER}


@given(st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert isinstance(details.parse(text, [MATTER]), tuple | Refusal)


@pytest.mark.parametrize("served", [[], ["unknown"]])
def test_a_client_that_serves_no_matter_asks_none(served: list[str]) -> None:
    assert isinstance(details.parse(json.dumps([DETAIL]), served), Refusal)
