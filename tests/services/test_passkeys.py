from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from idp.domain.assurance import CRYPTOGRAPHIC
from idp.domain.errors import Refusal
from idp.services import account_status, authentication, factors, outbox, passkeys
from idp.services.authentication import Authenticated, LoginView
from idp.services.platform import Platform
from tests.services.conftest import MovableClock, at_once
from tests.services.people import ORIGIN, OTHER_PHONE, account, events, open_login
from tests.services.software_authenticator import BE, BS, UP, UV, SoftwareAuthenticator, decode, encode

ISSUER = "https://id.example.cn"


@pytest.fixture
def platform(make_platform: Callable[..., Platform]) -> Platform:
    """One that people reach under a domain."""
    return make_platform(issuer=ISSUER)


def registered(
    platform: Platform, login: LoginView, **authenticator: Any
) -> tuple[SoftwareAuthenticator, tuple[str, ...]]:
    """A passkey of whoever has this login."""
    device = SoftwareAuthenticator(ISSUER, **authenticator)
    credential = device.create(passkeys.registration_options(platform, login))
    outcome = passkeys.register(platform, login, "电脑", credential, ORIGIN)
    assert not isinstance(outcome, Refusal)
    return device, outcome


def with_passkey(platform: Platform, **authenticator: Any) -> tuple[LoginView, SoftwareAuthenticator]:
    _, login = open_login(platform, account(platform))
    return login, registered(platform, login, **authenticator)[0]


def sign_in(platform: Platform, device: SoftwareAuthenticator, **client_data: Any) -> Authenticated | Refusal:
    credential = device.get(passkeys.login_options(platform), **client_data)
    return passkeys.authenticate(platform, credential, ORIGIN)


def code_of(outcome: object) -> str:
    assert isinstance(outcome, Refusal)
    return outcome.code


# --- registering ---


def test_a_passkey_is_asked_for_that_names_its_owner_and_verifies_the_user(platform: Platform) -> None:
    _, login = open_login(platform, account(platform))
    options = passkeys.registration_options(platform, login)
    assert options["rp"] == {"id": "id.example.cn", "name": "政务服务平台"}
    assert options["user"]["name"] == "alice_1"
    assert decode(options["user"]["id"]) == login.account_id.encode()
    wanted = options["authenticatorSelection"]
    assert (wanted["residentKey"], wanted["userVerification"]) == ("required", "required")
    assert options["attestation"] == "none"
    assert len(decode(options["challenge"])) >= 32


def test_the_first_passkey_is_told_and_comes_with_recovery_codes(platform: Platform) -> None:
    _, login = open_login(platform, account(platform))
    _, codes = registered(platform, login)
    assert len(codes) == 10
    has = factors.overview(login.account_id)
    assert [(key.name, key.synced, key.last_used_at) for key in has.passkeys] == [("电脑", False, None)]
    assert [entry.detail["factor"] for entry in events(platform, "factor:add")] == ["passkey"]
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "passkey_added"


def test_there_may_be_several_and_one_is_not_registered_twice(platform: Platform) -> None:
    login, device = with_passkey(platform)
    strong = _strong_login(platform, device)
    other, codes = registered(platform, strong)
    assert codes == ()
    options = passkeys.registration_options(platform, strong)
    excluded = {item["id"] for item in options["excludeCredentials"]}
    assert excluded == {encode(device.credential_id), encode(other.credential_id)}
    again = passkeys.register(platform, strong, "又一次", device.create(options), ORIGIN)
    assert code_of(again) == "passkey_exists"
    assert len(factors.overview(login.account_id).passkeys) == 2


def _strong_login(platform: Platform, device: SoftwareAuthenticator) -> LoginView:
    outcome = sign_in(platform, device)
    assert isinstance(outcome, Authenticated)
    return authentication.open_login(platform, outcome, ORIGIN, replaces=None)[1]


def test_an_sms_sign_in_adds_the_first_one_only(platform: Platform) -> None:
    login, device = with_passkey(platform)
    _, by_sms = open_login(platform, login.account_id)
    credential = SoftwareAuthenticator(ISSUER).create(passkeys.registration_options(platform, by_sms))
    refused = passkeys.register(platform, by_sms, "贼", credential, ORIGIN)
    assert code_of(refused) == "stronger_sign_in_needed"
    passkey_id = factors.overview(login.account_id).passkeys[0].id
    assert code_of(passkeys.remove(platform, by_sms, passkey_id, ORIGIN)) == "stronger_sign_in_needed"
    strong = _strong_login(platform, device)
    assert passkeys.remove(platform, strong, passkey_id, ORIGIN) is None
    assert code_of(passkeys.remove(platform, strong, passkey_id, ORIGIN)) == "not_found"
    assert factors.overview(login.account_id).recovery_codes_left == 0
    assert code_of(sign_in(platform, device)) == "passkey_wrong"


def test_there_are_at_most_ten(platform: Platform) -> None:
    _, device = with_passkey(platform)
    strong = _strong_login(platform, device)
    for _ in range(9):
        registered(platform, strong)
    credential = SoftwareAuthenticator(ISSUER).create(passkeys.registration_options(platform, strong))
    refused = passkeys.register(platform, strong, "第十一个", credential, ORIGIN)
    assert code_of(refused) == "passkeys_too_many"


@pytest.mark.parametrize(
    ("name", "code"), [("", "required"), ("x" * 31, "too_long"), ("a\u202eb", "passkey_name_invalid")]
)
def test_a_passkey_needs_a_name(platform: Platform, name: str, code: str) -> None:
    _, login = open_login(platform, account(platform))
    credential = SoftwareAuthenticator(ISSUER).create(passkeys.registration_options(platform, login))
    assert code_of(passkeys.register(platform, login, name, credential, ORIGIN)) == code


@pytest.mark.parametrize(
    ("authenticator", "client_data"),
    [
        ({"origin": "https://evil.example"}, {}),
        ({"rp_id": "evil.example"}, {}),
        ({"flags": UP}, {}),
        ({"flags": UV}, {}),
        ({}, {"type": "webauthn.get"}),
    ],
)
def test_what_another_site_or_a_weaker_ceremony_made_is_refused(
    platform: Platform, authenticator: dict[str, Any], client_data: dict[str, Any]
) -> None:
    _, login = open_login(platform, account(platform))
    device = SoftwareAuthenticator(**{"origin": ISSUER} | authenticator)
    credential = device.create(passkeys.registration_options(platform, login), **client_data)
    assert code_of(passkeys.register(platform, login, "x", credential, ORIGIN)) == "passkey_refused"
    assert not factors.has_factor(login.account_id)


def test_a_challenge_registers_once_for_its_account_and_purpose(platform: Platform) -> None:
    _, login = open_login(platform, account(platform))
    _, other = open_login(platform, account(platform, "bob_12", OTHER_PHONE))
    options = passkeys.registration_options(platform, login)
    credential = SoftwareAuthenticator(ISSUER).create(options)
    assert code_of(passkeys.register(platform, other, "x", credential, ORIGIN)) == "passkey_expired"
    assert code_of(passkeys.register(platform, login, "x", credential, ORIGIN)) == "passkey_expired"
    made_up = options | {"challenge": encode(b"x" * 64)}
    credential = SoftwareAuthenticator(ISSUER).create(made_up)
    assert code_of(passkeys.register(platform, login, "x", credential, ORIGIN)) == "passkey_expired"
    of_login = options | {"challenge": passkeys.login_options(platform)["challenge"]}
    credential = SoftwareAuthenticator(ISSUER).create(of_login)
    assert code_of(passkeys.register(platform, login, "x", credential, ORIGIN)) == "passkey_expired"


# --- signing in ---


def test_a_passkey_signs_in_strongly_without_naming_anybody(platform: Platform) -> None:
    login, device = with_passkey(platform)
    options = passkeys.login_options(platform)
    assert (options["rpId"], options["allowCredentials"]) == ("id.example.cn", [])
    assert options["userVerification"] == "required"
    outcome = passkeys.authenticate(platform, device.get(options), ORIGIN)
    assert isinstance(outcome, Authenticated)
    assert (outcome.account_id, outcome.acr, outcome.amr) == (login.account_id, CRYPTOGRAPHIC, ("hwk", "mfa"))
    assert factors.overview(login.account_id).passkeys[0].last_used_at is not None


def test_a_synced_passkey_is_called_software(platform: Platform) -> None:
    login, device = with_passkey(platform, flags=UP | UV | BE | BS, counts=False)
    for _ in range(2):
        outcome = sign_in(platform, device)
        assert isinstance(outcome, Authenticated)
        assert outcome.amr == ("swk", "mfa")
    assert factors.overview(login.account_id).passkeys[0].synced


@pytest.mark.parametrize(
    ("changes", "client_data"),
    [
        ({"origin": "https://evil.example"}, {}),
        ({"origin": "http://id.example.cn"}, {}),
        ({"rp_id": "evil.example"}, {}),
        ({"flags": UP}, {}),
        ({"flags": UV}, {}),
        ({"user_handle": encode(b"x" * 22)}, {}),
        ({"counter": -1}, {}),
        ({}, {"type": "webauthn.create"}),
    ],
)
def test_what_another_site_weaker_ceremony_or_copy_answers_is_refused(
    platform: Platform, changes: dict[str, Any], client_data: dict[str, Any]
) -> None:
    _, device = with_passkey(platform)
    assert isinstance(sign_in(platform, device), Authenticated)
    for name, value in changes.items():
        setattr(device, name, value)
    assert code_of(sign_in(platform, device, **client_data)) == "passkey_wrong"


def test_a_frame_of_another_site_signs_nobody_in(platform: Platform) -> None:
    _, device = with_passkey(platform)
    device.cross_origin = True
    assert code_of(sign_in(platform, device)) == "passkey_expired"


def test_another_key_with_the_same_id_is_refused(platform: Platform) -> None:
    _, device = with_passkey(platform)
    forged = SoftwareAuthenticator(ISSUER, credential_id=device.credential_id, counter=100)
    assert code_of(sign_in(platform, forged)) == "passkey_wrong"
    assert isinstance(sign_in(platform, device), Authenticated)


def test_a_challenge_signs_in_once(platform: Platform) -> None:
    login, device = with_passkey(platform)
    credential = device.get(passkeys.login_options(platform))
    outcomes = at_once([partial(passkeys.authenticate, platform, credential, ORIGIN)] * 3)
    assert sum(isinstance(outcome, Authenticated) for outcome in outcomes) == 1
    options = passkeys.confirmation_options(platform, login)
    assert code_of(passkeys.authenticate(platform, device.get(options), ORIGIN)) == "passkey_expired"


def test_a_copy_that_counts_alike_is_refused_also_at_once(platform: Platform) -> None:
    _, device = with_passkey(platform)
    credentials = []
    for _ in range(3):
        device.counter = 5
        credentials.append(device.get(passkeys.login_options(platform)))
    calls = [partial(passkeys.authenticate, platform, credential, ORIGIN) for credential in credentials]
    assert sum(isinstance(outcome, Authenticated) for outcome in at_once(calls)) == 1


def test_a_challenge_is_worth_five_minutes(database_store: Platform, moving_clock: MovableClock) -> None:

    platform = replace(database_store, settings=replace(database_store.settings, issuer=ISSUER))
    _, device = with_passkey(platform)
    options = passkeys.login_options(platform)
    moving_clock.advance(minutes=5)
    assert code_of(passkeys.authenticate(platform, device.get(options), ORIGIN)) == "passkey_expired"


def test_failures_are_counted_with_those_by_password(platform: Platform) -> None:
    _, device = with_passkey(platform)
    forged = SoftwareAuthenticator(ISSUER, credential_id=device.credential_id)
    codes = [code_of(sign_in(platform, forged)) for _ in range(5)]
    assert codes == ["passkey_wrong"] * 4 + ["login_locked"]
    assert code_of(sign_in(platform, device)) == "login_locked"
    password = authentication.authenticate(platform, "alice_1", "x", "000000", ORIGIN)
    assert code_of(password) == "login_locked"
    assert "login:locked" in [entry.event for entry in events(platform)]


def test_a_frozen_account_is_told_so(platform: Platform) -> None:
    login, device = with_passkey(platform)
    account_status.freeze(platform, login.account_id, ORIGIN)
    assert code_of(sign_in(platform, device)) == "account_frozen"


# --- showing it again ---


def test_a_passkey_of_the_account_confirms_within_a_login(platform: Platform) -> None:
    login, device = with_passkey(platform)
    options = passkeys.confirmation_options(platform, login)
    assert [item["id"] for item in options["allowCredentials"]] == [encode(device.credential_id)]
    outcome = passkeys.confirm(platform, login, device.get(options), ORIGIN)
    assert isinstance(outcome, Authenticated)
    assert outcome.acr == CRYPTOGRAPHIC
    other_login = open_login(platform, account(platform, "bob_12", OTHER_PHONE))[1]
    credential = device.get(passkeys.confirmation_options(platform, other_login))
    assert code_of(passkeys.confirm(platform, other_login, credential, ORIGIN)) == "passkey_wrong"
    assert code_of(passkeys.confirm(platform, login, credential, ORIGIN)) == "passkey_expired"


# --- hostile input ---


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"response": {"clientDataJSON": "e30"}}',
        '{"response": {"clientDataJSON": 5}}',
        '{"id": 5, "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiJ4In0"}}',
        "[" * 10_000,
        "x" * 20_000,
    ],
)
def test_what_is_no_answer_is_refused_in_words(platform: Platform, credential: str) -> None:
    _, login = open_login(platform, account(platform))
    assert code_of(passkeys.authenticate(platform, credential, ORIGIN)) == "passkey_expired"
    assert code_of(passkeys.confirm(platform, login, credential, ORIGIN)) == "passkey_expired"
    assert code_of(passkeys.register(platform, login, "x", credential, ORIGIN)) == "passkey_expired"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_mangled_answer_is_refused_and_never_breaks(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(issuer=ISSUER, throttle=False)
    login, device = with_passkey(platform)
    chance = random.Random(7)  # noqa: S311 - the same manglings each time
    for _ in range(300):
        made = json.loads(device.create(passkeys.registration_options(platform, login)))
        _mangle(made["response"], "attestationObject", chance)
        outcome = passkeys.register(platform, login, "x", json.dumps(made), ORIGIN)
        assert code_of(outcome) in {"passkey_refused", "stronger_sign_in_needed", "passkey_exists"}
        shown = json.loads(device.get(passkeys.login_options(platform)))
        _mangle(shown["response"], chance.choice(["authenticatorData", "signature"]), chance)
        assert code_of(passkeys.authenticate(platform, json.dumps(shown), ORIGIN)) == "passkey_wrong"


def _mangle(response: dict[str, Any], name: str, chance: random.Random) -> None:
    octets = bytearray(decode(response[name]))
    match chance.randrange(4):
        case 0:
            del octets[chance.randrange(len(octets)) :]
        case 1:
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        case 2:
            octets += bytes(chance.randrange(1, 40))
        case _:
            response[name] = chance.choice([5, None, [], {}, "", "%", "é"])
            return
    response[name] = encode(bytes(octets))
