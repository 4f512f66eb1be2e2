from __future__ import annotations

from idp.domain.errors import Refusal
from idp.services import account_status, authentication
from idp.services.platform import Platform
from tests.services.people import ORIGIN, account, events, open_login

ADMIN = "administrator"


def code(outcome: Refusal | None) -> str | None:
    return outcome.code if outcome else None


def test_a_frozen_account_is_signed_out_everywhere_and_may_sign_in_anew_afterwards(
    platform: Platform,
) -> None:
    account_id = account(platform)
    tokens = [open_login(platform, account_id)[0] for _ in range(2)]
    assert account_status.freeze(platform, account_id, ORIGIN, ADMIN) is None
    assert [authentication.find_login(platform, token) for token in tokens] == [None, None]
    assert account_status.unfreeze(platform, account_id, ORIGIN, ADMIN) is None
    assert [authentication.find_login(platform, token) for token in tokens] == [None, None]
    assert authentication.find_login(platform, open_login(platform, account_id)[0])
    ends = [entry.detail["reason"] for entry in events(platform, "login:logout")]
    assert ends == ["frozen", "frozen"]


def test_each_change_is_in_the_trail_once(platform: Platform) -> None:
    account_id = account(platform)
    for _ in range(2):
        account_status.freeze(platform, account_id, ORIGIN, ADMIN)
    for _ in range(2):
        account_status.unfreeze(platform, account_id, ORIGIN, ADMIN)
    for event in ("account:freeze", "account:unfreeze"):
        (entry,) = events(platform, event)
        assert (entry.account_id, entry.object_id) == (ADMIN, account_id)


def test_nobody_freezes_themselves_or_an_account_that_is_not_there(platform: Platform) -> None:
    account_id = account(platform)
    assert code(account_status.freeze(platform, account_id, ORIGIN, account_id)) == "not_permitted"
    assert code(account_status.freeze(platform, "unknown", ORIGIN, ADMIN)) == "not_found"
    assert code(account_status.unfreeze(platform, "unknown", ORIGIN, ADMIN)) == "not_found"
    assert events(platform, "account:freeze") == []
