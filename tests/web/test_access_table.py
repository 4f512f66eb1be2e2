"""Role × page × foreign enterprise: who may do what, for every route of the application (GB/T 22239 8.1.4.2).

A new route without its row fails the first test. Each row is walked by every kind of account with real
requests; whoever is refused leaves every row of the database as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.oauth.routes import JsonEndpoints
from tests.web.kinds import KINDS, World, everything, world
from tests.web.visitor import Visitor, hidden

SIGN_IN: Final = "sign in"
OUTSIDE: Final = {"nobody", "frozen"}
LEGAL_KINDS: Final = {"legal_person", "other_legal_person"}

Answer = int | str
Expected = dict[str, Answer]


def everyone(status: Answer = 200) -> Expected:
    """The same for all."""
    return dict.fromkeys(KINDS, status)


def signed_in(status: Answer = 200, **others: Answer) -> Expected:
    """Whoever is signed in, ``others`` differently; nobody, and a frozen account, at the sign-in page."""
    return {**everyone(status), **others, **dict.fromkeys(OUTSIDE, SIGN_IN)}


def legal_persons(status: Answer = 200) -> Expected:
    """An enterprise's own account."""
    return signed_in(403, **dict.fromkeys(LEGAL_KINDS, status))


def administrators(status: Answer = 200) -> Expected:
    """The platform's administrators."""
    return signed_in(403, administrator=status)


def but(expected: Expected, *kinds: str, status: Answer) -> Expected:
    """Those kinds otherwise."""
    return {**expected, **dict.fromkeys(kinds, status)}


@dataclass(frozen=True)
class Post:
    """A form, its fields (``{name}`` is an object), the answers, and ``by`` whom it changes anything.

    ``forged`` is answered without our CSRF value; then nobody changes anything.
    """

    expected: Expected
    fields: Mapping[str, str] = field(default_factory=dict)
    by: frozenset[str] = frozenset()
    forged: Expected = field(default_factory=lambda: everyone(400))


READS: Final[dict[str, Expected]] = {
    "/": everyone(),
    "/accessibility": everyone(),
    "/account": signed_in(),
    "/account/agreements": signed_in(303),  # nothing is due
    "/account/confirm": signed_in(303),  # signed in just now: goes on at once
    "/account/consents": signed_in(),
    "/account/deletion": signed_in(),
    "/account/enterprise": signed_in(),
    "/account/export": signed_in(),
    "/account/handler-applications": signed_in(),
    "/account/handler-applications/<authorization_id>": signed_in(404, handler=200),
    "/account/handler-applications/<authorization_id>/escalation": signed_in(404, handler=200),
    "/account/handler-applications/evidence/<evidence_id>": signed_in(
        404, natural_person=200, administrator=200
    ),
    "/account/password-expired": everyone(SIGN_IN),  # without a password that has expired
    "/account/phone": signed_in(),
    "/account/phone/new": signed_in(303),  # without a proof of the old number
    "/account/security": signed_in(),
    "/account/security/passkeys": signed_in(),
    "/account/security/recovery-codes": signed_in(),
    "/account/security/totp": signed_in(),
    "/account/sessions": signed_in(),
    "/account/systems": signed_in(),
    "/account/verification": signed_in(),
    "/account/verification/held/<held_id>": signed_in(404),  # nothing is held
    "/account/verification/uploads/<upload_id>": signed_in(404, submitter=200),
    "/admin": administrators(),
    "/admin/accounts": administrators(),
    "/admin/accounts/<account_id>": administrators(),
    "/admin/audit": administrators(),
    "/admin/clients": administrators(),
    "/admin/clients/<client_id>": administrators(),
    "/admin/clients/new": administrators(),
    "/admin/deliveries": administrators(),
    "/admin/keys": administrators(),
    "/admin/reviews": administrators(),
    "/admin/reviews/<review_id>": administrators(),
    "/admin/reviews/phone-changes": administrators(),
    "/admin/reviews/phone-changes/<phone_change_id>": administrators(),
    "/admin/reviews/phone-changes/<phone_change_id>/scan": administrators(),
    "/admin/reviews/handlers": administrators(),
    "/admin/reviews/handlers/<escalation_id>": administrators(),
    "/admin/reviews/scans/<upload_id>": administrators(),
    "/bootstrap/static/<path:filename>": everyone(),
    "/captcha/<handle>.png": everyone(404),  # a picture is known to whom it was shown
    "/captcha/<handle>.wav": everyone(404),
    "/captcha/new": everyone(),
    "/change-phone": but(everyone(303), *OUTSIDE, status=200),
    "/change-phone/lost": everyone(),
    "/change-phone/lost/application": everyone(303),  # without a proof of the new number
    "/dev/outbox": everyone(),  # development only
    "/device": everyone(),
    "/enterprise/handlers": legal_persons(),
    "/enterprise/handlers/<authorization_id>": but(legal_persons(), "other_legal_person", status=404),
    "/enterprise/handlers/invitations": legal_persons(),
    "/enterprise/handlers/review": legal_persons(),
    "/find-account": everyone(),
    "/forgot-password": everyone(),
    "/forgot-password/new-password": everyone(303),  # without a proof of the phone
    "/enterprise/representative": legal_persons(),
    "/healthz": everyone(),
    "/help": everyone(),
    "/interaction/consent": everyone(400),  # without a request of a client
    "/interaction/enterprise": everyone(400),
    "/interaction/logout": everyone(),
    "/interaction/resume": everyone(400),
    "/interaction/turned-away": everyone(400),
    "/language": everyone(404),  # without a language
    "/login": but(everyone(303), *OUTSIDE, status=200),
    "/login/revival": everyone(SIGN_IN),  # without an account that may come back
    "/login/national/callback": everyone(404),  # no other platform is set
    "/login/national/code": everyone(404),
    "/login/national/jwks.json": everyone(404),
    "/notices": everyone(),
    "/notices/<code>": everyone(),
    "/oauth/authorize": everyone(400),
    "/oauth/logout": everyone(),
    "/progress": everyone(),
    "/readyz": everyone(),
    "/register": everyone(),
    "/search": everyone(),
    "/services/<code>": everyone(404),  # a notice's code is no block's
    "/services/infographics": everyone(),
    "/static/<path:filename>": everyone(),
    "/status": everyone(),
    "/terms": everyone(),
}

WRITES: Final[dict[str, list[Post]]] = {
    "/account/agreements": [
        Post(signed_in(303), {"action": "accept"}),
        Post(
            signed_in(303),
            {"action": "withdraw_identity"},
            frozenset(KINDS) - OUTSIDE - LEGAL_KINDS,
        ),
    ],
    "/account/confirm": [Post(signed_in(422), {"action": "confirm"}, forged=signed_in(400))],
    "/account/confirm/passkey": [Post(signed_in(404))],  # an address makes no passkeys; so below
    "/account/consents": [
        Post(signed_in(303), {"client_id": "smdvs", "action": "withdraw"}, frozenset({"handler"}))
    ],
    "/account/deletion": [
        Post(
            signed_in(422, handler=303),
            {"login_name": "{login_name}"},
            frozenset({"handler"}),
            forged=signed_in(400),
        )
    ],
    "/account/enterprise": [
        Post(
            signed_in(422, handler=303, legal_person=303),
            {"enterprise": "{credit_code}"},
            frozenset({"handler", "legal_person"}),
            forged=signed_in(422),
        )
    ],
    "/account/export": [Post(signed_in(200), {"action": "download"})],  # their own; only the trail grows
    "/account/handler-applications": [
        Post(
            signed_in(303),
            {"id": "{application}", "action": "withdraw"},
            frozenset({"natural_person"}),
            forged=signed_in(400),
        ),
        Post(
            # the others have one already, are an enterprise, or are not verified
            signed_in(422, regulator=303, other_handler=303, administrator=303),
            {
                "enterprise_name": "示例新能源汽车有限公司",
                "enterprise_credit_code": "{credit_code}",
                "matters": "nev-accident-report",
                "action": "apply",
            },
            frozenset({"regulator", "other_handler", "administrator"}),
            forged=signed_in(400),
        ),
    ],
    "/account/handler-applications/<authorization_id>": [
        Post(signed_in(404, handler=422), {"action": "renew"}, forged=signed_in(404, handler=400))
    ],
    "/account/handler-applications/<authorization_id>/escalation": [
        Post(
            signed_in(404, handler=422),  # in force: nobody has to decide
            {"ground": "phone_lost", "explanation": "手机号已停用"},
            forged=signed_in(404, handler=400),
        )
    ],
    "/account/password-expired": [Post(everyone(SIGN_IN), {"ticket": "x"}, forged=everyone(SIGN_IN))],
    "/account/phone": [Post(signed_in(422), {"action": "next"}, forged=signed_in(400))],
    "/account/phone/application": [
        Post(signed_in(303), {"action": "withdraw"}, frozenset({"regulator"}), forged=signed_in(400))
    ],
    "/account/phone/new": [Post(signed_in(303), {"ticket": "x"}, forged=signed_in(303))],
    "/account/security": [Post(signed_in(422), {"old_password": "x"}, forged=signed_in(422))],
    "/account/security/passkeys": [
        Post(
            signed_in(422),
            {"action": "add", "passkey_name": "x", "credential": "x"},
            forged=signed_in(400),
        )
    ],
    "/account/security/passkeys/options": [Post(signed_in(404))],
    "/account/security/recovery-codes": [Post(signed_in(303), {"action": "renew"})],  # without a factor
    "/account/security/totp": [
        Post(signed_in(422), {"action": "confirm", "totp_code": "x"}, forged=signed_in(400))
    ],
    "/account/sessions": [
        Post(signed_in(303), {"session": "{session}", "action": "end"}, frozenset({"handler"}))
    ],
    "/account/systems": [Post(signed_in(303), {"client_id": "smdvs"}, frozenset({"handler"}))],
    "/account/verification": [
        Post(
            signed_in(200, unverified=422),
            {"subject_type": "natural_person", "action": "submit"},
            forged=signed_in(200, unverified=400),
        )
    ],
    "/admin/accounts/<account_id>": [
        Post(
            administrators(303),
            {"role": "smdvs regulator", "action": "withdraw"},
            frozenset({"administrator"}),
        )
    ],
    "/admin/accounts/<account_id>/enterprise": [
        Post(administrators(404), {"action": "close"})  # of an account that is no enterprise's
    ],
    "/admin/accounts/<account_id>/status": [
        Post(
            administrators(303),
            {"action": "freeze", "reason": "本人来电申请"},
            frozenset({"administrator"}),
        )
    ],
    "/admin/clients": [
        Post(
            administrators(303),
            {"uses": "1", "ttl": "3600"},
            frozenset({"administrator"}),
            administrators(400),
        )
    ],
    "/admin/clients/<client_id>": [
        Post(administrators(303), {"action": "disable"}, frozenset({"administrator"}))
    ],
    "/admin/clients/new": [Post(administrators(422), {}, forged=administrators(400))],
    "/admin/deliveries": [
        Post(administrators(303), {"message": "{message}", "action": "discard"}, frozenset({"administrator"}))
    ],
    "/admin/keys": [Post(administrators(303), {"algorithm": "ES256"})],  # keys are files
    "/admin/reviews/<review_id>": [
        Post(
            administrators(303),
            {"decision": "reject", "reason": "扫描件不清晰，请重新上传"},
            frozenset({"administrator"}),
            administrators(400),
        )
    ],
    "/admin/reviews/phone-changes/<phone_change_id>": [
        Post(
            administrators(303),
            {"decision": "reject", "reason": "证件不清晰"},
            frozenset({"administrator"}),
            administrators(400),
        )
    ],
    "/change-phone": [Post(everyone(422), {"action": "next"})],
    "/change-phone/lost": [Post(everyone(422), {"action": "next"})],
    "/change-phone/lost/application": [Post(everyone(303), {"ticket": "x"}, forged=everyone(303))],
    "/admin/reviews/handlers/<escalation_id>": [
        Post(
            administrators(303),
            {"decision": decision, "reason": "已核对授权书"},
            frozenset({"administrator"}),
            administrators(400),
        )
        for decision in ("approve", "reject")
    ],
    "/device": [Post(everyone(422), {"user_code": "BCDF-GHJK"})],
    "/enterprise/handlers": [
        Post(legal_persons(303), {"id": "{application}", "decision": "approve"}, frozenset({"legal_person"})),
        Post(legal_persons(303), {"id": "{application}", "decision": "refuse"}, frozenset({"legal_person"})),
        Post(legal_persons(303), {"id": "{in_force}", "decision": "revoke"}, frozenset({"legal_person"})),
    ],
    "/enterprise/handlers/<authorization_id>": [
        Post(
            but(legal_persons(303), "other_legal_person", status=404),
            {"decision": "revoke", "reason_code": "left_enterprise"},
            frozenset({"legal_person"}),
            forged=but(legal_persons(400), "other_legal_person", status=404),
        )
    ],
    "/enterprise/handlers/invitations": [
        Post(
            legal_persons(303),
            {
                "real_name": "李示例",
                "phone": "19900099999",
                "matters": "nev-accident-report",
                "action": "invite",
            },
            frozenset(LEGAL_KINDS),
            forged=legal_persons(400),
        )
    ],
    "/enterprise/handlers/review": [
        Post(
            legal_persons(303),
            {"handlers": "{in_force}", "decision": "confirm"},
            frozenset({"legal_person"}),
        ),
        Post(legal_persons(303), {"revoke": "{in_force}"}, frozenset({"legal_person"})),
    ],
    "/find-account": [Post(everyone(422), {"action": "find"})],
    "/forgot-password": [Post(everyone(422), {"action": "next"})],
    "/forgot-password/new-password": [Post(everyone(303), {"ticket": "x"}, forged=everyone(303))],
    "/enterprise/representative": [
        Post(legal_persons(422), {"representative_name": "李"}, forged=legal_persons(400))
    ],
    "/interaction/consent": [Post(everyone(400), {"decision": "allow"})],
    "/interaction/enterprise": [Post(everyone(400), {"enterprise": "{credit_code}"})],
    "/interaction/logout": [
        Post(
            everyone(200),
            {"decision": "stay"},
            forged=but(everyone(400), *OUTSIDE, status=200),
        )
    ],
    "/interaction/turned-away": [Post(everyone(400), {})],
    "/login": [Post(everyone(422), {"identifier": "{credit_code}", "action": "login"})],
    "/login/revival": [Post(everyone(SIGN_IN), {"action": "revive"}, forged=everyone(SIGN_IN))],
    "/login/passkey": [Post(everyone(404))],
    "/login/national": [Post(everyone(404))],
    "/login/national/code": [Post(everyone(404), forged=everyone(404))],
    "/logout": [
        Post(
            everyone(303),
            {},
            frozenset(KINDS) - OUTSIDE,
            forged=but(everyone(400), *OUTSIDE, status=303),
        )
    ],
    "/oauth/authorize": [Post(everyone(400), {})],
    "/oauth/logout": [Post(everyone(200), {})],
    "/register": [Post(everyone(422), {"action": "register"})],
}
CASES: Final = [(rule, post) for rule, posts in WRITES.items() for post in posts]


@pytest.fixture
def platform_world(make_app: Callable[..., Flask]) -> World:
    return world(make_app(throttle=False, captcha="off"))


def answer_of(answer: TestResponse) -> Answer:
    """The status; a way to the sign-in page is told from other ways."""
    answer.close()
    to_sign_in = answer.status_code == 303 and answer.location.partition("?")[0] == "/login"
    return SIGN_IN if to_sign_in else answer.status_code


def csrf_token(somebody: Visitor) -> str:
    return hidden(somebody.get("/device"), "csrf_token")


def test_every_route_has_its_row(app: Flask) -> None:
    routes = list(app.url_map.iter_rules())
    assert {rule.rule for rule in routes if "GET" in (rule.methods or ())} == READS.keys()
    assert {rule.rule for rule in routes if "POST" in (rule.methods or ())} == WRITES.keys()
    assert not [rule for rule in routes if (rule.methods or set()) & {"PUT", "PATCH", "DELETE"}]


def test_every_page_is_read_by_those_whose_it_is(platform_world: World) -> None:
    before = everything(platform_world)
    wrong = {}
    for rule, expected in READS.items():
        path = platform_world.path(rule)
        found = {kind: answer_of(platform_world.people[kind].get(path)) for kind in KINDS}
        if found != expected:
            wrong[rule] = {
                kind: (found[kind], expected[kind]) for kind in KINDS if found[kind] != expected[kind]
            }
    assert wrong == {}
    assert everything(platform_world) == before  # reading changes nothing


def test_no_form_without_our_value_changes_anything(platform_world: World) -> None:
    before = everything(platform_world)
    wrong = {}
    for rule, post in CASES:
        path, fields = platform_world.path(rule), platform_world.fields(post.fields)
        found = {kind: answer_of(platform_world.people[kind].http.post(path, data=fields)) for kind in KINDS}
        if found != post.forged:
            wrong[rule] = {
                kind: (found[kind], post.forged[kind]) for kind in KINDS if found[kind] != post.forged[kind]
            }
    assert wrong == {}
    assert everything(platform_world) == before


@pytest.mark.parametrize(("rule", "post"), CASES, ids=[f"{rule} {n}" for n, (rule, _) in enumerate(CASES)])
def test_a_form_changes_something_for_those_alone_whose_it_is(
    platform_world: World, rule: str, post: Post
) -> None:
    path, fields = platform_world.path(rule), platform_world.fields(post.fields)
    values = {kind: csrf_token(platform_world.people[kind]) for kind in KINDS}
    before = everything(platform_world)

    def send(kind: str) -> Answer:
        form = fields | {"csrf_token": values[kind]}
        return answer_of(platform_world.people[kind].http.post(path, data=form))

    refused = {kind: send(kind) for kind in KINDS if kind not in post.by}
    assert refused == {kind: post.expected[kind] for kind in refused}
    assert everything(platform_world) == before
    for kind in post.by:
        before = everything(platform_world)
        assert send(kind) == post.expected[kind]
        assert everything(platform_world) != before


def test_a_person_is_nobody_at_the_endpoints_for_programs(platform_world: World) -> None:
    application = platform_world.app.wsgi_app
    while not isinstance(application, JsonEndpoints):
        application = vars(application)["_application"]
    paths = list(application._handlers)
    assert "/oauth/token" in paths
    for path in paths:
        found = {platform_world.people[kind].http.post(path, data={}).status_code for kind in KINDS}
        assert found <= {400, 401, 405}
        assert len(found) == 1
