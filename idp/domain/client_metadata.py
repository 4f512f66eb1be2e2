"""What a client's registration may say: RFC 7591 metadata with the additions of claims.md, validated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from idp.domain import interoperable_json
from idp.domain.client_checks import CHECKS, fill_in_profile, problem
from idp.domain.clients import (
    ASSERTION_ALGORITHMS,
    AUTH_METHODS,
    CONTENT_ENCRYPTION_METHODS,
    KEY_ENCRYPTION_ALGORITHMS,
    PROFILES,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
    Client,
)
from idp.domain.errors import Problem, Refusal

MAX_ITEMS = 50
MAX_TEXT = 2000
MAX_DEPTH = 6  # of a JWK Set: three would do for what RFC 7517 defines

_CERTIFICATE_NAMES = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
_TEXTS = ("client_id", "client_name", "software_id", "software_version", "may_act", *_CERTIFICATE_NAMES)
_URIS = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "sector_identifier_uri",
    "initiate_login_uri",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
)
_LISTS = (
    "redirect_uris",
    "post_logout_redirect_uris",
    "request_uris",
    "grant_types",
    "response_types",
    "contacts",
    "default_acr_values",
    "authorization_details_types",
    "matters",
    "roles",
    "resources",
)
_CHOICES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "application_type": (("web", "native"), "web"),
    "token_endpoint_auth_method": (AUTH_METHODS, "client_secret_basic"),
    "id_token_signed_response_alg": (SIGNING_ALGORITHMS, "RS256"),
    "access_token_signed_response_alg": (SIGNING_ALGORITHMS, "ES256"),
    "subject_type": (SUBJECT_TYPES, "public"),
}
_FAPI_DEFAULTS = {"token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256"}
_ENCRYPTED = ("id_token", "userinfo", "authorization", "introspection")
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "profile": PROFILES,
    "token_endpoint_auth_signing_alg": ASSERTION_ALGORITHMS,
    "request_object_signing_alg": ASSERTION_ALGORITHMS,
    "userinfo_signed_response_alg": SIGNING_ALGORITHMS,
    "authorization_signed_response_alg": SIGNING_ALGORITHMS,
    "introspection_signed_response_alg": SIGNING_ALGORITHMS,
    **{f"{name}_encrypted_response_alg": KEY_ENCRYPTION_ALGORITHMS for name in _ENCRYPTED},
    **{f"{name}_encrypted_response_enc": CONTENT_ENCRYPTION_METHODS for name in _ENCRYPTED},
}
_SWITCHES = (
    "require_auth_time",
    "require_enterprise",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "backchannel_logout_session_required",
    "frontchannel_logout_session_required",
)
SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""A private key does not belong in anything that comes from outside (RFC 7518 §6)."""


def validate_metadata(raw: Mapping[str, Any], *, development: bool) -> dict[str, Any] | Refusal:
    """The metadata to store, defaults filled in and unknown members left out, or every problem at once.

    ``raw`` is RFC 7591 metadata plus claims.md's additions; ``development`` allows loopback addresses over
    http. Codes: ``metadata_invalid`` (wrong type or value), ``redirect_uri_invalid``, ``metadata_required``;
    ``detail["reason"]`` says in English what to do.
    """
    problems: list[Problem] = []
    metadata = _typed(raw, problems)
    if not problems:
        fill_in_profile(metadata)
        for check in CHECKS:
            problems += check(metadata, development)
    return Refusal(tuple(problems)) if problems else metadata


def client_from(
    metadata: Mapping[str, Any],
    secrets: tuple[tuple[str, datetime | None], ...] = (),
    *,
    disabled: bool = False,
) -> Client:
    """The client that validated ``metadata`` describes."""
    values = {name: metadata[name] for name in Client.__dataclass_fields__ if name in metadata}
    values |= {name: tuple(metadata.get(name, ())) for name in _LISTS}
    values["grant_types"] = frozenset(metadata["grant_types"])
    values["scopes"] = frozenset(metadata["scope"].split())
    return Client(**values, secrets=secrets, disabled=disabled)


def _typed(raw: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Each known member with its right type, or a problem."""
    metadata: dict[str, Any] = {}
    for name in (*_TEXTS, *_URIS, "scope"):
        _take(raw, name, metadata, problems, _is_text, f"must be a text of at most {MAX_TEXT} characters")
    for name in _LISTS:
        _take(raw, name, metadata, problems, _is_texts, f"must be a list of at most {MAX_ITEMS} texts")
    for name in _SWITCHES:
        _take(raw, name, metadata, problems, lambda value: isinstance(value, bool), "must be true or false")
    for name, options in _OPTIONS.items():
        _take(raw, name, metadata, problems, options.__contains__, f"must be one of {', '.join(options)}")
    _take(raw, "jwks", metadata, problems, _is_public_jwks, "must be a JWK Set of public keys")
    _take(raw, "default_max_age", metadata, problems, _is_count, "must be a number of seconds")
    for name, (allowed, default) in _CHOICES.items():
        chosen = _FAPI_DEFAULTS.get(name, default) if raw.get("profile") in PROFILES else default
        metadata[name] = chosen if raw.get(name) is None else raw[name]
        if metadata[name] not in allowed:
            problems.append(problem(name, f"must be one of {', '.join(allowed)}"))
    return metadata


def _take(
    raw: Mapping[str, Any],
    name: str,
    into: dict[str, Any],
    problems: list[Problem],
    accepts: Callable[[Any], bool],
    reason: str,
) -> None:
    value = raw.get(name)
    if value is None:
        return
    if accepts(value):
        into[name] = value
    else:
        problems.append(problem(name, reason))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(_is_text(item) for item in value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9


def _is_public_jwks(value: Any) -> bool:
    keys = value.get("keys") if isinstance(value, dict) else None
    return (
        isinstance(keys, list)
        and interoperable_json.is_interoperable(value, MAX_DEPTH)
        and 0 < len(keys) <= MAX_ITEMS
        and all(isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") for key in keys)
        and not any(SECRET_MEMBERS & key.keys() for key in keys)
        and len(json.dumps(value)) <= 20 * MAX_TEXT
    )
