"""Access tokens that were altered, made from good ones: what an attacker or a faulty provider might show.

Each is good in everything but what its name says. Where a check of ours has to find it, the
provider would call it active: introspection must not be the only thing that stands in the way.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey

from tests.clients.provider import ENTERPRISE, MATTER, OTHER_ENTERPRISE, Claims, Person, TestProvider

Change = Callable[[str, str, str], tuple[str, str, str]]

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BAD_CODE = "91990101MADEM00118"  # the check character is wrong


@dataclass
class Forger:
    """Makes tokens of ``provider`` and spoils them; ``bound_to`` is the key that good ones are bound to."""

    provider: TestProvider
    bound_to: str | None = None

    def good(self, person: Person | None = None, **changes: Any) -> str:
        """What the provider itself would sign; ``changes`` override claims, None leaves one out."""
        binding = {"cnf": {"jkt": self.bound_to}} if self.bound_to else {}
        return self.provider.access_token(person, **(binding | changes))

    def answered(self, answer: Mapping[str, Any], **changes: Any) -> str:
        """A good token of which introspection says something else."""
        token = self.good(**changes)
        self.provider.tokens[token] |= answer
        return token

    def claims(self) -> Claims:
        return dict(self.provider.tokens[self.good()])

    def header(self, **changes: Any) -> Claims:
        whole = {"alg": "ES256", "kid": self.provider.keys[0].kid, "typ": "at+jwt", **changes}
        return {name: value for name, value in whole.items() if value is not None}

    def signed(self, key: ECKey | None = None, **header: Any) -> str:
        """The claims of a good token under a header of the attacker's, signed by that key."""
        chosen = self.header(**header)
        signing = key or self.provider.keys[0]
        signed = f"{_encoded(chosen)}.{_encoded(self.claims())}"
        algorithm = jws.JWSRegistry.algorithms["RS256" if signing.key_type == "RSA" else "ES256"]
        return self.known(f"{signed}.{_base64url(algorithm.sign(signed.encode(), signing))}")

    def sealed(self, seal: Callable[[bytes], bytes], **header: Any) -> str:
        """The same with any way to make a signature of bytes."""
        signed = f"{_encoded(self.header(**header))}.{_encoded(self.claims())}"
        return self.known(f"{signed}.{_base64url(seal(signed.encode()))}")

    def altered(self, change: Change) -> str:
        """A good token with one of its three parts changed afterwards."""
        return self.known(_joined(change, self.good()))

    def known(self, token: str) -> str:
        """Let introspection call it active."""
        good = self.good()
        self.provider.tokens[token] = self.provider.tokens[good]
        self.provider.live[token] = self.provider.live[good]
        return token

    def revoked(self) -> str:
        token = self.good()
        self.provider.revoke_all()
        return token


@dataclass(frozen=True)
class Altered:
    """One row of the table: how the token is made, and how smdvs has to refuse it."""

    name: str
    make: Callable[[Forger], str]
    reason: str
    status: int = 401


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(part).encode())


def _joined(change: Change, token: str) -> str:
    header, payload, signature = token.split(".")
    return ".".join(change(header, payload, signature))


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _stranger(forger: Forger) -> ECKey:
    """An attacker's key that bears the provider's key id."""
    return ECKey.generate_key("P-256", {"kid": str(forger.provider.keys[0].kid)})


def _hmac_with_public_key(forger: Forger, form: str) -> str:
    key = forger.provider.keys[1]
    secret = key.as_pem(private=False) if form == "pem" else key.as_der(private=False)
    return forger.sealed(lambda text: hmac.digest(secret, text, "sha256"), alg="HS256", kid=key.kid)


def _own_key(forger: Forger, member: str) -> str:
    """The attacker signs, and says in the header where the key for it is to be had."""
    key = _stranger(forger)
    where = f"{forger.provider.issuer}/userinfo"
    value: Any = {"jwk": key.as_dict(private=False), "x5c": [_base64url(key.as_der(private=False))]}.get(
        member, where
    )
    return forger.signed(key, **{member: value})


def _other_half(header: str, payload: str, signature: str) -> tuple[str, str, str]:
    """ECDSA takes (r, n − s) for (r, s): another signature of the same words by nobody's key."""
    raw = _bytes(signature)
    s = P256_ORDER - int.from_bytes(raw[32:])
    return header, payload, _base64url(raw[:32] + s.to_bytes(32))


def _spare_bits(header: str, payload: str, signature: str) -> tuple[str, str, str]:
    """The last character of 64 bytes has four bits that mean nothing."""
    return header, payload, signature[:-1] + BASE64URL[BASE64URL.index(signature[-1]) ^ 1]


def _with_payload(**changes: Any) -> Change:
    def change(header: str, payload: str, signature: str) -> tuple[str, str, str]:
        return header, _encoded(json.loads(_bytes(payload)) | changes), signature

    return change


def _der(header: str, payload: str, signature: str) -> tuple[str, str, str]:
    """The signature as X.509 writes it, not as JWS does."""
    raw = _bytes(signature)
    parts = b"".join(b"\x02" + bytes([33]) + b"\0" + half for half in (raw[:32], raw[32:]))
    return header, payload, _base64url(b"\x30" + bytes([len(parts)]) + parts)


def _header(name: str, reason: str, **header: Any) -> Altered:
    return Altered(name, lambda forger: forger.signed(**header), reason)


def _claims(name: str, reason: str, status: int = 401, **claims: Any) -> Altered:
    return Altered(name, lambda forger: forger.good(**claims), reason, status)


def _answer(name: str, reason: str, answer: Mapping[str, Any], status: int = 401, **claims: Any) -> Altered:
    return Altered(name, lambda forger: forger.answered(answer, **claims), reason, status)


def _part(name: str, change: Change) -> Altered:
    return Altered(f"signed, then {name}", lambda forger: forger.altered(change), "token_signature")


def _header_rows() -> list[Altered]:
    algorithms = ["none", "None", "nOnE", "HS256", "HS512", "ES384", "EdDSA", "dir", "", 7, ["ES256"]]
    paths = ["../../../../dev/null", "/dev/null", "' OR '1'='1", "http://127.0.0.1:1/key"]
    kids = ["unknown", "", None, 7, ["x"], *paths]
    types = ["JWT", "id_token+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "at", "at+jwt; x", "", None]
    critical: list[Any] = [["exp"], ["b64"], ["unknown"], [], "exp", 7]
    return [
        *(_header(f"alg {alg!r}", "token_algorithm", alg=alg) for alg in algorithms),
        *(_header(f"kid {kid!r}", "token_key", kid=kid) for kid in kids),
        *(_header(f"typ {typ!r}", "token_type", typ=typ) for typ in types),
        *(_header(f"crit {value!r}", "token_signature", crit=value) for value in critical),
        _header("no alg", "token_malformed", alg=None),
        _header("too long a kid", "token_malformed", kid="x" * 3000),
        _header("RS256 by an EC key", "token_signature", alg="RS256"),
        Altered("alg none, unsigned", lambda f: f.sealed(lambda _: b"", alg="none"), "token_algorithm"),
        Altered("HS256, PEM", lambda f: _hmac_with_public_key(f, "pem"), "token_algorithm"),
        Altered("HS256, DER", lambda f: _hmac_with_public_key(f, "der"), "token_algorithm"),
        Altered("ES256 by the RSA key", lambda f: f.signed(kid=f.provider.keys[1].kid), "token_signature"),
        Altered("key in jwk", lambda f: _own_key(f, "jwk"), "token_signature"),
        Altered("key in jku", lambda f: _own_key(f, "jku"), "token_signature"),
        Altered("key in x5u", lambda f: _own_key(f, "x5u"), "token_signature"),
        Altered("key in x5c", lambda f: _own_key(f, "x5c"), "token_signature"),
    ]


def _signature_rows() -> list[Altered]:
    return [
        Altered("a stranger's signature", lambda f: f.signed(_stranger(f)), "token_signature"),
        _part("another enterprise", _with_payload(enterprise_credit_code=OTHER_ENTERPRISE)),
        _part("another matter", _with_payload(handler_scope=[MATTER, "x"])),
        _part("a longer life", _with_payload(exp=9_999_999_999)),
        _part("a truncated signature", lambda h, p, s: (h, p, s[:-2])),
        _part("half a signature", lambda h, p, s: (h, p, s[:43])),
        _part("no signature", lambda h, p, _: (h, p, "")),
        _part("a zero signature", lambda h, p, _: (h, p, "A" * 86)),
        _part("a longer signature", lambda h, p, s: (h, p, s + "AA")),
        _part("spare bits", _spare_bits),
        _part("padding", lambda h, p, s: (h, p, s + "==")),
        _part("a signature in DER", _der),
        # The same words by the same key, but not what the provider gave out.
        Altered(
            "the other signature of ECDSA", lambda f: _joined(_other_half, f.good()), "authorisation_ended"
        ),
        Altered("two parts", lambda f: f.good().rpartition(".")[0], "token_malformed"),
        Altered("five parts", lambda f: f.good() + ".a.b", "token_malformed"),
        Altered("no header", lambda f: "." + f.good().partition(".")[2], "token_malformed"),
        Altered("not a JWT", lambda _: "x.y.z", "token_malformed"),
        _claims("too long", "token_malformed", more="x" * 20_000),
    ]


def _claim_rows() -> list[Altered]:
    """Signed by the provider's key and called active by it: a fault of the provider, and no way in."""
    values: list[tuple[str, str, list[Any]]] = [
        ("iss", "token_issuer", [None, "http://127.0.0.1:1", "", ["x"], 7]),
        ("aud", "token_audience", [None, "smdvs", [], ["smdvs"], {"a": 1}, 7]),
        ("exp", "token_expired", [None, 0, "9999999999", True, [9_999_999_999]]),
        ("nbf", "token_not_yet_valid", [9_999_999_999, "now", True]),
        ("iat", "token_not_yet_valid", [9_999_999_999, "now"]),
        ("client_id", "token_claims", [None, "", 7]),
        ("sub", "token_claims", [None, "", 7]),
        ("cnf", "token_binding", [{"jkt": "someone"}, {}, "x", {"x5t#S256": "x"}]),
        ("enterprise_credit_code", "enterprise_invalid", [BAD_CODE, ENTERPRISE.lower(), f" {ENTERPRISE}"]),
        ("enterprise_credit_code", "enterprise_invalid", [None, "", 7, [ENTERPRISE]]),
    ]
    return [
        _claims(f"{name} {value!r}", reason, **{name: value})
        for name, reason, listed in values
        for value in listed
    ]


def _mandate_rows() -> list[Altered]:
    """Good tokens of people who may not do this."""
    scopes: list[Any] = [None, "", "openid", "accident_report:read", "accident_report:submitx", ["x"]]
    matters: list[Any] = [None, [], ["nev-recall"], MATTER, [[MATTER]], {MATTER: True}]
    types: list[Any] = [None, "natural_person", "Handler", "", ["handler"]]
    other = Person.handler(OTHER_ENTERPRISE)
    return [
        *(_claims(f"scope {value!r}", "scope_missing", 403, scope=value) for value in scopes),
        *(
            _claims(f"matters {value!r}", "handler_scope_missing", 403, handler_scope=value)
            for value in matters
        ),
        *(_claims(f"type {value!r}", "no_enterprise", 403, account_type=value) for value in types),
        Altered("another enterprise's handler", lambda f: f.good(other), "enterprise_mismatch", 403),
    ]


def _disagreements() -> list[Altered]:
    """Signed one way, and another way in introspection."""
    fixed = {
        "sub": "person-2",
        "client_id": "another-client",
        "enterprise_credit_code": OTHER_ENTERPRISE,
        "handler_authorization_id": "authorization-2",
    }
    reading = "openid accident_report:read"
    widened = {"scope": f"{reading} accident_report:submit"}
    matters, other_matters = {"handler_scope": [MATTER]}, ["nev-recall"]
    return [
        *(_answer(f"now {name}", "token_changed", {name: value}) for name, value in fixed.items()),
        _answer("scope withdrawn", "scope_missing", {"scope": reading}, 403),
        _answer("matter withdrawn", "handler_scope_missing", {"handler_scope": []}, 403),
        _answer("now a natural person", "no_enterprise", {"account_type": "natural_person"}, 403),
        _answer("scope widened", "scope_missing", widened, 403, scope=reading),
        _answer("matter widened", "handler_scope_missing", matters, 403, handler_scope=other_matters),
        _answer("active as text", "unavailable", {"active": "true"}, 503),
        Altered("revoked", lambda f: f.revoked(), "authorisation_ended"),
    ]


TABLE: list[Altered] = [
    *_header_rows(),
    *_signature_rows(),
    *_claim_rows(),
    *_mandate_rows(),
    *_disagreements(),
]
