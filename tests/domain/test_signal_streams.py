"""What a receiver may say of its stream, and what it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from idp.domain import signal_streams as rules
from idp.domain.errors import Refusal
from idp.domain.signal_streams import POLL, PUSH, Delivery, Stream, Wishes
from idp.domain.signals import EVENTS_SUPPORTED, SESSION_REVOKED

ISSUER = "https://idp.example"
POLL_URL = f"{ISSUER}/ssf/poll"
URL = "https://receiver.example/events"
FOREIGN = "urn:example:event"


def wishes(*, development: bool = False, **document: Any) -> Wishes | Refusal:
    return rules.wishes_from(document, POLL_URL, development=development)


def pushed(**delivery: Any) -> Wishes | Refusal:
    return wishes(delivery={"method": PUSH, "endpoint_url": URL} | delivery)


def stream(**changes: Any) -> Stream:
    values: dict[str, Any] = {
        "stream_id": "stream",
        "client_id": "client",
        "method": POLL,
        "endpoint_url": None,
        "events_requested": EVENTS_SUPPORTED,
        "description": None,
        "status": "enabled",
        "reason": None,
    }
    return Stream(**values | changes)


def test_a_receiver_that_says_nothing_polls_all_that_is_offered() -> None:
    assert wishes() == Wishes(Delivery(POLL), EVENTS_SUPPORTED, None)


def test_a_receiver_may_be_pushed_to_with_a_header_of_its_choice() -> None:
    assert pushed(authorization_header="Bearer x") == Wishes(Delivery(PUSH, URL, "Bearer x"))
    assert "Bearer" not in repr(pushed(authorization_header="Bearer x"))


def test_events_that_we_do_not_know_are_kept_and_never_delivered() -> None:
    asked = wishes(events_requested=[FOREIGN, SESSION_REVOKED, FOREIGN], description="我们的流")
    assert asked == Wishes(Delivery(), (FOREIGN, SESSION_REVOKED), "我们的流")
    assert stream(events_requested=(FOREIGN, SESSION_REVOKED)).events_delivered == (SESSION_REVOKED,)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"delivery": "push"}, "delivery"),
        ({"delivery": {}}, "delivery"),
        ({"delivery": {"method": "urn:ietf:rfc:9999"}}, "delivery"),
        ({"delivery": {"method": ["x"]}}, "delivery"),
        ({"delivery": {"method": POLL, "endpoint_url": "https://elsewhere.example"}}, "delivery"),
        ({"delivery": {"method": PUSH}}, "delivery"),
        ({"events_requested": SESSION_REVOKED}, "events_requested"),
        ({"events_requested": []}, "events_requested"),
        ({"events_requested": [SESSION_REVOKED] * 51}, "events_requested"),
        ({"events_requested": [7]}, "events_requested"),
        ({"events_requested": ["no uri"]}, "events_requested"),
        ({"events_requested": ["urn:" + "x" * 300]}, "events_requested"),
        ({"description": 7}, "description"),
        ({"description": "nul\0"}, "description"),
        ({"description": "x" * 301}, "description"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(document: dict[str, Any], field: str) -> None:
    refusal = wishes(**document)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.problems[0].field) == ("stream_invalid", field)


@pytest.mark.parametrize(
    "url",
    [
        7,
        "",
        "receiver.example",
        "http://receiver.example/events",
        "http://127.0.0.1/events",
        "ftp://receiver.example",
        "https:///events",
        "https://user@receiver.example/",
        "https://receiver.example/#fragment",
        "https://receiver.example/" + "x" * 2000,
        "https://receiver.example/\r\nX: y",
    ],
)
def test_events_are_pushed_by_https_to_a_plain_address(url: object) -> None:
    assert isinstance(pushed(endpoint_url=url), Refusal)


def test_in_development_this_machine_may_be_pushed_to_without_tls() -> None:
    def local(url: str) -> Wishes | Refusal:
        return wishes(delivery={"method": PUSH, "endpoint_url": url}, development=True)

    assert isinstance(local("http://127.0.0.1:5001/smdvs/events"), Wishes)
    assert isinstance(local("http://receiver.example/events"), Refusal)


@pytest.mark.parametrize("header", [7, "", " x", "x\r\nHost: y", "密", "x" * 4001])
def test_a_header_that_would_say_more_is_refused(header: object) -> None:
    assert isinstance(pushed(authorization_header=header), Refusal)


def test_a_configuration_shows_everything_but_the_header() -> None:
    assert rules.configuration(stream(), ISSUER, POLL_URL) == {
        "stream_id": "stream",
        "iss": ISSUER,
        "aud": "client",
        "delivery": {"method": POLL, "endpoint_url": POLL_URL},
        "events_supported": list(EVENTS_SUPPORTED),
        "events_requested": list(EVENTS_SUPPORTED),
        "events_delivered": list(EVENTS_SUPPORTED),
        "min_verification_interval": 10,
    }
    shown = rules.configuration(stream(method=PUSH, endpoint_url=URL, description="d"), ISSUER, POLL_URL)
    assert shown["delivery"] == {"method": PUSH, "endpoint_url": URL}
    assert shown["description"] == "d"


def test_what_is_ours_may_be_repeated_and_not_changed() -> None:
    present = rules.configuration(stream(), ISSUER, POLL_URL)
    assert rules.contradiction({**present, "description": "new", "unknown": 1}, present) is None
    for name in present.keys() - {"delivery", "events_requested"}:
        refusal = rules.contradiction({name: "another"}, present)
        assert refusal is not None
        assert refusal.problems[0].field == name


def test_a_status_is_shown_with_its_reason_if_there_is_one() -> None:
    assert rules.status(stream()) == {"stream_id": "stream", "status": "enabled"}
    assert rules.status(stream(status="paused", reason="night"))["reason"] == "night"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"status": "paused"}, ("paused", None)),
        ({"status": "disabled", "reason": "移交"}, ("disabled", "移交")),
        ({}, None),
        ({"status": "stopped"}, None),
        ({"status": ["paused"]}, None),
        ({"status": "enabled", "reason": 7}, None),
    ],
)
def test_a_status_is_one_of_three(document: dict[str, Any], expected: object) -> None:
    asked = rules.asked_status(document)
    assert (None if isinstance(asked, Refusal) else asked) == expected


@pytest.mark.parametrize(("state", "fits"), [(None, True), ("s", True), ("x" * 1001, False), (7, False)])
def test_a_state_is_a_text(state: object, fits: bool) -> None:
    assert isinstance(rules.asked_state({"state": state}), Refusal) is not fits
