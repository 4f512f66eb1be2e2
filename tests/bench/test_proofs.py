from __future__ import annotations

import time
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey

from bench import proofs
from bench.population import Signer

ISSUER = "http://127.0.0.1:9999"
PUSH, TOKEN = "/oauth/par", "/oauth/token"
KEY = ECKey.generate_key("P-256", auto_kid=True)
CLIENT = Signer("bench-fapi", KEY.as_dict(private=True))


def supply(units: int) -> list[list[str]]:
    made = proofs.supply(ISSUER, CLIENT, PUSH, TOKEN, units)
    return [line.split(" ") for line in made.lines]


def header_of(token: str) -> dict[str, Any]:
    return dict(jws.extract_compact(token.encode()).headers())


def test_a_unit_has_an_assertion_and_a_proof_for_each_of_its_two_forms() -> None:
    ((push_assertion, push_proof, token_assertion, token_proof),) = supply(1)
    for assertion in (push_assertion, token_assertion):
        claims = jwt.decode(assertion, KEY).claims
        assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT.client_id, CLIENT.client_id, ISSUER)
        assert 0 < claims["exp"] - time.time() <= 3600
    for proof, path in ((push_proof, PUSH), (token_proof, TOKEN)):
        header = header_of(proof)
        claims = jwt.decode(proof, ECKey.import_key(header["jwk"])).claims
        assert (header["typ"], claims["htm"], claims["htu"]) == ("dpop+jwt", "POST", ISSUER + path)
        assert abs(claims["iat"] - time.time()) <= 30
        assert "d" not in header["jwk"]


def test_nothing_is_made_twice() -> None:
    texts = [text for unit in supply(20) for text in unit]
    names = {jws.extract_compact(text.encode()).payload for text in texts}
    assert len(texts) == len(names) == 80


def test_a_connection_proves_one_key_and_another_connection_another() -> None:
    first, second = supply(2), supply(2)
    keys = [{header_of(unit[at])["jwk"]["x"] for unit in units for at in (1, 3)} for units in (first, second)]
    assert [len(each) for each in keys] == [1, 1]
    assert keys[0] != keys[1]
