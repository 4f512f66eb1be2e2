from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest

from idp import clock
from idp.domain.signal_streams import PUSH, Delivery, Stream
from idp.services import accounts, authentication, clients, demonstration, handlers, passwords, signal_streams
from idp.services.authentication import Authenticated
from idp.services.demonstration import MEMBERS, PASSWORD
from idp.services.platform import Platform
from tests.services.conftest import at_once
from tests.services.people import ORIGIN, account, events, send_code

URL = "http://127.0.0.1:5001"
JWKS = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-256",
            "kid": "smdvs-1",
            "use": "sig",
            "alg": "ES256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        }
    ]
}


def load(platform: Platform, url: str = URL) -> None:
    demonstration.load(platform, url, JWKS)


def account_id(platform: Platform, login_name: str) -> str:
    found = accounts.find_account_id(platform, login_name)
    assert found is not None
    return found


def acting(platform: Platform, login_name: str) -> list[tuple[str, str]]:
    found = handlers.acting_candidates(platform, account_id(platform, login_name), clock.now())
    return sorted((candidate.enterprise_credit_code, candidate.account_type) for candidate in found)


def snapshot(platform: Platform) -> object:
    people = [
        (
            accounts.get_profile(platform, account_id(platform, member.login_name)),
            accounts.list_roles(platform, account_id(platform, member.login_name)),
            handlers.list_of_account(platform, account_id(platform, member.login_name)),
        )
        for member in MEMBERS
    ]
    return people, [asdict(client) for client in clients.list_clients(platform)], len(events(platform))


def test_the_accounts_of_the_contract_are_there(platform: Platform) -> None:
    load(platform)
    assert acting(platform, "demo_legal") == [("91990101MADEM00117", "legal_person")]
    assert acting(platform, "demo_legal_2") == [("91990101MADEM002XY", "legal_person")]
    assert acting(platform, "demo_handler") == [("91990101MADEM00117", "handler")]
    assert acting(platform, "demo_multi") == [
        ("91990101MADEM00117", "handler"),
        ("91990101MADEM002XY", "handler"),
    ]
    for login_name in ("demo_pending", "demo_person", "demo_regulator"):
        assert acting(platform, login_name) == []
        profile = accounts.get_profile(platform, account_id(platform, login_name))
        assert (profile.subject_type, profile.verification_status) == ("natural_person", "verified")
    (pending,) = handlers.list_of_account(platform, account_id(platform, "demo_pending"))
    assert (pending.enterprise_name, pending.status) == ("示例新能源汽车有限公司", "pending")
    assert accounts.get_profile(platform, account_id(platform, "demo_admin")).platform_role == "administrator"
    assert accounts.list_roles(platform, account_id(platform, "demo_regulator")) == [("smdvs", "regulator")]


def test_smdvs_is_registered_with_its_key_and_no_secret(platform: Platform) -> None:
    load(platform)
    smdvs = clients.find_client(platform, "smdvs")
    assert smdvs is not None
    assert smdvs.token_endpoint_auth_method == "private_key_jwt"
    assert smdvs.secrets == ()
    assert smdvs.redirect_uris == (f"{URL}/smdvs/callback",)
    assert smdvs.resources == (f"{URL}/smdvs/api/v1",)
    assert smdvs.matters == ("nev-accident-report",)
    assert smdvs.roles == ("regulator",)


@pytest.mark.parametrize("identifier", ["demo_legal", "91990101MADEM00117"])
def test_a_demonstration_account_signs_in_with_its_password_and_code(
    platform: Platform, identifier: str
) -> None:
    load(platform)
    code = send_code(platform, identifier)
    outcome = authentication.authenticate(platform, identifier, PASSWORD, code, ORIGIN)
    assert isinstance(outcome, Authenticated)
    assert outcome.account_id == account_id(platform, "demo_legal")


def test_loading_again_changes_nothing(platform: Platform) -> None:
    load(platform)
    before = snapshot(platform)
    load(platform)
    assert snapshot(platform) == before


def test_what_people_did_with_the_demonstration_stays(platform: Platform) -> None:
    load(platform)
    handler = account_id(platform, "demo_handler")
    (authorization,) = handlers.list_of_account(platform, handler)
    handlers.decide(platform, account_id(platform, "demo_legal"), authorization.id, "revoke", ORIGIN)
    passwords.change_password(platform, handler, PASSWORD, "Other#2026pass", "Other#2026pass", ORIGIN)
    before = snapshot(platform)
    load(platform)
    assert snapshot(platform) == before
    assert acting(platform, "demo_handler") == []


def test_a_load_cut_short_is_completed_by_the_next(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CutShortError(Exception):
        pass

    decide = handlers.decide

    def cut_short(*_arguments: object) -> None:
        raise CutShortError

    monkeypatch.setattr(handlers, "decide", cut_short)
    with pytest.raises(CutShortError):
        load(platform)
    assert acting(platform, "demo_handler") == []
    monkeypatch.setattr(handlers, "decide", decide)
    load(platform)
    assert acting(platform, "demo_handler") == [("91990101MADEM00117", "handler")]
    assert len(acting(platform, "demo_multi")) == 2


def test_two_loads_at_once_do_what_one_does(platform: Platform) -> None:
    at_once([lambda: load(platform)] * 2)
    after = snapshot(platform)
    load(platform)
    assert snapshot(platform) == after
    assert len(acting(platform, "demo_multi")) == 2
    assert len(handlers.list_of_account(platform, account_id(platform, "demo_multi"))) == 2


def test_the_registration_follows_where_smdvs_answers(platform: Platform) -> None:
    load(platform)
    load(platform, "http://127.0.0.1:6001/")
    smdvs = clients.find_client(platform, "smdvs")
    assert smdvs is not None
    assert smdvs.redirect_uris == ("http://127.0.0.1:6001/smdvs/callback",)


def test_a_registration_that_is_refused_is_told(platform: Platform) -> None:
    with pytest.raises(ValueError, match="smdvs can't be registered"):
        demonstration.load(platform, "ftp://127.0.0.1", JWKS)


def test_a_phone_taken_by_somebody_else_is_told(platform: Platform) -> None:
    account(platform, "somebody", MEMBERS[0].phone)
    with pytest.raises(ValueError, match="demo_legal can't be made: phone_taken"):
        load(platform)


def test_production_refuses(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(env="production")
    with pytest.raises(demonstration.NotForProductionError):
        load(platform)
    assert demonstration.present_accounts() == []


def test_accounts_left_over_are_found(platform: Platform) -> None:
    load(platform)
    assert demonstration.present_accounts() == [member.login_name for member in MEMBERS]


def test_phones_and_names_are_distinct_and_belong_to_nobody() -> None:
    phones = [member.phone for member in MEMBERS]
    assert len(set(phones)) == len(phones)
    assert all(phone.startswith("1990000") for phone in phones)


def test_an_identity_or_account_made_by_another_load_meanwhile_is_taken_as_it_is(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(platform)
    before = snapshot(platform)
    find, looked = accounts.find_account_id, set[str]()

    def not_there_at_first(platform: Platform, login_name: str) -> str | None:
        if login_name in looked:
            return find(platform, login_name)
        looked.add(login_name)
        return None

    monkeypatch.setattr(accounts, "find_account_id", not_there_at_first)
    load(platform)
    monkeypatch.undo()
    assert snapshot(platform) == before


def load_with_events(platform: Platform, url: str = URL, header: str = "Bearer smdvs") -> Stream:
    demonstration.load(platform, url, JWKS, header)
    stream = signal_streams.find_stream("smdvs")
    assert stream is not None
    assert signal_streams.delivers_by(platform, "smdvs", Delivery(PUSH, f"{url}/smdvs/events", header))
    return stream


def test_smdvs_has_a_stream_that_follows_where_it_answers_and_stays_as_people_left_it(
    platform: Platform,
) -> None:
    stream = load_with_events(platform)
    assert stream.status == "enabled"
    recorded = len(events(platform))
    assert load_with_events(platform) == stream
    assert len(events(platform)) == recorded
    document = {"stream_id": stream.stream_id, "status": "paused"}
    signal_streams.set_status(platform, "smdvs", document, ORIGIN)
    moved = load_with_events(platform, "http://127.0.0.1:6001", "Bearer new")
    assert (moved.stream_id, moved.status) == (stream.stream_id, "paused")


def test_without_a_header_smdvs_has_no_stream(platform: Platform) -> None:
    load(platform)
    assert signal_streams.find_stream("smdvs") is None


def test_an_address_that_no_stream_can_have_is_said(platform: Platform) -> None:
    with pytest.raises(ValueError, match="event stream can't be registered"):
        demonstration.load(platform, URL, JWKS, "two\nlines")
