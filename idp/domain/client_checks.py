"""What must be true of a registration as a whole, once each member has its type: one function a matter.

Each takes the metadata, fills in the defaults of its matter, and answers what is wrong.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from idp.domain.clients import (
    ACR_VALUES,
    CERTIFICATE_METHODS,
    DEVICE_CODE,
    FAPI2_MESSAGE_SIGNING,
    FAPI_ALGORITHMS,
    GRANT_TYPES,
    PROFILES,
    TOKEN_EXCHANGE,
    is_client_id,
    is_web_address,
    split_uri,
)
from idp.domain.errors import Problem
from idp.domain.handler_terms import MATTERS
from idp.domain.logout import frame_fault

MAX_SCOPES = 50
MAX_SCOPE = 1000  # as much as an authorization and a consent can hold
AUTHORIZATION_DETAILS_TYPES = ("enterprise_handler",)
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HTTPS_ALWAYS = ("sector_identifier_uri", "initiate_login_uri")
_LOOPBACK_IN_DEVELOPMENT = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
)
_FAPI_SIGNATURES = (
    "id_token_signed_response_alg",
    "access_token_signed_response_alg",
    "token_endpoint_auth_signing_alg",
    "request_object_signing_alg",
    "userinfo_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
)


def problem(field: str, reason: str, code: str = "metadata_invalid") -> Problem:
    """A problem of one member; ``reason`` says in English what to do."""
    return Problem(code, field, {"reason": reason})


def fill_in_profile(metadata: dict[str, Any]) -> None:
    """What a profile implies becomes part of the registration, so that everybody can read it there."""
    if metadata.get("profile") not in PROFILES:
        return
    metadata["require_pushed_authorization_requests"] = True
    if not metadata.get("tls_client_certificate_bound_access_tokens"):
        metadata["dpop_bound_access_tokens"] = True
    metadata.setdefault("authorization_signed_response_alg", "ES256")
    metadata.setdefault("introspection_signed_response_alg", "ES256")
    if metadata["profile"] == FAPI2_MESSAGE_SIGNING:
        metadata["require_signed_request_object"] = True


def _check_identity(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    if "client_name" not in metadata:
        return [problem("client_name", "is required: people see it when they sign in", "metadata_required")]
    return [
        problem(name, "may hold letters, digits, dot, hyphen and underscore, at most 64")
        for name in ("client_id", "may_act")
        if not is_client_id(metadata.get(name, "x"))
    ]


def _check_grants(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    grants = metadata.setdefault("grant_types", ["authorization_code"])
    coded = "authorization_code" in grants
    responses = metadata.setdefault("response_types", ["code"] if coded else [])
    problems = []
    if not grants or set(grants) - set(GRANT_TYPES):
        problems.append(problem("grant_types", f"may hold {', '.join(GRANT_TYPES)}"))
    if list(responses) != (["code"] if coded else []):
        problems.append(problem("response_types", "must be code with authorization_code, else empty"))
    if "refresh_token" in grants and not coded and DEVICE_CODE not in grants:
        problems.append(problem("grant_types", "refresh_token needs authorization_code or device_code"))
    if coded and not metadata.get("redirect_uris"):
        problems.append(problem("redirect_uris", "is required for authorization_code", "metadata_required"))
    return problems


def _check_authentication(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    method, keys = metadata["token_endpoint_auth_method"], metadata.keys() & {"jwks", "jwks_uri"}
    problems = []
    if len(keys) > 1:
        problems.append(problem("jwks", "only one of jwks and jwks_uri (RFC 7591 section 2)"))
    if method in {"private_key_jwt", "self_signed_tls_client_auth"} and not keys:
        problems.append(problem("jwks", f"{method} needs jwks or jwks_uri", "metadata_required"))
    names = sorted(name for name in metadata if name.startswith("tls_client_auth_"))
    if len(names) != (method == "tls_client_auth"):
        reason = (
            "tls_client_auth needs exactly one tls_client_auth_… name, other methods none (RFC 8705 2.1.2)"
        )
        problems.append(problem("token_endpoint_auth_method", reason))
    if method == "none":
        problems += [
            problem("grant_types", f"{grant} needs a client that authenticates")
            for grant in ("client_credentials", TOKEN_EXCHANGE)
            if grant in metadata["grant_types"]
        ]
    return problems


def _check_encryption(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    """Each ``…_encrypted_response_alg`` has its ``enc``, and there are keys to encrypt to."""
    problems = [
        problem(name, "needs the _alg beside it")
        for name in metadata
        if name.endswith("_encrypted_response_enc") and name.removesuffix("enc") + "alg" not in metadata
    ]
    for name in [name for name in metadata if name.endswith("_encrypted_response_alg")]:
        metadata.setdefault(name.removesuffix("alg") + "enc", "A256GCM")
        if not metadata.keys() & {"jwks", "jwks_uri"}:
            problems.append(problem(name, "needs jwks or jwks_uri", "metadata_required"))
    if "userinfo_encrypted_response_alg" in metadata:  # a signed answer within, so that its origin is known
        metadata.setdefault("userinfo_signed_response_alg", metadata["id_token_signed_response_alg"])
    return problems


def _check_profile(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    """FAPI 2.0 Security Profile 5.3.2.1 and 5.4."""
    profile = metadata.get("profile")
    if profile not in PROFILES:
        return []
    methods = ("private_key_jwt", *CERTIFICATE_METHODS)
    problems = [
        problem(name, f"{profile} allows {', '.join(FAPI_ALGORITHMS)}")
        for name in _FAPI_SIGNATURES
        if metadata.get(name, FAPI_ALGORITHMS[0]) not in FAPI_ALGORITHMS
    ]
    if metadata["token_endpoint_auth_method"] not in methods:
        problems.append(problem("token_endpoint_auth_method", f"{profile} allows {', '.join(methods)}"))
    return problems


def _check_redirect_uris(metadata: dict[str, Any], development: bool) -> list[Problem]:
    native = metadata["application_type"] == "native"
    reason = (
        "{} is not allowed: https without fragment, or for native clients a loopback address "
        "or a private scheme with a dot"
    )
    return [
        problem(name, reason.format(uri), "redirect_uri_invalid")
        for name in ("redirect_uris", "post_logout_redirect_uris")
        for uri in metadata.get(name, [])
        if not _is_redirect_uri(uri, native=native, loopback=native or development)
    ]


def _is_redirect_uri(uri: str, *, native: bool, loopback: bool) -> bool:
    return is_web_address(uri, loopback=loopback) or (native and _is_private_scheme(uri))


def _is_private_scheme(uri: str) -> bool:
    """Of an installed application (RFC 8252 §7.1): one that is a domain name, turned round."""
    parts = split_uri(uri)
    return parts is not None and "." in parts.scheme and "#" not in uri and "@" not in parts.netloc


def _check_other_uris(metadata: dict[str, Any], development: bool) -> list[Problem]:
    checked = [(name, development) for name in _LOOPBACK_IN_DEVELOPMENT]
    checked += [(name, False) for name in _HTTPS_ALWAYS]
    problems = [
        problem(name, "must be an https address")
        for name, loopback in checked
        if name in metadata and not is_web_address(metadata[name], loopback=loopback)
    ]
    problems += [
        problem("resources", f"{uri} must be an absolute address without fragment (RFC 8707 section 2)")
        for uri in metadata.get("resources", [])
        if not is_web_address(uri, loopback=development)
    ]
    return problems + [
        problem("request_uris", f"{uri} must be an https address")
        for uri in metadata.get("request_uris", [])
        if not is_web_address(uri.partition("#")[0], loopback=False)
    ]


def _check_frames(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    uri = metadata.get("frontchannel_logout_uri")
    if uri is None or split_uri(uri) is None:  # said already
        return []
    fault = frame_fault(uri, filter(split_uri, metadata.get("redirect_uris", [])))
    return [problem("frontchannel_logout_uri", fault)] if fault else []


def _check_sector(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    """Addresses of several hosts are one sector only by a document that says so (OIDC Core 8.1)."""
    hosts = {urlsplit(uri).hostname for uri in metadata.get("redirect_uris", [])}
    if metadata["subject_type"] == "pairwise" and len(hosts) != 1 and "sector_identifier_uri" not in metadata:
        reason = "is needed with subject_type pairwise unless all redirect_uris have one host"
        return [problem("sector_identifier_uri", reason, "metadata_required")]
    return []


def _check_scope(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    interactive = bool({"authorization_code", DEVICE_CODE} & set(metadata["grant_types"]))
    scopes = metadata.setdefault("scope", "openid" if interactive else "").split()
    metadata["scope"] = " ".join(dict.fromkeys(scopes))
    if len(scopes) > MAX_SCOPES or not all(_SCOPE_TOKEN.fullmatch(scope) for scope in scopes):
        return [problem("scope", "must be scope tokens separated by spaces (RFC 6749 section 3.3)")]
    if len(metadata["scope"]) > MAX_SCOPE:
        return [problem("scope", f"must have at most {MAX_SCOPE} characters")]
    if "identity_document" in scopes and "userinfo_encrypted_response_alg" not in metadata:
        return [problem("scope", "identity_document needs an encrypted userinfo answer", "metadata_required")]
    return []


def _check_mandate(metadata: dict[str, Any], _development: bool) -> list[Problem]:
    known = {
        "matters": tuple(sorted(MATTERS)),
        "default_acr_values": ACR_VALUES,
        "authorization_details_types": AUTHORIZATION_DETAILS_TYPES,
    }
    problems = []
    for name, values in known.items():
        unknown = [value for value in metadata.get(name, []) if value not in values]
        if unknown:
            problems.append(problem(name, f"unknown: {', '.join(unknown)}; known: {', '.join(values)}"))
    if not all(_CODE.fullmatch(role) for role in metadata.get("roles", [])):
        problems.append(problem("roles", "must be codes of lower-case letters, digits, - and _"))
    if not all("@" in contact for contact in metadata.get("contacts", [])):
        problems.append(problem("contacts", "must be e-mail addresses"))
    return problems


CHECKS = (
    _check_identity,
    _check_grants,
    _check_authentication,
    _check_encryption,
    _check_profile,
    _check_redirect_uris,
    _check_other_uris,
    _check_frames,
    _check_sector,
    _check_scope,
    _check_mandate,
)
