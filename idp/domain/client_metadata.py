"""What a client's registration may say: RFC 7591 metadata with the additions of claims.md, validated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult

from idp.domain.clients import (
    ACR_VALUES,
    ASSERTION_ALGORITHMS,
    AUTH_METHODS,
    GRANT_TYPES,
    SIGNING_ALGORITHMS,
    Client,
    is_client_id,
    split_uri,
)
from idp.domain.errors import Problem, Refusal
from idp.domain.handlers import MATTERS

MAX_ITEMS = 50
MAX_TEXT = 2000
MAX_SCOPE = 1000  # as much as an authorization and a consent can hold
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_TEXTS = ("client_id", "client_name")
_URIS = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "backchannel_logout_uri",
)
_LISTS = (
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "response_types",
    "contacts",
    "default_acr_values",
    "matters",
    "roles",
    "resources",
)
_CHOICES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "application_type": (("web", "native"), "web"),
    "token_endpoint_auth_method": (AUTH_METHODS, "client_secret_basic"),
    "id_token_signed_response_alg": (SIGNING_ALGORITHMS, "RS256"),
    "access_token_signed_response_alg": (SIGNING_ALGORITHMS, "ES256"),
    "subject_type": (("public",), "public"),
}
_SWITCHES = ("require_auth_time", "require_enterprise", "backchannel_logout_session_required")
_SECRET_MEMBERS = frozenset(
    {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)  # a private key does not belong in a registration


def validate_metadata(raw: Mapping[str, Any], *, development: bool) -> dict[str, Any] | Refusal:
    """The metadata to store, defaults filled in and unknown members left out, or every problem at once.

    ``raw`` is RFC 7591 metadata plus claims.md's additions; ``development`` allows loopback addresses over
    http. Codes: ``metadata_invalid`` (wrong type or value), ``redirect_uri_invalid``, ``metadata_required``,
    ``metadata_unsupported``; ``detail["reason"]`` says in English what to do.
    """
    problems: list[Problem] = []
    metadata = _typed(raw, problems)
    if not problems:
        for check in _CHECKS:
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


def _problem(field: str, reason: str, code: str = "metadata_invalid") -> Problem:
    return Problem(code, field, {"reason": reason})


def _typed(raw: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Each known member with its right type, or a problem."""
    metadata: dict[str, Any] = {}
    for name in (*_TEXTS, *_URIS, "scope", "token_endpoint_auth_signing_alg"):
        _take(raw, name, metadata, problems, _is_text, f"must be a text of at most {MAX_TEXT} characters")
    for name in _LISTS:
        _take(raw, name, metadata, problems, _is_texts, f"must be a list of at most {MAX_ITEMS} texts")
    for name in _SWITCHES:
        _take(raw, name, metadata, problems, lambda value: isinstance(value, bool), "must be true or false")
    _take(raw, "jwks", metadata, problems, _is_public_jwks, "must be a JWK Set of public keys")
    _take(raw, "default_max_age", metadata, problems, _is_count, "must be a number of seconds")
    for name, (allowed, default) in _CHOICES.items():
        metadata[name] = default if raw.get(name) is None else raw[name]
        if metadata[name] not in allowed:
            problems.append(_problem(name, f"must be one of {', '.join(allowed)}"))
    if raw.get("profile") is not None:
        problems.append(_problem("profile", "is not offered by this version", "metadata_unsupported"))
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
        problems.append(_problem(name, reason))


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
        and 0 < len(keys) <= MAX_ITEMS
        and all(isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") for key in keys)
        and not any(_SECRET_MEMBERS & key.keys() for key in keys)
        and len(json.dumps(value)) <= 20 * MAX_TEXT
    )


def _check_identity(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    if "client_name" not in metadata:
        return [_problem("client_name", "is required: people see it when they sign in", "metadata_required")]
    if not is_client_id(metadata.get("client_id", "x")):
        return [_problem("client_id", "may hold letters, digits, dot, hyphen and underscore, at most 64")]
    return []


def _check_grants(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    grants = metadata.setdefault("grant_types", ["authorization_code"])
    coded = "authorization_code" in grants
    responses = metadata.setdefault("response_types", ["code"] if coded else [])
    problems = []
    if not grants or set(grants) - set(GRANT_TYPES):
        problems.append(_problem("grant_types", f"may hold {', '.join(GRANT_TYPES)}"))
    if list(responses) != (["code"] if coded else []):
        problems.append(_problem("response_types", "must be code with authorization_code, else empty"))
    if "refresh_token" in grants and not coded:
        problems.append(_problem("grant_types", "refresh_token needs authorization_code"))
    if coded and not metadata.get("redirect_uris"):
        problems.append(_problem("redirect_uris", "is required for authorization_code", "metadata_required"))
    return problems


def _check_authentication(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    method = metadata["token_endpoint_auth_method"]
    problems = []
    if "jwks" in metadata and "jwks_uri" in metadata:
        problems.append(_problem("jwks", "only one of jwks and jwks_uri (RFC 7591 section 2)"))
    if method == "private_key_jwt" and not metadata.keys() & {"jwks", "jwks_uri"}:
        problems.append(_problem("jwks", "private_key_jwt needs jwks or jwks_uri", "metadata_required"))
    algorithm = metadata.get("token_endpoint_auth_signing_alg")
    if algorithm is not None and algorithm not in ASSERTION_ALGORITHMS:
        problems.append(
            _problem("token_endpoint_auth_signing_alg", f"must be one of {', '.join(ASSERTION_ALGORITHMS)}")
        )
    if method == "none" and "client_credentials" in metadata["grant_types"]:
        problems.append(_problem("grant_types", "client_credentials needs a client that authenticates"))
    return problems


def _check_redirect_uris(metadata: dict[str, Any], development: bool) -> list[Problem]:
    native = metadata["application_type"] == "native"
    reason = (
        "{} is not allowed: https without fragment, or for native clients a loopback address "
        "or a private scheme with a dot"
    )
    return [
        _problem(name, reason.format(uri), "redirect_uri_invalid")
        for name in ("redirect_uris", "post_logout_redirect_uris")
        for uri in metadata.get(name, [])
        if not _is_redirect_uri(uri, native=native, loopback=native or development)
    ]


def _is_redirect_uri(uri: str, *, native: bool, loopback: bool) -> bool:
    parts = split_uri(uri)
    if parts is None or "#" in uri or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return loopback and _is_loopback(parts)
    return native and "." in parts.scheme


def _is_loopback(parts: SplitResult) -> bool:
    return parts.hostname in {"127.0.0.1", "::1", "localhost"}


def _check_other_uris(metadata: dict[str, Any], development: bool) -> list[Problem]:
    return [
        _problem(name, "must be an https address")
        for name in _URIS
        if name in metadata and not _is_redirect_uri(metadata[name], native=False, loopback=development)
    ] + [
        _problem("resources", f"{uri} must be an absolute address without fragment (RFC 8707 section 2)")
        for uri in metadata.get("resources", [])
        if not _is_redirect_uri(uri, native=False, loopback=development)
    ]


def _check_scope(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    coded = "authorization_code" in metadata["grant_types"]
    scopes = metadata.setdefault("scope", "openid" if coded else "").split()
    metadata["scope"] = " ".join(dict.fromkeys(scopes))
    if len(scopes) > MAX_ITEMS or not all(_SCOPE_TOKEN.fullmatch(scope) for scope in scopes):
        return [_problem("scope", "must be scope tokens separated by spaces (RFC 6749 section 3.3)")]
    if len(metadata["scope"]) > MAX_SCOPE:
        return [_problem("scope", f"must have at most {MAX_SCOPE} characters")]
    return []


def _check_mandate(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    problems = []
    unknown = [matter for matter in metadata.get("matters", []) if matter not in MATTERS]
    if unknown:
        problems.append(_problem("matters", f"unknown: {', '.join(unknown)}; known: {', '.join(MATTERS)}"))
    if not all(_CODE.fullmatch(role) for role in metadata.get("roles", [])):
        problems.append(_problem("roles", "must be codes of lower-case letters, digits, - and _"))
    if set(metadata.get("default_acr_values", [])) - set(ACR_VALUES):
        problems.append(_problem("default_acr_values", f"may hold {', '.join(ACR_VALUES)}"))
    if not all("@" in contact for contact in metadata.get("contacts", [])):
        problems.append(_problem("contacts", "must be e-mail addresses"))
    return problems


_CHECKS = (
    _check_identity,
    _check_grants,
    _check_authentication,
    _check_redirect_uris,
    _check_other_uris,
    _check_scope,
    _check_mandate,
)
