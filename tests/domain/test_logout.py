from __future__ import annotations

import pytest

from idp.domain.logout import frame_address, frame_fault, return_address

ISSUER = "https://idp.example"


@pytest.mark.checklist(115)
@pytest.mark.parametrize(
    ("uri", "state", "expected"),
    [
        ("https://rp.example/bye", None, "https://rp.example/bye"),
        ("https://rp.example/bye", "a b", "https://rp.example/bye?state=a+b"),
        ("https://rp.example/bye?x=1", "s&t", "https://rp.example/bye?x=1&state=s%26t"),
        ("https://rp.example/bye?", "s", "https://rp.example/bye?state=s"),
        ("com.example.app:/bye", "s", "com.example.app:/bye?state=s"),
    ],
)
def test_only_state_is_added_to_where_the_person_returns(uri: str, state: str | None, expected: str) -> None:
    assert return_address(uri, state) == expected


@pytest.mark.checklist(120)
@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://rp.example/out", "https://rp.example/out?iss=https%3A%2F%2Fidp.example&sid=s-1"),
        ("https://rp.example/out?a=1", "https://rp.example/out?a=1&iss=https%3A%2F%2Fidp.example&sid=s-1"),
    ],
)
def test_only_issuer_and_session_are_added_to_a_frame(uri: str, expected: str) -> None:
    assert frame_address(uri, ISSUER, "s-1") == expected


@pytest.mark.checklist(120)
@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/out",
        "https://rp.example:443/out?tenant=1",
        "https://RP.example/out",
        "https://other.example:8443/out",
    ],
)
def test_a_frame_stands_where_the_client_does(uri: str) -> None:
    assert frame_fault(uri, ["https://rp.example/callback", "https://other.example:8443/callback"]) is None


@pytest.mark.checklist(120)
@pytest.mark.parametrize(
    "uri",
    [
        "https://elsewhere.example/out",
        "https://sub.rp.example/out",
        "https://rp.example.evil.example/out",
        "https://rp.example:8443/out",
        "http://rp.example/out",
        "https://rp.example/out?sid=mine",
        "https://rp.example/out?iss",
    ],
)
def test_any_other_frame_is_a_fault(uri: str) -> None:
    assert frame_fault(uri, ["https://rp.example/callback", "com.example.app:/callback"])


def test_a_client_that_signs_nobody_in_has_no_frame() -> None:
    assert frame_fault("https://rp.example/out", [])
