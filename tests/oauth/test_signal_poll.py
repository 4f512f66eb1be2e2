"""Polling (RFC 8936) as a foreign receiver does it, and what the events say."""

from __future__ import annotations

import time
from typing import Any

import pytest

from idp import clock
from idp.domain.signals import SESSION_REVOKED, TOKEN_CLAIMS_CHANGE
from idp.services import account_status, authentication, consents, handlers
from idp.services.platform import Platform
from idp.storage.database import reading
from idp.storage.enterprises import Enterprise
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.event_receiver import SSF_CLIENT, EventReceiver
from tests.oauth.relying_party import ISSUER, RelyingParty, claims_of, header_of
from tests.queries import AssertQueries


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, which may have a stream."""
    return register(**SSF_CLIENT)


@pytest.fixture
def receiver(rp: RelyingParty) -> EventReceiver:
    """The client as a receiver."""
    return EventReceiver.of(rp)


@pytest.fixture
def stream(receiver: EventReceiver) -> dict[str, Any]:
    """Its stream, which it polls."""
    return receiver.create()


def sign_out(scene: Scene, platform: Platform, reason: str = "logout") -> None:
    assert scene.browser.login
    authentication.end_login(platform, scene.browser.login.sid, ORIGIN, reason)


def revoke_handler(scene: Scene, platform: Platform) -> None:
    with reading() as session:
        owner = session.get_one(Enterprise, scene.enterprise_id).legal_account_id
    handlers.decide(platform, owner, scene.handler_authorization_id, "revoke", ORIGIN)


@both_backends
def test_a_sign_out_is_told_of_as_the_specifications_want_it(
    scene: Scene, platform: Platform, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    id_token = claims_of(scene.tokens().id_token, scene.rp.http)
    sign_out(scene, platform)
    (event,) = receiver.events(stream)
    now = int(clock.now().timestamp())
    assert event == {
        "iss": ISSUER,
        "aud": scene.rp.client_id,
        "iat": event["iat"],
        "jti": event["jti"],
        "txn": event["txn"],
        "sub_id": {
            "format": "complex",
            "user": {"format": "iss_sub", "iss": ISSUER, "sub": id_token["sub"]},
            "session": {"format": "opaque", "id": id_token["sid"]},
        },
        "events": {
            SESSION_REVOKED: {
                "event_timestamp": event["iat"],
                "initiating_entity": "user",
                "reason_admin": {"en": "The person signed out", "zh-CN": "本人退出登录"},
            }
        },
    }
    assert now - 5 <= event["iat"] <= now


@both_backends
def test_a_revoked_handler_is_told_of_by_both_events_with_one_cause(
    scene: Scene, platform: Platform, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    id_token = claims_of(scene.tokens().id_token, scene.rp.http)
    scene.tokens()
    revoke_handler(scene, platform)
    change, revoked = receiver.events(stream)
    assert change["events"][TOKEN_CLAIMS_CHANGE]["claims"] == {"handler_scope": []}
    assert revoked["events"][SESSION_REVOKED]["initiating_entity"] == "admin"
    assert change["txn"] == revoked["txn"]
    for event in (change, revoked):
        assert event["sub_id"]["tenant"] == {"format": "opaque", "id": id_token["enterprise_credit_code"]}
        assert event["sub_id"]["session"]["id"] == id_token["sid"]


def test_frozen_account_withdrawn_consent_and_reuse_are_told_of(
    scene: Scene, platform: Platform, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    def initiators() -> list[str]:
        found = receiver.events(stream)
        receiver.poll(stream, ack=[event["jti"] for event in found], maxEvents=0)
        return [body["initiating_entity"] for event in found for body in event["events"].values()]

    code = scene.browser.code_for(scene.rp)
    for _ in range(2):
        scene.rp.redeem(code)
    assert initiators() == ["system"]
    scene.tokens()
    consents.withdraw(platform, scene.account_id, scene.rp.client_id, ORIGIN)
    assert initiators() == ["user"]
    account_status.freeze(platform, scene.account_id, ORIGIN)
    assert initiators() == ["admin"]


def test_what_the_client_ends_itself_it_is_not_told(
    scene: Scene, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    scene.rp.revoke(scene.tokens().refresh_token)
    assert receiver.events(stream) == []


def test_a_client_hears_of_nobody_whom_it_does_not_know(
    scene: Scene,
    platform: Platform,
    receiver: EventReceiver,
    stream: dict[str, Any],
    register: RegisterClient,
) -> None:
    other = register()
    scene.browser.allow(other, scene.account_id, scene.enterprise_id)
    other.redeem(scene.browser.code_for(other))
    scene.browser.code_for(scene.rp)  # never redeemed
    sign_out(scene, platform)
    assert receiver.events(stream) == []


@pytest.mark.parametrize(
    ("scope", "types", "named"),
    [
        ("openid enterprise", [SESSION_REVOKED], True),
        ("openid handler", [TOKEN_CLAIMS_CHANGE, SESSION_REVOKED], False),
    ],
)
def test_what_was_not_asked_for_is_not_told(
    scene: Scene,
    platform: Platform,
    receiver: EventReceiver,
    stream: dict[str, Any],
    scope: str,
    types: list[str],
    named: bool,
) -> None:
    scene.tokens(scope=scope)
    revoke_handler(scene, platform)
    events = receiver.events(stream)
    assert [event_type for event in events for event_type in event["events"]] == types
    assert {"tenant" in event["sub_id"] for event in events} == {named}


def test_a_pairwise_client_is_told_of_the_sub_that_it_knows(
    register: RegisterClient, scene: Scene, platform: Platform
) -> None:
    rp = register(**SSF_CLIENT | {"subject_type": "pairwise"})
    receiver = EventReceiver.of(rp)
    stream = receiver.create()
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    rp.redeem(scene.browser.code_for(rp))
    sign_out(scene, platform)
    (event,) = receiver.events(stream)
    sub = event["sub_id"]["user"]["sub"]
    assert sub != scene.account_id
    assert len(sub) == 43


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_events_are_signed_like_the_clients_id_tokens(
    register: RegisterClient, scene: Scene, platform: Platform, algorithm: str
) -> None:
    rp = register(**SSF_CLIENT, id_token_signed_response_alg=algorithm)
    receiver = EventReceiver.of(rp)
    stream = receiver.create()
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    rp.redeem(scene.browser.code_for(rp))
    sign_out(scene, platform)
    (token,) = receiver.poll(stream)["sets"].values()
    assert header_of(token)["alg"] == algorithm


@both_backends
def test_events_come_again_until_acknowledged_and_some_at_a_time(
    scene: Scene, platform: Platform, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    scene.tokens()
    revoke_handler(scene, platform)
    first = receiver.poll(stream, maxEvents=1)
    assert (len(first["sets"]), first["moreAvailable"]) == (1, True)
    assert list(receiver.poll(stream, maxEvents=1)["sets"]) == list(first["sets"])
    second = receiver.poll(stream, ack=[*first["sets"], "unknown", "", "\0", "x" * 100])
    assert (len(second["sets"]), second["moreAvailable"]) == (1, False)
    fault = {"err": "invalid_audience", "description": "not us"}
    assert receiver.poll(stream, setErrs=dict.fromkeys(second["sets"], fault)) == {
        "sets": {},
        "moreAvailable": False,
    }


@both_backends
def test_another_clients_acknowledgement_takes_nothing_away(
    scene: Scene,
    platform: Platform,
    receiver: EventReceiver,
    stream: dict[str, Any],
    register: RegisterClient,
) -> None:
    scene.tokens()
    sign_out(scene, platform)
    (jti,) = receiver.poll(stream)["sets"]
    other = EventReceiver.of(register(**SSF_CLIENT))
    fault = {"err": "x"}
    assert other.poll(other.create(), ack=[jti], setErrs={jti: fault})["sets"] == {}
    assert list(receiver.poll(stream)["sets"]) == [jti]


def test_a_poll_is_answered_at_once_even_when_the_receiver_would_wait(
    receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    started = time.monotonic()
    for waiting in (False, True):
        assert receiver.poll(stream, returnImmediately=waiting)["sets"] == {}
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"maxEvents": -1},
        {"maxEvents": "1"},
        {"maxEvents": True},
        {"maxEvents": 1.5},
        {"returnImmediately": "yes"},
        {"ack": "jti"},
        {"ack": [7]},
        {"ack": ["x"] * 1001},
        {"setErrs": []},
        {"setErrs": {"jti": "err"}},
        {"setErrs": {"jti": {}}},
        {"setErrs": {"jti": {"err": 7}}},
        {"setErrs": {f"{number}": {"err": "x"} for number in range(1001)}},
    ],
)
def test_a_poll_that_cannot_be_read_is_refused_and_changes_nothing(
    scene: Scene, platform: Platform, receiver: EventReceiver, stream: dict[str, Any], document: Any
) -> None:
    scene.tokens()
    sign_out(scene, platform)
    answer = receiver.call("POST", "/ssf/poll", document)
    assert answer.status_code == 400
    assert answer.get_json()["err"] == "invalid_request"
    assert len(receiver.poll(stream)["sets"]) == 1


def test_what_a_receiver_writes_as_an_error_is_logged_only_if_it_is_a_code(
    scene: Scene,
    platform: Platform,
    receiver: EventReceiver,
    stream: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene.tokens()
    sign_out(scene, platform)
    (jti,) = receiver.poll(stream)["sets"]
    receiver.poll(stream, setErrs={jti: {"err": "two\nlines"}, "odd jti": {"err": "x"}})
    assert f"{jti}: unspecified" in caplog.text
    assert "two" not in caplog.text
    assert "odd" not in caplog.text


def test_a_poll_of_a_receiver_without_such_a_stream_finds_nothing(receiver: EventReceiver) -> None:
    assert receiver.call("POST", "/ssf/poll", {}).status_code == 404


def test_without_a_stream_an_end_costs_no_statement_but_the_look_who_has_one(
    scene: Scene, platform: Platform, assert_queries: AssertQueries
) -> None:
    """That look is remembered for a second, as the register of clients is."""
    scene.tokens()
    scene.browser.sign_in(scene.account_id)
    scene.tokens()
    sign_out(scene, platform)
    scene.browser.sign_in(scene.account_id)
    scene.tokens()
    platform.signal_receivers.get("all", frozenset)
    with assert_queries(4) as statements:
        sign_out(scene, platform)
    assert not any("signal" in statement for statement in statements)
