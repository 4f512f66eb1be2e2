"""The doors of smdvs: what each asks for, and that each asks the provider at this moment."""

from __future__ import annotations

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import access
from clients.smdvs.access import Reviewer
from tests.clients.conftest import system_of
from tests.clients.provider import Person, TestProvider

REGULATOR = Person.natural_person(roles=["regulator"])
READING = "openid accident_report:read"


def reviewer(smdvs: Flask, token: str) -> Reviewer | Refusal:
    claims = access.claims_from(system_of(smdvs), token, clock.now())
    assert not isinstance(claims, Refusal)
    return access.reviewer_from(system_of(smdvs), token, claims)


def test_a_regulator_reviews(smdvs: Flask, provider: TestProvider) -> None:
    assert reviewer(smdvs, provider.access_token(REGULATOR)) == Reviewer("natural-1", "smdvs")


@pytest.mark.parametrize(
    ("person", "scope", "reason"),
    [
        (Person.handler(), None, "role_missing"),
        (Person.legal_person(), None, "role_missing"),
        (Person.natural_person(roles=["clerk"]), None, "role_missing"),
        (REGULATOR, READING, "scope_missing"),
    ],
)
def test_nobody_else_reviews(
    smdvs: Flask, provider: TestProvider, person: Person, scope: str | None, reason: str
) -> None:
    changes = {} if scope is None else {"scope": scope}
    refusal = reviewer(smdvs, provider.access_token(person, **changes))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.status) == (reason, 403)


def test_a_role_taken_away_a_moment_ago_is_gone(smdvs: Flask, provider: TestProvider) -> None:
    token = provider.access_token(REGULATOR)
    assert isinstance(reviewer(smdvs, token), Reviewer)
    provider.answer_changes["introspect"] = lambda body: {k: v for k, v in body.items() if k != "roles"}
    refusal = reviewer(smdvs, token)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "role_missing"


def test_a_review_is_never_taken_on_trust(smdvs: Flask, provider: TestProvider) -> None:
    token = provider.access_token(REGULATOR)
    provider.broken.add("introspect")
    with pytest.raises(ProviderUnavailable):
        reviewer(smdvs, token)
