"""The stream management API (SSF 1.0 §7, §8): who may call it, and what each method does."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.domain.signals import EVENTS_SUPPORTED, SESSION_REVOKED, VERIFICATION
from idp.services import clients
from idp.services.platform import Platform
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.event_receiver import SSF_CLIENT, EventReceiver
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error, dpop_proof

PUSH = {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://rp.example/events"}
POLL = {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{ISSUER}/ssf/poll"}
CONFIGURATION = "configuration_endpoint"
CALLS = [
    ("GET", CONFIGURATION),
    ("POST", CONFIGURATION),
    ("PATCH", CONFIGURATION),
    ("PUT", CONFIGURATION),
    ("DELETE", CONFIGURATION),
    ("GET", "status_endpoint"),
    ("POST", "status_endpoint"),
    ("POST", "verification_endpoint"),
    ("POST", "/ssf/poll"),
]


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, which may have a stream."""
    return register(**SSF_CLIENT)


@pytest.fixture
def receiver(rp: RelyingParty) -> EventReceiver:
    """The client as a receiver."""
    return EventReceiver.of(rp)


def test_the_metadata_names_what_there_is(http: FlaskClient) -> None:
    answer = http.get("/.well-known/ssf-configuration")
    assert answer.mimetype == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.get_json() == {
        "spec_version": "1_0",
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/oauth/jwks.json",
        "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
        "configuration_endpoint": f"{ISSUER}/ssf/stream",
        "status_endpoint": f"{ISSUER}/ssf/status",
        "verification_endpoint": f"{ISSUER}/ssf/verify",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }


# --- who may call


def assert_challenged(receiver: EventReceiver, method: str, endpoint: str, status: int, error: str) -> None:
    answer = receiver.call(method, endpoint, None if method == "GET" else {})
    assert answer.status_code == status, answer.text
    assert f'realm="ssf", error="{error}"' in answer.headers["WWW-Authenticate"]
    assert answer.get_json()["error"] == error
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "endpoint"), CALLS)
def test_every_call_needs_a_token(http: FlaskClient, method: str, endpoint: str) -> None:
    stranger = EventReceiver(http, "nonsense")
    assert_challenged(stranger, method, endpoint, 401, "invalid_token")
    path = stranger.metadata()[endpoint] if endpoint.endswith("_endpoint") else endpoint
    answer = http.open(path, method=method, query_string={"access_token": "x"})
    assert answer.status_code == 401
    assert 'Bearer realm="ssf"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "endpoint"), CALLS)
def test_a_clients_token_with_other_scopes_is_not_enough(
    register: RegisterClient, method: str, endpoint: str
) -> None:
    job = EventReceiver.of(register(**SSF_CLIENT | {"scope": "openid job:run"}), None)
    assert_challenged(job, method, endpoint, 403, "insufficient_scope")


@pytest.mark.parametrize(("method", "endpoint"), CALLS)
def test_reading_leave_is_for_reading_and_polling(rp: RelyingParty, method: str, endpoint: str) -> None:
    reader = EventReceiver.of(rp, "ssf.read")
    if method == "GET" or endpoint == "/ssf/poll":
        answer = reader.call(method, endpoint, None if method == "GET" else {}, {"stream_id": "x"})
        assert answer.status_code == 404
    else:
        assert_challenged(reader, method, endpoint, 403, "insufficient_scope")


def test_managing_leave_is_enough_for_reading(rp: RelyingParty) -> None:
    assert EventReceiver.of(rp, "ssf.manage").call("GET", CONFIGURATION).get_json() == []


def test_a_persons_token_manages_nothing_and_never_has_such_a_scope(scene: Scene) -> None:
    answer = scene.rp.redeem(scene.browser.code_for(scene.rp, scope="openid enterprise handler ssf.manage"))
    assert "ssf.manage" not in answer.get_json()["scope"].split()
    person = EventReceiver(scene.rp.http, answer.get_json()["access_token"])
    assert_challenged(person, "GET", CONFIGURATION, 401, "invalid_token")


def test_a_token_meant_for_another_resource_manages_nothing(register: RegisterClient) -> None:
    register(resources=["https://api.example/v1"], scope="openid api:read")
    rp = register(**SSF_CLIENT | {"scope": "openid ssf.manage api:read"})
    answer = rp.token({"grant_type": "client_credentials"}).get_json()
    assert "ssf.manage" in answer["scope"].split()
    assert_challenged(
        EventReceiver(rp.http, answer["access_token"]), "GET", CONFIGURATION, 401, "invalid_token"
    )


def test_a_client_with_resources_of_its_own_still_gets_a_token_for_the_platform(
    register: RegisterClient,
) -> None:
    rp = register(**SSF_CLIENT | {"resources": ["https://api.example/v1"]})
    assert EventReceiver.of(rp).call("GET", CONFIGURATION).get_json() == []


def test_a_token_given_back_or_of_a_disabled_client_is_worth_nothing(
    rp: RelyingParty, receiver: EventReceiver, platform: Platform
) -> None:
    other = EventReceiver.of(rp)
    rp.revoke(receiver.access_token)
    assert_challenged(receiver, "GET", CONFIGURATION, 401, "invalid_token")
    clients.disable(platform, rp.client_id, ORIGIN)
    assert_challenged(other, "GET", CONFIGURATION, 401, "invalid_token")


@pytest.mark.parametrize("path", ["/ssf/stream", "/ssf/status", "/ssf/verify", "/ssf/poll"])
def test_other_methods_are_not_there(http: FlaskClient, path: str) -> None:
    answer = http.open(path, method="OPTIONS")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_token_bound_to_a_key_manages_a_stream_with_proof_of_the_key_alone(
    register: RegisterClient,
) -> None:
    rp = register(**SSF_CLIENT, dpop_bound_access_tokens=True)
    answer = rp.token(
        {"grant_type": "client_credentials", "scope": "ssf.manage"},
        headers={"DPoP": dpop_proof("/oauth/token")},
    )
    token = answer.get_json()["access_token"]
    assert_challenged(EventReceiver(rp.http, token), "GET", CONFIGURATION, 401, "invalid_token")
    proof = dpop_proof("/ssf/stream", method="GET", access_token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert rp.http.get("/ssf/stream", headers=headers).get_json() == []


# --- the configuration


@both_backends
def test_a_stream_is_created_read_changed_replaced_and_removed(receiver: EventReceiver) -> None:
    document = {
        "delivery": {**PUSH, "authorization_header": "Bearer s"},
        "events_requested": [SESSION_REVOKED],
    }
    stream = receiver.create(document)
    identified = {"stream_id": stream["stream_id"]}
    assert stream["delivery"] == PUSH  # and not the header
    assert stream["events_delivered"] == [SESSION_REVOKED]
    assert stream["iss"] == ISSUER

    assert receiver.call("GET", CONFIGURATION, query=identified).get_json() == stream
    assert receiver.call("GET", CONFIGURATION).get_json() == [stream]

    patched = receiver.call("PATCH", CONFIGURATION, {**identified, "description": "通知"})
    assert patched.get_json() == {**stream, "description": "通知"}

    replaced = receiver.call("PUT", CONFIGURATION, {**identified, "delivery": POLL}).get_json()
    assert replaced["delivery"] == POLL
    assert replaced["events_requested"] == list(EVENTS_SUPPORTED)

    removed = receiver.call("DELETE", CONFIGURATION, query=identified)
    assert (removed.status_code, removed.data, removed.headers["Cache-Control"]) == (204, b"", "no-store")
    assert receiver.call("GET", CONFIGURATION).get_json() == []
    assert_error(receiver.call("GET", CONFIGURATION, query=identified), "stream_unknown", 404)


def test_the_audience_is_the_client(rp: RelyingParty, receiver: EventReceiver) -> None:
    assert receiver.create()["aud"] == rp.client_id


def test_a_client_has_one_stream(receiver: EventReceiver) -> None:
    receiver.create()
    assert_error(receiver.call("POST", CONFIGURATION, {}), "stream_exists", 409)


@both_backends
def test_the_stream_of_another_client_is_as_good_as_none(
    receiver: EventReceiver, register: RegisterClient
) -> None:
    theirs = EventReceiver.of(register(**SSF_CLIENT)).create()
    identified = {"stream_id": theirs["stream_id"]}
    receiver.create()
    for method, endpoint in CALLS:
        if (method, endpoint) in {("POST", CONFIGURATION), ("POST", "/ssf/poll")}:
            continue
        document = None if method in {"GET", "DELETE"} else {**identified, "status": "disabled"}
        answer = receiver.call(method, endpoint, document, identified)
        assert_error(answer, "stream_unknown", 404)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"delivery": {"method": "urn:ietf:rfc:1"}}, "delivery"),
        ({"delivery": {**PUSH, "endpoint_url": "http://10.0.0.1/"}}, "delivery"),
        ({"events_requested": "all"}, "events_requested"),
        ({"description": "\0"}, "description"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(
    receiver: EventReceiver, document: dict[str, Any], field: str
) -> None:
    answer = receiver.call("POST", CONFIGURATION, document)
    assert_error(answer, "invalid_request")
    assert answer.get_json()["error_description"].startswith(f"{field}: ")
    assert receiver.call("GET", CONFIGURATION).get_json() == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "paused", "status": "enabled"}',
        b'{"a": 1e999}',
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"description": "\xff"}',
        b'{"a": "\\ud800"}',
        b"{" + b" " * 40_000 + b"}",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ssf/stream"),
        ("PATCH", "/ssf/stream"),
        ("PUT", "/ssf/stream"),
        ("POST", "/ssf/status"),
        ("POST", "/ssf/verify"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    receiver: EventReceiver, body: bytes, method: str, path: str
) -> None:
    headers = {"Authorization": f"Bearer {receiver.access_token}"}
    answer = receiver.http.open(path, method=method, data=body, headers=headers)
    assert_error(answer, "invalid_request")


def test_a_body_need_not_say_that_it_is_json_but_must_not_say_otherwise(receiver: EventReceiver) -> None:
    headers = {"Authorization": f"Bearer {receiver.access_token}"}
    for mimetype in ("text/plain", "application/x-www-form-urlencoded"):
        answer = receiver.http.post("/ssf/stream", data=b"{}", headers=headers, content_type=mimetype)
        assert_error(answer, "invalid_request")
    assert receiver.http.post("/ssf/stream", data=b"{}", headers=headers).status_code == 201


def test_a_body_beyond_all_measure_is_not_even_read(receiver: EventReceiver) -> None:
    headers = {"Authorization": f"Bearer {receiver.access_token}"}
    answer = receiver.http.post("/ssf/stream", data=b" " * 200_000, headers=headers)
    assert answer.status_code == 413


def test_a_stream_named_twice_is_refused(receiver: EventReceiver) -> None:
    answer = receiver.call("GET", "/ssf/stream?stream_id=a&stream_id=b")
    assert_error(answer, "invalid_request")


# --- status and verification


@both_backends
def test_a_stream_is_paused_with_a_reason_and_set_going_again(receiver: EventReceiver) -> None:
    stream = receiver.create()
    identified = {"stream_id": stream["stream_id"]}
    assert receiver.call("GET", "status_endpoint", query=identified).get_json() == {
        **identified,
        "status": "enabled",
    }
    paused = {**identified, "status": "paused", "reason": "夜间维护"}
    assert receiver.call("POST", "status_endpoint", paused).get_json() == paused
    assert receiver.call("GET", "status_endpoint", query=identified).get_json() == paused
    enabled = {**identified, "status": "enabled"}
    assert receiver.call("POST", "status_endpoint", enabled).get_json() == enabled
    answer = receiver.call("POST", "status_endpoint", {**identified, "status": "gone"})
    assert_error(answer, "invalid_request")


def test_a_verification_comes_back_with_its_state_and_not_too_often(
    receiver: EventReceiver, rp: RelyingParty
) -> None:
    stream = receiver.create()
    document = {"stream_id": stream["stream_id"], "state": "VGhpcyBpcyBhbiBleGFtcGxl"}
    answer = receiver.call("POST", "verification_endpoint", document)
    assert (answer.status_code, answer.data) == (204, b"")
    (event,) = receiver.events(stream)
    assert event["aud"] == rp.client_id
    assert event["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
    assert event["events"] == {VERIFICATION: {"state": document["state"]}}
    again = receiver.call("POST", "verification_endpoint", document)
    assert_error(again, "verification_too_soon", 429)


def test_a_state_that_is_no_text_is_refused(receiver: EventReceiver) -> None:
    document = {"stream_id": receiver.create()["stream_id"], "state": {"a": 1}}
    assert_error(receiver.call("POST", "verification_endpoint", document), "invalid_request")
