from __future__ import annotations

from datetime import timedelta
from functools import partial

from idp.domain.audit import Origin
from idp.services import accounts, authentication, sessions
from idp.services.platform import Platform
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    account,
    events,
    give_identity,
    open_login,
    person,
    signed_in,
)


def test_a_session_says_from_where_and_until_when(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    inside = Origin("10.0.0.9", "browser", "request-1")
    authentication.begin_login(platform, signed_in(account_id), inside, replaces=None)
    (view,) = sessions.list_sessions(platform, account_id)
    assert (view.network, view.clients) == ("internal", ())
    assert view.idle_at - moving_clock.now() == timedelta(minutes=30)
    assert view.login.expires_at - moving_clock.now() == timedelta(hours=8)


def test_no_session_is_said_to_outlive_its_end(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    token = open_login(platform, account_id)[0]
    for _ in range(19):
        moving_clock.advance(minutes=25)
        assert authentication.find_login(platform, token)
    (view,) = sessions.list_sessions(platform, account_id)
    assert view.idle_at == view.login.expires_at


def test_a_session_is_ended_by_its_own_account_alone(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    token, login = open_login(platform, alice)
    assert not sessions.end(platform, bob, login.sid, ORIGIN)
    assert authentication.find_login(platform, token)
    assert sessions.end(platform, alice, login.sid, ORIGIN)
    assert not sessions.end(platform, alice, login.sid, ORIGIN)
    assert authentication.find_login(platform, token) is None


def test_all_others_end_at_once_and_the_present_one_stays(platform: Platform) -> None:
    account_id = account(platform)
    others = [open_login(platform, account_id)[0] for _ in range(3)]
    token, login = open_login(platform, account_id)
    sessions.end_others(platform, account_id, login.sid, ORIGIN)
    assert [authentication.find_login(platform, other) for other in others] == [None] * 3
    assert authentication.find_login(platform, token)
    assert [entry.detail["reason"] for entry in events(platform, "login:logout")] == ["remote"] * 3


def test_a_token_is_renewed_once_under_the_same_sid(platform: Platform) -> None:
    token, login = open_login(platform, account(platform))
    renewed = at_once([partial(authentication.renew_token, token)] * 4)
    (new,) = [one for one in renewed if one is not None]
    assert authentication.find_login(platform, token) is None
    found = authentication.find_login(platform, new)
    assert found is not None
    assert found.sid == login.sid


def test_a_login_that_is_over_gets_no_new_token(platform: Platform) -> None:
    token, login = open_login(platform, account(platform))
    authentication.end_login(platform, login.sid, ORIGIN, "logout")
    assert authentication.renew_token(token) is None


def test_each_change_of_privilege_makes_tokens_due_for_renewal(platform: Platform) -> None:
    account_id = account(platform)
    token = open_login(platform, account_id)[0]

    def is_due() -> bool:
        login = authentication.find_login(platform, token)
        assert login is not None
        return bool(login.renewal_due)

    assert not is_due()
    give_identity(platform, account_id, person())
    assert is_due()
    for granted in (True, False):
        renewed = authentication.renew_token(token)
        assert renewed is not None
        token = renewed
        assert not is_due()
        accounts.set_platform_role(platform, account_id, "administrator", granted, ORIGIN)
        assert is_due()
