from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import resources
from idp.domain.resources import Target

A, B, SELF = "https://a.example/", "https://b.example/", "https://id.example"
SERVED: Final = {
    SELF: frozenset[str](),
    A: frozenset({"a:read", "shared"}),
    B: frozenset({"b:read", "shared"}),
}


@pytest.mark.parametrize(
    ("scopes", "asked", "granted", "expected"),
    [
        ({"openid"}, (), (), Target((), frozenset({"openid"}))),
        ({"openid", "a:read"}, (), (), Target((A,), frozenset({"openid", "a:read"}))),
        ({"shared"}, (), (), Target((A, B), frozenset({"shared"}))),
        ({"a:read", "b:read", "shared"}, (A,), (), Target((A,), frozenset({"a:read", "shared"}))),
        ({"a:read", "b:read"}, (), (B,), Target((B,), frozenset({"b:read"}))),
        ({"a:read", "b:read"}, (A, A), (A, B), Target((A,), frozenset({"a:read"}))),
        ({"a:read", "openid"}, (SELF,), (), Target((SELF,), frozenset({"openid"}))),
        ({"own:scope"}, (A,), (), Target((A,), frozenset({"own:scope"}))),
        ({"a:read"}, (B,), (A,), None),
        ({"a:read"}, ("https://c.example/",), (), None),
        ({"a:read"}, (), ("https://c.example/",), None),
    ],
)
def test_a_token_is_meant_for_what_was_asked_with_the_scopes_that_mean_something_there(
    scopes: set[str], asked: tuple[str, ...], granted: tuple[str, ...], expected: Target | None
) -> None:
    assert resources.target(frozenset(scopes), asked, granted, SERVED) == expected


uris = st.lists(st.sampled_from([A, B, SELF, "https://c.example/"]), max_size=3).map(tuple)


@given(st.frozensets(st.sampled_from(["openid", "a:read", "b:read", "shared", "own"])), uris, uris)
def test_scopes_never_grow_and_nothing_beyond_the_grant_is_reached(
    scopes: frozenset[str], asked: tuple[str, ...], granted: tuple[str, ...]
) -> None:
    found = resources.target(scopes, asked, granted, SERVED)
    if found is None:
        return
    assert found.scopes <= scopes
    assert set(found.resources) <= SERVED.keys()
    assert not granted or set(found.resources) <= set(granted)
    assert not asked or set(found.resources) == set(asked)
