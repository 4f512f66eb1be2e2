from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from idp.domain.clients import FAPI_ALGORITHMS, SIGNING_ALGORITHMS, Client
from idp.oauth.client_keys import JWKS_PAUSE, NoClientKeys, keys_of, verified
from idp.oauth.signatures import MAX_JWT, UnverifiedJwt
from idp.outbound import Answer, OutboundError
from idp.services.platform import Platform
from tests.oauth.relying_party import base64url, signed, unsigned
from tests.services.conftest import MovableClock

EC = ECKey.generate_key("P-256", {"kid": "ec"})
EC_384 = ECKey.generate_key("P-384", {"kid": "ec-384"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
ED_448 = OKPKey.generate_key("Ed448", {"kid": "ed-448"})
X = OKPKey.generate_key("X25519", {"kid": "x"})
FOREIGN = ECKey.generate_key("P-256", {"kid": "ec"})
CLAIMS = {"iss": "rp", "n": 1}
ADDRESS = "https://rp.example/jwks.json"


def public(*keys: Any, **more: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False, **more) for key in keys]}


def client(*keys: Any) -> Client:
    return Client(client_id="rp", client_name="RP", jwks=public(*keys))


def jwt(key: Any, alg: str = "ES256", claims: Any = None, **header: Any) -> str:
    return signed(claims or CLAIMS, key, {"alg": alg, "kid": key.kid, **header})


def refused(platform: Platform, by: Client, token: str, algorithms: tuple[str, ...] = ("ES256",)) -> bool:
    with pytest.raises(UnverifiedJwt):
        verified(platform, by, token, algorithms)
    return True


@pytest.mark.parametrize(("alg", "key"), [("ES256", EC), ("PS256", RSA), ("RS256", RSA), ("EdDSA", ED)])
def test_what_the_client_signed_is_verified(platform: Platform, alg: str, key: Any) -> None:
    header, claims = verified(
        platform, client(EC, RSA, ED, X), jwt(key, alg, typ="x+jwt"), SIGNING_ALGORITHMS
    )
    assert header == {"typ": "x+jwt", "alg": alg, "kid": key.kid}
    assert claims == CLAIMS


@pytest.mark.checklist(65)
@pytest.mark.parametrize(
    "token",
    [
        jwt(RSA, "RS256"),
        jwt(EC_384, "ES384"),
        jwt(ED_448, "EdDSA"),
        jwt(FOREIGN),
        jwt(EC, kid="other"),
        signed(CLAIMS, OctKey.import_key(b"k" * 32), {"alg": "HS256", "kid": "ec"}),
        unsigned(CLAIMS, kid="ec"),
        jwt(EC)[:-8],
        jwt(EC) + ".x",
        "",
        "..",
        "\ud800",
        "a" * (MAX_JWT + 1),
    ],
)
def test_what_it_did_not_sign_as_asked_is_refused(platform: Platform, token: str) -> None:
    assert refused(platform, client(EC, EC_384, RSA, ED, ED_448), token, FAPI_ALGORITHMS)


def raw(payload: bytes, **header: Any) -> str:
    """Signed whatever it says: no library would."""
    parts = json.dumps({"alg": "ES256", "kid": "ec", **header}).encode(), payload
    text = ".".join(base64url(part) for part in parts)
    return f"{text}.{base64url(jws.JWSRegistry.algorithms['ES256'].sign(text.encode(), EC))}"


@pytest.mark.parametrize(
    "token",
    [
        raw(b"[]"),
        raw(b"5"),
        raw(b""),
        raw(b"\xff"),
        raw(b'{"a":NaN}'),
        raw(b'{"a":"\\ud800"}'),
        raw(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        raw(b"{}", crit=["exp"], exp=1),
        raw(b"{}", crit=["b64"], b64=True),
        raw(b"{}", crit=[]),
        base64url(b'{"alg":"ES256","x":' + b"[" * 1400 + b"]" * 1400 + b"}") + ".e30.AA",
        base64url(b'{"alg":"ES256","x":"' + b"x" * 4000 + b'"}') + ".e30.AA",
    ],
)
def test_a_good_signature_over_what_is_no_plain_jwt_is_refused(platform: Platform, token: str) -> None:
    assert refused(platform, client(EC), token)


@pytest.mark.checklist(68)
@pytest.mark.parametrize(
    "pointer",
    [
        {"jwk": FOREIGN.as_dict(private=False)},
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/cert.pem"},
    ],
)
def test_a_key_that_the_header_brings_along_is_never_used(
    platform: Platform, pointer: dict[str, Any]
) -> None:
    assert refused(platform, client(EC), jwt(FOREIGN, **pointer))
    assert verified(platform, client(EC), jwt(EC, **pointer), ["ES256"])[1] == CLAIMS


def test_an_unknown_header_parameter_is_ignored(platform: Platform) -> None:
    assert verified(platform, client(EC), raw(b'{"a":1}', brand_new="x"), ["ES256"])[1] == {"a": 1}


def test_without_kid_the_only_key_that_fits_is_meant(platform: Platform) -> None:
    token = signed(CLAIMS, EC, {"alg": "ES256"})
    assert verified(platform, client(RSA, EC, X), token, ["ES256"])[1] == CLAIMS
    other = ECKey.generate_key("P-256", {"kid": "other"})
    assert refused(platform, client(RSA, EC, other), token)


@pytest.mark.parametrize(
    "members",
    [{"use": "enc"}, {"alg": "ECDH-ES"}, {"key_ops": ["deriveKey"]}, {"use": "sig", "alg": "ES384"}],
)
def test_a_key_for_other_purposes_verifies_nothing(platform: Platform, members: dict[str, Any]) -> None:
    other = replace(client(EC), jwks=public(EC, **members))
    assert refused(platform, other, jwt(EC))
    assert verified(platform, replace(other, jwks=public(EC, use="sig", alg="ES256")), jwt(EC), ["ES256"])


def short_rsa() -> dict[str, Any]:
    """A modulus of 1024 bits, made from the half of a longer one."""
    return {"kty": "RSA", "kid": "rsa", "e": "AQAB", "n": base64url(b"\xc1" + b"\x01" * 127)}


ODD_KEYS: list[Any] = [
    5,
    {},
    {"kty": "unknown", "kid": "ec"},
    {"kty": ["EC"]},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"},
    {"kty": "EC", "crv": "brainpoolP256r1", "x": "AA", "y": "AA"},
    {"kty": "RSA", "n": "中", "e": "AQAB"},
    {"kty": "RSA", "n": 5, "e": "AQAB"},
    short_rsa(),
    {"kty": "oct", "k": "AAAA", "kid": "ec"},
    FOREIGN.as_dict(private=True),
]


@pytest.mark.parametrize("odd", ODD_KEYS)
def test_one_odd_key_spoils_none_of_the_others(platform: Platform, odd: Any) -> None:
    jwks = {"keys": [odd, *public(EC)["keys"]]}
    assert verified(platform, replace(client(EC), jwks=jwks), jwt(EC), ["ES256"])[1] == CLAIMS


@pytest.mark.parametrize("odd", ODD_KEYS)
def test_odd_keys_alone_are_none(platform: Platform, odd: Any) -> None:
    with pytest.raises(NoClientKeys):
        keys_of(platform, replace(client(EC), jwks={"keys": [odd]}))


def test_a_client_without_keys_has_signed_nothing(platform: Platform) -> None:
    assert refused(platform, Client(client_id="rp", client_name="RP"), jwt(EC))


# --- keys by address


@dataclass
class Address:
    """What is at a ``jwks_uri``, and how often it was asked for."""

    body: bytes = b"{}"
    status: int = 200
    down: bool = False
    asked: list[str] = field(default_factory=list)

    def holds(self, *keys: Any) -> None:
        self.body = json.dumps(public(*keys)).encode()

    def get(self, url: str, **_: Any) -> Answer:
        self.asked.append(url)
        if self.down:
            raise OutboundError("timeout", "rp.example")
        return Answer(self.status, {}, self.body)


@pytest.fixture
def address() -> Address:
    return Address()


@pytest.fixture
def fetching(platform: Platform, address: Address) -> Platform:
    return replace(platform, outbound=address)  # type: ignore[arg-type] # stands in for the network


@pytest.fixture
def remote() -> Client:
    return Client(client_id="rp", client_name="RP", jwks_uri=ADDRESS)


def test_fetched_keys_are_kept_for_a_minute(
    fetching: Platform, address: Address, remote: Client, time: MovableClock
) -> None:
    address.holds(EC)
    assert isinstance(keys_of(fetching, remote), KeySet)
    time.advance(seconds=59)
    keys_of(fetching, remote)
    assert address.asked == [ADDRESS]
    time.advance(seconds=2)
    keys_of(fetching, remote)
    assert len(address.asked) == 2


@pytest.mark.checklist(60)
def test_an_unknown_kid_makes_the_address_be_read_again(
    fetching: Platform, address: Address, remote: Client, time: MovableClock
) -> None:
    address.holds(RSA)
    keys_of(fetching, remote)
    time.advance(seconds=JWKS_PAUSE.total_seconds() + 1)
    address.holds(RSA, EC)
    assert verified(fetching, remote, jwt(EC), ["ES256"])[1] == CLAIMS
    assert len(address.asked) == 2


@pytest.mark.checklist(60)
def test_made_up_kids_cause_one_fetch_in_each_pause(
    fetching: Platform, address: Address, remote: Client, time: MovableClock
) -> None:
    address.holds(EC)
    for _ in range(4):
        assert all(refused(fetching, remote, jwt(FOREIGN, kid=f"made-up-{n}")) for n in range(5))
        time.advance(seconds=JWKS_PAUSE.total_seconds() + 1)
    assert len(address.asked) == 4


def test_the_keys_of_a_registered_set_are_never_looked_for_elsewhere(
    fetching: Platform, address: Address
) -> None:
    assert refused(fetching, client(EC), jwt(FOREIGN, kid="made-up"))
    assert address.asked == []


@pytest.mark.parametrize("fault", [{"down": True}, {"status": 404}, {"status": 302}])
def test_an_address_that_fails_is_left_alone_for_a_pause(
    fetching: Platform, address: Address, remote: Client, time: MovableClock, fault: dict[str, Any]
) -> None:
    address.holds(EC)
    for name, value in fault.items():
        setattr(address, name, value)
    for _ in range(3):
        assert refused(fetching, remote, jwt(EC))
    assert len(address.asked) == 1
    address.down, address.status = False, 200
    time.advance(seconds=JWKS_PAUSE.total_seconds() + 1)
    assert verified(fetching, remote, jwt(EC), ["ES256"])[1] == CLAIMS


def test_the_same_jwk_is_imported_once_and_still_verifies_each_signature(platform: Platform) -> None:
    (first,), (second,) = (list(keys_of(platform, client(EC))) for _ in range(2))
    assert first is second
    assert verified(platform, client(EC), jwt(EC), ("ES256",))[1] == CLAIMS
    assert refused(platform, client(EC), jwt(FOREIGN))


def test_a_jwk_that_is_very_large_is_not_kept(platform: Platform) -> None:
    large = Client(client_id="rp", client_name="RP", jwks=public(EC, x5c=["A" * 5000]))
    (first,), (second,) = (list(keys_of(platform, large)) for _ in range(2))
    assert first is not second
    assert verified(platform, large, jwt(EC), ("ES256",))[1] == CLAIMS
