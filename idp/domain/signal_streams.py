"""Event streams: what a receiver may say of its own, and what it is shown of it (SSF 1.0 §8.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idp.domain.clients import is_web_address, split_uri
from idp.domain.errors import Refusal
from idp.domain.signals import EVENTS_SUPPORTED

PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
DELIVERY_METHODS: Final = (PUSH, POLL)
ENABLED: Final = "enabled"
PAUSED: Final = "paused"
DISABLED: Final = "disabled"
STATUSES: Final = (ENABLED, PAUSED, DISABLED)
MIN_VERIFICATION_SECONDS: Final = 10
MAX_EVENTS_REQUESTED: Final = 50
MAX_EVENT_TYPE: Final = 300
MAX_DESCRIPTION: Final = 300
MAX_REASON: Final = 300
MAX_STATE: Final = 1000
MAX_URL: Final = 2000
MAX_AUTHORIZATION: Final = 4000
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_RECEIVER_SUPPLIED: Final = ("delivery", "events_requested", "description")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How events reach the receiver (SSF 1.0 §6.1). With PUSH ``endpoint_url`` is the receiver's, and
    ``authorization_header`` goes with every call; with POLL both are None: the address is ours.
    """

    method: str = POLL
    endpoint_url: str | None = None
    authorization_header: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the receiver supplies."""

    delivery: Delivery
    events_requested: tuple[str, ...] = EVENTS_SUPPORTED
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One client's stream. The authorization header is not part of it: nobody is shown it again."""

    stream_id: str
    client_id: str
    method: str
    endpoint_url: str | None
    events_requested: tuple[str, ...]
    description: str | None
    status: str
    reason: str | None

    @property
    def events_delivered(self) -> tuple[str, ...]:
        """What is both asked for and offered."""
        return tuple(event for event in EVENTS_SUPPORTED if event in self.events_requested)


def refused(reason: str, field_name: str | None = None) -> Refusal:
    """``stream_invalid``; ``reason`` says in English what to do."""
    return Refusal.of("stream_invalid", field_name, reason=reason)


def configuration(stream: Stream, issuer: str, poll_url: str) -> dict[str, Any]:
    """The stream's configuration as its receiver sees it (SSF 1.0 §8.1.1)."""
    description = {"description": stream.description} if stream.description is not None else {}
    return {
        "stream_id": stream.stream_id,
        "iss": issuer,
        "aud": stream.client_id,
        "delivery": {"method": stream.method, "endpoint_url": stream.endpoint_url or poll_url},
        "events_supported": list(EVENTS_SUPPORTED),
        "events_requested": list(stream.events_requested),
        "events_delivered": list(stream.events_delivered),
        "min_verification_interval": MIN_VERIFICATION_SECONDS,
        **description,
    }


def status(stream: Stream) -> dict[str, Any]:
    """The stream's status as its receiver sees it (SSF 1.0 §8.1.2.1)."""
    reason = {"reason": stream.reason} if stream.reason is not None else {}
    return {"stream_id": stream.stream_id, "status": stream.status, **reason}


def wishes_from(document: Mapping[str, Any], poll_url: str, *, development: bool) -> Wishes | Refusal:
    """The receiver-supplied members of a new or replaced configuration; others are passed over.

    Without ``delivery`` the receiver polls (SSF 1.0 §8.1.1.1), without ``events_requested`` it gets all
    that is offered. Event types that we don't know are kept, and never delivered.
    """
    delivery = _delivery_from(document.get("delivery"), poll_url, development=development)
    events = _events_from(document.get("events_requested"))
    description = _text_from(document.get("description"), "description", MAX_DESCRIPTION)
    if isinstance(delivery, Refusal):
        return delivery
    if isinstance(events, Refusal):
        return events
    return description if isinstance(description, Refusal) else Wishes(delivery, events, description)


def contradiction(document: Mapping[str, Any], present: Mapping[str, Any]) -> Refusal | None:
    """What we supply may be in a change, but must be as it is (SSF 1.0 §8.1.1.3, §8.1.1.4)."""
    for name in present.keys() - set(_RECEIVER_SUPPLIED):
        if name in document and document[name] != present[name]:
            return refused("is not yours to change", name)
    return None


def asked_status(document: Mapping[str, Any]) -> tuple[str, str | None] | Refusal:
    """The status and reason that a receiver sets (SSF 1.0 §8.1.2.2)."""
    asked = document.get("status")
    if asked not in STATUSES:
        return refused(f"must be one of {', '.join(STATUSES)}", "status")
    reason = _text_from(document.get("reason"), "reason", MAX_REASON)
    return reason if isinstance(reason, Refusal) else (asked, reason)


def asked_state(document: Mapping[str, Any]) -> str | Refusal | None:
    """The ``state`` that a verification event is to bring back (SSF 1.0 §8.1.4.2)."""
    return _text_from(document.get("state"), "state", MAX_STATE)


def _delivery_from(value: object, poll_url: str, *, development: bool) -> Delivery | Refusal:
    if value is None:
        return Delivery()
    if not isinstance(value, Mapping) or value.get("method") not in DELIVERY_METHODS:
        return refused(f"needs a method: {' or '.join(DELIVERY_METHODS)}", "delivery")
    url, header = value.get("endpoint_url"), value.get("authorization_header")
    if value["method"] == POLL:
        return Delivery() if url in (None, poll_url) else refused("endpoint_url is ours", "delivery")
    if not isinstance(url, str) or not _is_receiver_address(url, development=development):
        return refused("endpoint_url must be an https address without fragment", "delivery")
    if header is not None and not _is_header_value(header):
        return refused("authorization_header must be the value of a header, in ASCII", "delivery")
    return Delivery(PUSH, url, header)


def _is_receiver_address(url: str, *, development: bool) -> bool:
    return len(url) <= MAX_URL and is_web_address(url, loopback=development)


def _is_header_value(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_AUTHORIZATION
        and _HEADER_VALUE.fullmatch(value) is not None
    )


def _events_from(value: object) -> tuple[str, ...] | Refusal:
    if value is None:
        return EVENTS_SUPPORTED
    if not isinstance(value, list) or not 0 < len(value) <= MAX_EVENTS_REQUESTED:
        return refused(f"must hold 1 to {MAX_EVENTS_REQUESTED} event types", "events_requested")
    if not all(isinstance(event, str) and _is_event_type(event) for event in value):
        return refused("must hold URIs of event types", "events_requested")
    return tuple(dict.fromkeys(value))


def _is_event_type(text: str) -> bool:
    return len(text) <= MAX_EVENT_TYPE and split_uri(text) is not None


def _text_from(value: object, name: str, longest: int) -> str | Refusal | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        return refused(f"must be printable text of at most {longest} characters", name)
    return value
