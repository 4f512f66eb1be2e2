from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwe, jws, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from idp import clock
from idp.domain.clients import CONTENT_ENCRYPTION_METHODS, Client
from idp.oauth import jose, signatures
from idp.oauth.jose import NoEncryptionKey
from idp.services.platform import Platform

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
P256 = ECKey.generate_key("P-256", {"kid": "p-256"})
ELLIPTIC: list[Key] = [
    P256,
    ECKey.generate_key("P-384", {"kid": "p-384"}),
    ECKey.generate_key("P-521", {"kid": "p-521"}),
    OKPKey.generate_key("X25519", {"kid": "x"}),
]
UNFIT: list[Key] = [
    OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    OKPKey.generate_key("X448", {"kid": "x-448"}),
    ECKey.generate_key("secp256k1", {"kid": "k1"}),
]


def client(*keys: Key, **members: Any) -> Client:
    jwks = {"keys": [key.as_dict(private=False, **members) for key in keys]}
    return Client(client_id="rp", client_name="RP", jwks=jwks)


def opened(token: str, key: Key, alg: str, enc: str) -> tuple[dict[str, Any], str]:
    found = jwe.decrypt_compact(token, key, algorithms=[alg, enc])
    return found.headers(), (found.plaintext or b"").decode()


@pytest.mark.parametrize("enc", CONTENT_ENCRYPTION_METHODS)
@pytest.mark.parametrize(("alg", "key"), [("RSA-OAEP-256", RSA), *(("ECDH-ES", key) for key in ELLIPTIC)])
def test_only_the_client_reads_what_is_encrypted_to_it(
    platform: Platform, alg: str, enc: str, key: Any
) -> None:
    token = jose.encrypt(platform, client(*UNFIT, key), "a.signed.jwt", alg, enc)
    header, text = opened(token, key, alg, enc)
    assert text == "a.signed.jwt"
    assert header.items() >= {"alg": alg, "enc": enc, "cty": "JWT", "kid": key.kid}.items()


def test_each_encryption_is_another(platform: Platform) -> None:
    tokens = {jose.encrypt(platform, client(P256), "x", "ECDH-ES", "A256GCM") for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("alg", "keys", "members"),
    [
        ("RSA-OAEP-256", [P256], {}),
        ("ECDH-ES", [RSA], {}),
        ("ECDH-ES", UNFIT, {}),
        ("ECDH-ES", [P256], {"use": "sig"}),
        ("ECDH-ES", [P256], {"alg": "ES256"}),
        ("ECDH-ES", [P256], {"key_ops": ["verify"]}),
        ("ECDH-ES", [], {}),
    ],
)
def test_without_a_fitting_key_nothing_leaves(
    platform: Platform, alg: str, keys: list[Any], members: dict[str, Any]
) -> None:
    with pytest.raises(NoEncryptionKey):
        jose.encrypt(platform, client(*keys, **members), "x", alg, "A256GCM")


def test_a_key_that_gives_the_secret_away_is_refused(platform: Platform) -> None:
    of_low_order = {"kty": "OKP", "crv": "X25519", "x": "A" * 43}  # RFC 7748 6.1: all zero
    with pytest.raises(NoEncryptionKey):
        jose.encrypt(platform, replace(client(), jwks={"keys": [of_low_order]}), "x", "ECDH-ES", "A256GCM")


@pytest.mark.parametrize("members", [{"use": "enc"}, {"alg": "ECDH-ES"}, {"key_ops": ["deriveKey"]}])
def test_the_key_made_for_it_is_chosen(platform: Platform, members: dict[str, Any]) -> None:
    other = ECKey.generate_key("P-256", {"kid": "signs", "use": "sig"})
    both = client(other).jwks["keys"] + client(P256, **members).jwks["keys"]  # type: ignore[index]
    token = jose.encrypt(platform, replace(client(), jwks={"keys": both}), "x", "ECDH-ES", "A256GCM")
    assert opened(token, P256, "ECDH-ES", "A256GCM")[0]["kid"] == "p-256"


def test_a_key_without_name_is_not_given_one(platform: Platform) -> None:
    nameless = ECKey.generate_key("P-256")
    token = jose.encrypt(platform, client(nameless), "x", "ECDH-ES", "A256GCM")
    assert "kid" not in opened(token, nameless, "ECDH-ES", "A256GCM")[0]


def test_what_is_protected_is_signed_within(platform: Platform) -> None:
    now = clock.now()
    arguments = (platform, client(P256), {"iss": "x"}, "some+jwt", "ES256")
    plain = jose.protect(*arguments, None, now)
    nested = jose.protect(*arguments, ("ECDH-ES", "A128GCM"), now)
    _, inner = opened(nested, P256, "ECDH-ES", "A128GCM")
    keys = platform.keyring.verification_keyset(now)
    for token in (plain, inner):
        decoded = jwt.decode(token, keys, registry=signatures.registry("ES256"))
        assert (decoded.header["typ"], decoded.claims) == ("some+jwt", {"iss": "x"})


@pytest.mark.pitfall(10)
# authlib.md, P10: a set of several keys signs with any of them, and a bare key without its name.
def test_of_several_keys_the_one_in_charge_signs_and_says_so(platform: Platform) -> None:
    now = clock.now()
    in_charge = platform.keyring.signing_key("ES256", now).kid
    platform.keyring.rotate("ES256", now)
    tokens = [jose.sign(platform, "ES256", "JWT", {}, now) for _ in range(12)]
    assert {jws.extract_compact(token.encode()).headers()["kid"] for token in tokens} == {in_charge}


@pytest.mark.parametrize(("alg", "enc", "expected"), [(None, None, None), ("a", "b", ("a", "b"))])
def test_encryption_is_what_is_registered(alg: Any, enc: Any, expected: Any) -> None:
    assert jose.encryption_of(alg, enc) == expected
