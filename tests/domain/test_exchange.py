from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import exchange
from idp.domain.clients import Client
from idp.domain.errors import Refusal

ISSUER: Final = "https://id.example"
ACTOR: Final = Client(client_id="actor", client_name="A", resources=("https://a.example/",))
SUBJECT: Final[dict[str, Any]] = {
    "client_id": "maker",
    "aud": ["https://a.example/", "https://b.example/"],
    "scope": "openid offline_access enterprise handler a:read",
}


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"aud": "https://a.example/"}, True),
        ({"aud": "https://b.example/"}, False),
        ({"aud": ISSUER, "client_id": "actor"}, True),
        ({"may_act": {"iss": ISSUER, "sub": "actor"}, "aud": ISSUER}, True),
        ({"may_act": {"iss": ISSUER, "sub": "another"}}, False),
        ({"may_act": {"iss": ISSUER, "sub": "another"}, "client_id": "actor"}, False),
        ({"may_act": {"iss": "https://other.example", "sub": "actor"}}, False),
        ({"may_act": {"sub": "actor"}}, False),
        ({"may_act": {}}, False),
    ],
)
def test_whom_it_was_issued_to_or_is_meant_for_may_act_unless_the_token_names_another(
    changes: dict[str, Any], may: bool
) -> None:
    assert exchange.may_exchange(ACTOR, SUBJECT | changes, ISSUER) is may


def test_scopes_are_those_asked_and_never_those_of_the_sign_in() -> None:
    assert exchange.scopes_for(SUBJECT, frozenset()) == frozenset({"enterprise", "handler", "a:read"})
    assert exchange.scopes_for(SUBJECT, frozenset({"handler"})) == frozenset({"handler"})
    for wider in ("b:read", "openid", "offline_access"):
        assert isinstance(exchange.scopes_for(SUBJECT, frozenset({wider})), Refusal)


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6))
def test_each_actor_is_named_with_those_before_and_there_are_not_too_many(names: list[str]) -> None:
    subject = dict(SUBJECT)
    for number, name in enumerate(names):
        act = exchange.actors(subject, Client(client_id=name, client_name=name))
        if number >= exchange.DEEPEST:
            assert isinstance(act, Refusal)
            return
        assert isinstance(act, dict)
        assert act["sub"] == name
        assert act.get("act") == subject.get("act")
        subject["act"] = act
