"""A token that is bound to a key opens nothing without a proof of that key, made for this request, once."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey
from werkzeug.test import TestResponse

from tests.clients.conftest import PUBLIC_URL
from tests.clients.documents import report_json
from tests.clients.provider import TestProvider
from tests.clients.smdvs.test_forged_tokens import REPORTS, app, op, rows

__all__ = ["app", "op"]  # fixtures of the module

URL = PUBLIC_URL + REPORTS


class Holder:
    """Somebody with a key and a token bound to it."""

    def __init__(self, op: TestProvider) -> None:
        self.key = ECKey.generate_key("P-256")
        self.token = op.access_token(cnf={"jkt": self.key.thumbprint()})

    def claims(self, **changes: Any) -> dict[str, Any]:
        whole = {
            "htm": "POST",
            "htu": URL,
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(12),
            "ath": hash_of(self.token),
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def proof(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        whole = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False), **(header or {})}
        kept = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(kept, self.claims(**changes), self.key, algorithms=["ES256"])


def hash_of(token: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def unsigned(holder: Holder) -> str:
    header = {"typ": "dpop+jwt", "alg": "none", "jwk": holder.key.as_dict(private=False)}
    parts = (urlsafe_b64encode(json.dumps(part).encode()) for part in (header, holder.claims()))
    return ".".join(part.rstrip(b"=").decode() for part in parts) + "."


def by_a_secret(holder: Holder) -> str:
    key = OctKey.generate_key(256)
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": key.as_dict(private=True)}
    return jwt.encode(header, holder.claims(), key, algorithms=["HS256"])


def by_another_key(holder: Holder) -> str:
    """The holder's public key in the header, a thief's signature below."""
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": holder.key.as_dict(private=False)}
    return jwt.encode(header, holder.claims(), ECKey.generate_key("P-256"), algorithms=["ES256"])


def with_crit(holder: Holder, value: list[str]) -> str:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": holder.key.as_dict(private=False), "crit": value}
    parts = (urlsafe_b64encode(json.dumps(part).encode()) for part in (header, holder.claims()))
    signed = b".".join(part.rstrip(b"=") for part in parts)
    signature = jws.JWSRegistry.algorithms["ES256"].sign(signed, holder.key)
    return f"{signed.decode()}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


PROOFS: dict[str, Callable[[Holder], str]] = {
    "of another method": lambda h: h.proof(htm="GET"),
    "of a method in lower case": lambda h: h.proof(htm="post"),
    "of another address": lambda h: h.proof(htu=URL + "/x"),
    "of another host": lambda h: h.proof(htu="http://127.0.0.2:5001" + REPORTS),
    "of another port": lambda h: h.proof(htu="http://127.0.0.1:5002" + REPORTS),
    "of another scheme": lambda h: h.proof(htu=URL.replace("http:", "https:")),
    "of no address": lambda h: h.proof(htu=None),
    "of a broken address": lambda h: h.proof(htu="http://[::1"),
    "of an address that is a list": lambda h: h.proof(htu=[URL]),
    "of another token": lambda h: h.proof(ath=hash_of("another")),
    "of no token": lambda h: h.proof(ath=None),
    "too old": lambda h: h.proof(iat=int(time.time()) - 600),
    "from the future": lambda h: h.proof(iat=int(time.time()) + 600),
    "without time": lambda h: h.proof(iat=None),
    "with a time that is true": lambda h: h.proof(iat=True),
    "without jti": lambda h: h.proof(jti=None),
    "with a jti that is a number": lambda h: h.proof(jti=7),
    "that is a JWT": lambda h: h.proof({"typ": "JWT"}),
    "that is an access token": lambda h: h.token,
    "without type": lambda h: h.proof({"typ": None}),
    "without key": lambda h: h.proof({"jwk": None}),
    "with the private key": lambda h: h.proof({"jwk": h.key.as_dict(private=True)}),
    "with a key that is none": lambda h: h.proof({"jwk": {"kty": "EC"}}),
    "with a key in an address": lambda h: h.proof({"jwk": None, "jku": "http://127.0.0.1:1/"}),
    "with an extension": lambda h: with_crit(h, ["x"]),
    "with no extension": lambda h: with_crit(h, []),
    "unsigned": unsigned,
    "signed with a shared secret": by_a_secret,
    "signed by another key": by_another_key,
    "with its signature cut": lambda h: h.proof()[:-4],
    "twice in one header": lambda h: f"{h.proof()}, {h.proof()}",
    "too long": lambda h: h.proof(more="x" * 9000),
    "that is empty": lambda _: "",
    "that is no JWT": lambda _: "a.b.c",
}


def post(app: Flask, token: str, *proofs: str, scheme: str = "DPoP") -> TestResponse:
    headers = [("Authorization", f"{scheme} {token}"), *(("DPoP", proof) for proof in proofs)]
    return app.test_client().post(REPORTS, json=report_json(), headers=headers)


def check_bad_proof(answer: TestResponse) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.json is not None
    assert answer.json["code"] == "invalid_dpop_proof"
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("DPoP ")
    assert 'error="invalid_dpop_proof"' in challenge
    assert "ES256" in challenge


def check_bad_binding(answer: TestResponse) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.json is not None
    assert (answer.json["code"], answer.json["reason"]) == ("invalid_token", "token_binding")


@pytest.mark.parametrize("forge", PROOFS.values(), ids=PROOFS)
def test_a_proof_that_is_none_opens_nothing(
    app: Flask, op: TestProvider, forge: Callable[[Holder], str]
) -> None:
    holder, before = Holder(op), rows(app)
    check_bad_proof(post(app, holder.token, forge(holder)))
    assert rows(app) == before


def test_no_proof_and_two_proofs_open_nothing(app: Flask, op: TestProvider) -> None:
    holder, before = Holder(op), rows(app)
    check_bad_proof(post(app, holder.token))
    check_bad_proof(post(app, holder.token, holder.proof(), holder.proof()))
    assert rows(app) == before


def test_a_stolen_token_with_the_thiefs_own_proof_is_bound_to_another_key(
    app: Flask, op: TestProvider
) -> None:
    holder, thief, before = Holder(op), Holder(op), rows(app)
    thief.token = holder.token
    check_bad_binding(post(app, thief.token, thief.proof()))
    assert rows(app) == before


def test_a_bound_token_is_no_bearer_token(app: Flask, op: TestProvider) -> None:
    holder, before = Holder(op), rows(app)
    check_bad_binding(post(app, holder.token, scheme="Bearer"))
    check_bad_binding(post(app, holder.token, holder.proof(), scheme="Bearer"))
    assert rows(app) == before


def test_a_token_without_a_key_is_not_taken_with_a_proof(app: Flask, op: TestProvider) -> None:
    holder, before = Holder(op), rows(app)
    holder.token = op.access_token()
    check_bad_binding(post(app, holder.token, holder.proof()))
    assert rows(app) == before


def test_a_proof_counts_once_even_when_shown_at_once(app: Flask, op: TestProvider) -> None:
    holder = Holder(op)
    proof, before = holder.proof(), rows(app)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(app, holder.token, proof), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]
    for answer in answers:
        if answer.status_code == 401:
            check_bad_proof(answer)
    assert rows(app)["reports"] == before["reports"] + 1


def test_nobody_without_a_good_token_makes_us_remember_a_proof(app: Flask, op: TestProvider) -> None:
    holder = Holder(op)
    before = rows(app)
    for token in ("x.y.z", op.access_token(exp=1, cnf={"jkt": holder.key.thumbprint()})):
        holder.token = token
        assert post(app, token, holder.proof()).status_code == 401
    assert rows(app) == before
