"""Security event tokens of the Shared Signals Framework 1.0 (RFC 8417; CAEP 1.0), for receivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.rp import jwt
from clients.rp.discovery import Provider

SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
TOKEN_CLAIMS_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
# Events wait for a receiver that is away; a token older than this was not kept back by an honest transmitter.
MAX_AGE = timedelta(days=8)


@dataclass(frozen=True)
class Subject:
    """Whom or what an event is about: an account, one session of it, what acts for one enterprise.

    None stands for any (SSF 1.0 §8.1.3.1).
    """

    sub: str | None = None
    sid: str | None = None
    tenant: str | None = None


@dataclass(frozen=True)
class SessionRevoked:
    """Every session that the subject describes has ended (CAEP 1.0 §3.1)."""

    subject: Subject


@dataclass(frozen=True)
class TokenClaimsChange:
    """Tokens of the subject now say this instead (CAEP 1.0 §3.2)."""

    subject: Subject
    claims: Mapping[str, Any]


@dataclass(frozen=True)
class Verification:
    """The stream works; ``state`` is what was sent along when this was asked for (SSF 1.0 §8.1.4)."""

    stream_id: str
    state: str | None


SecurityEvent = SessionRevoked | TokenClaimsChange | Verification


@dataclass(frozen=True)
class EventToken:
    """A good token; ``events`` has none of a type that we don't know. ``jti`` counts once, until then.

    ``issued_at`` is when the events came to be, not when the token was delivered (SSF 1.0 §4.1.5).
    """

    jti: str
    events: tuple[SecurityEvent, ...]
    expires_at: datetime
    issued_at: datetime | None = None


@dataclass(frozen=True)
class InvalidEventToken:
    """The first rule that the token breaks: a code of RFC 8935 §2.4, and English for the provider's log."""

    err: str
    description: str


def process_event_token(
    provider: Provider, client_id: str, token: str, now: datetime
) -> EventToken | InvalidEventToken:
    """Check all that RFC 8417 §2 and SSF 1.0 §4.1 ask for but the replay of ``jti``, which needs a memory.
    Raises ProviderUnavailable.
    """
    try:
        verified = jwt.verify(provider, token)
    except jwt.InvalidJwt as error:
        err = "invalid_key" if error.reason in ("key", "algorithm") else "invalid_request"
        return InvalidEventToken(err, f"the token's {error.reason} is not acceptable")
    if verified.typ != "secevent+jwt":
        return InvalidEventToken("invalid_request", "typ must be secevent+jwt")
    fault = _fault(verified.claims, provider.issuer, client_id, now)
    return fault or _read(verified.claims, provider.issuer)


def _fault(claims: dict[str, Any], issuer: str, client_id: str, now: datetime) -> InvalidEventToken | None:
    events = claims.get("events")
    checks = (
        (claims.get("iss") == issuer, "invalid_issuer", "iss is not the provider"),
        (client_id in jwt.audiences(claims), "invalid_audience", "aud is not this client"),
        (_in_time(claims.get("iat"), now.timestamp()), "invalid_request", "iat is missing or out of time"),
        (_is_text(claims.get("jti")), "invalid_request", "jti is missing"),
        # Other tokens have these, and must not pass for an event (SSF 1.0 §4.1.3).
        (not claims.keys() & {"sub", "exp", "nonce"}, "invalid_request", "sub, exp and nonce are forbidden"),
        (
            isinstance(events, dict) and bool(events) and all(isinstance(e, dict) for e in events.values()),
            "invalid_request",
            "events must hold objects",
        ),
    )
    return next((InvalidEventToken(err, text) for holds, err, text in checks if not holds), None)


def _in_time(issued: object, now: float) -> bool:
    return jwt.is_time(issued) and now - MAX_AGE.total_seconds() <= issued <= now + jwt.LEEWAY_SECONDS


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _read(claims: dict[str, Any], issuer: str) -> EventToken | InvalidEventToken:
    sub_id = claims.get("sub_id")
    events = []
    for event_type, body in claims["events"].items():
        event = _event(event_type, body, sub_id, issuer)
        if isinstance(event, InvalidEventToken):
            return event
        if event is not None:
            events.append(event)
    # Once the token is too old to be taken, its jti need not be remembered.
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    ends = issued_at + MAX_AGE + timedelta(seconds=jwt.LEEWAY_SECONDS)
    return EventToken(claims["jti"], tuple(events), ends, issued_at)


def _event(
    event_type: str, body: dict[str, Any], sub_id: object, issuer: str
) -> SecurityEvent | InvalidEventToken | None:
    """One event; None for a type that we don't know (SSF 1.0 §5.3)."""
    if event_type == VERIFICATION:
        return _verification(body, sub_id)
    if event_type not in (SESSION_REVOKED, TOKEN_CLAIMS_CHANGE):
        return None
    subject = _subject(sub_id, issuer)
    if subject is None:
        return InvalidEventToken("invalid_request", "sub_id is missing or names nobody we can know")
    if event_type == SESSION_REVOKED:
        return SessionRevoked(subject)
    if not isinstance(body.get("claims"), dict):
        return InvalidEventToken("invalid_request", "claims must be an object")
    return TokenClaimsChange(subject, body["claims"])


def _verification(body: dict[str, Any], sub_id: object) -> Verification | InvalidEventToken:
    stream_id, state = _opaque(sub_id), body.get("state")
    if stream_id is None or not (state is None or isinstance(state, str)):
        return InvalidEventToken("invalid_request", "a verification names its stream, and state is a string")
    return Verification(stream_id, state)


def _subject(sub_id: object, issuer: str) -> Subject | None:
    """The parts of a subject identifier (RFC 9493 §3). Of a complex one every part that is there must be of a
    form that we know: ignoring one would make the event say more than it does.
    """
    if not isinstance(sub_id, dict):
        return None
    if sub_id.get("format") != "complex":
        sub = _iss_sub(sub_id, issuer)
        return None if sub is None else Subject(sub)
    readers = {"user": lambda part: _iss_sub(part, issuer), "session": _opaque, "tenant": _opaque}
    parts = {name: part for name, part in sub_id.items() if name != "format"}
    if not parts or parts.keys() - readers.keys():
        return None
    read = {name: readers[name](part) for name, part in parts.items()}
    if None in read.values():
        return None
    return Subject(read.get("user"), read.get("session"), read.get("tenant"))


def _iss_sub(part: object, issuer: str) -> str | None:
    if not isinstance(part, dict) or part.get("format") != "iss_sub" or part.get("iss") != issuer:
        return None
    sub = part.get("sub")
    return sub if isinstance(sub, str) and sub else None


def _opaque(part: object) -> str | None:
    if not isinstance(part, dict) or part.get("format") != "opaque":
        return None
    identifier = part.get("id")
    return identifier if isinstance(identifier, str) and identifier else None
