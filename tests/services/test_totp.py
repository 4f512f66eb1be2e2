from __future__ import annotations

from dataclasses import replace
from functools import partial

import pyotp
import pytest

from idp import clock
from idp.domain.assurance import CRYPTOGRAPHIC, TWO_FACTORS
from idp.domain.errors import Refusal
from idp.services import authentication, authenticator_codes, factors, outbox, recovery_codes, totp
from idp.services.authentication import Authenticated, LoginView
from idp.services.platform import Platform
from idp.storage.database import reading
from idp.storage.factors import RecoveryCode, TotpSecret
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PASSWORD,
    WatchedStore,
    account,
    events,
    open_login,
)

pytestmark = pytest.mark.usefixtures("moving_clock")
WRONG = "Wrong#2026pass"


@pytest.fixture
def platform(database_store: Platform) -> Platform:
    """With its time in the test's hands."""
    return database_store


def set_up(platform: Platform, login: LoginView) -> pyotp.TOTP:
    """An authenticator app that has just been set up: its code of this half minute is used."""
    app = pyotp.TOTP(totp.begin(platform, login).secret)
    assert not isinstance(totp.confirm(platform, login, app.at(clock.now()), ORIGIN), Refusal)
    return app


def with_app(platform: Platform, login_name: str = "alice_1") -> tuple[LoginView, pyotp.TOTP]:
    _, login = open_login(platform, account(platform, login_name))
    return login, set_up(platform, login)


def enter(platform: Platform, code: str, password: str = PASSWORD) -> Authenticated | Refusal:
    return authenticator_codes.authenticate(platform, "alice_1", password, code, ORIGIN)


def code_of(outcome: object) -> str:
    assert isinstance(outcome, Refusal)
    return outcome.code


def strong(platform: Platform, login: LoginView, app: pyotp.TOTP, moving_clock: MovableClock) -> LoginView:
    """The same person, signed in strongly."""
    moving_clock.advance(seconds=30)
    outcome = enter(platform, app.at(clock.now()))
    assert isinstance(outcome, Authenticated)
    return authentication.open_login(platform, outcome, ORIGIN, replaces=None)[1]


# --- setting up ---


def test_the_secret_stands_until_it_is_confirmed_and_is_told_to_one_login_only(platform: Platform) -> None:
    _, login = open_login(platform, account(platform))
    setup = totp.begin(platform, login)
    assert totp.begin(platform, login) == setup
    assert setup.uri.startswith("otpauth://totp/")
    assert f"secret={setup.secret}" in setup.uri
    _, elsewhere = open_login(platform, login.account_id)
    assert totp.begin(platform, elsewhere).secret != setup.secret


def test_it_is_turned_on_by_a_right_code_told_by_sms_and_in_the_trail(platform: Platform) -> None:
    _, login = open_login(platform, account(platform))
    assert code_of(totp.confirm(platform, login, "000000", ORIGIN)) == "totp_setup_expired"
    secret = totp.begin(platform, login).secret
    assert code_of(totp.confirm(platform, login, "x", ORIGIN)) == "totp_code_wrong"
    assert not factors.has_factor(login.account_id)
    set_up(platform, login)
    assert factors.has_factor(login.account_id)
    assert [entry.detail["factor"] for entry in events(platform, "factor:add")] == ["totp"]
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "totp_added"
    with reading() as session:
        row = session.get_one(TotpSecret, login.account_id)
        assert secret not in row.secret_encrypted
        assert platform.keyring.fields.decrypt(row.secret_encrypted, totp.CONTEXT) == secret


def test_a_setup_is_over_after_ten_minutes(platform: Platform, moving_clock: MovableClock) -> None:
    _, login = open_login(platform, account(platform))
    app = pyotp.TOTP(totp.begin(platform, login).secret)
    moving_clock.advance(minutes=10)
    assert code_of(totp.confirm(platform, login, app.at(clock.now()), ORIGIN)) == "totp_setup_expired"


def test_an_sms_sign_in_sets_up_the_first_factor_only(platform: Platform, moving_clock: MovableClock) -> None:
    login, app = with_app(platform)
    _, by_sms = open_login(platform, login.account_id)
    other = pyotp.TOTP(totp.begin(platform, by_sms).secret)
    refused = totp.confirm(platform, by_sms, other.at(clock.now()), ORIGIN)
    assert code_of(refused) == "stronger_sign_in_needed"
    assert code_of(totp.remove(platform, by_sms, ORIGIN)) == "stronger_sign_in_needed"
    assert code_of(recovery_codes.renew(platform, by_sms, ORIGIN)) == "stronger_sign_in_needed"
    assert not factors.may_change(by_sms)
    by_totp = strong(platform, login, app, moving_clock)
    assert factors.may_change(by_totp)
    assert totp.remove(platform, by_totp, ORIGIN) is None
    assert code_of(totp.remove(platform, by_totp, ORIGIN)) == "not_found"
    assert not factors.has_factor(login.account_id)


def test_a_second_secret_is_refused_and_the_first_goes_on(
    platform: Platform, moving_clock: MovableClock
) -> None:
    login, app = with_app(platform)
    by_totp = strong(platform, login, app, moving_clock)
    other = pyotp.TOTP(totp.begin(platform, by_totp).secret)
    assert code_of(totp.confirm(platform, by_totp, other.at(clock.now()), ORIGIN)) == "totp_exists"
    strong(platform, login, app, moving_clock)


# --- signing in ---


def test_password_and_one_time_password_are_a_strong_sign_in(
    platform: Platform, moving_clock: MovableClock
) -> None:
    login, app = with_app(platform)
    moving_clock.advance(seconds=30)
    outcome = enter(platform, app.at(clock.now()))
    assert isinstance(outcome, Authenticated)
    assert (outcome.account_id, outcome.acr) == (login.account_id, CRYPTOGRAPHIC)
    assert outcome.amr == ("pwd", "otp", "mfa")


@pytest.mark.parametrize(("off", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_off_by_one_step(
    platform: Platform, moving_clock: MovableClock, off: int, taken: bool
) -> None:
    _, app = with_app(platform)
    moving_clock.advance(minutes=5)
    code = app.at(int(clock.now().timestamp()) + off)
    assert isinstance(enter(platform, code), Authenticated) is taken


def test_a_code_counts_once_and_so_does_every_earlier_one(
    platform: Platform, moving_clock: MovableClock
) -> None:
    _, app = with_app(platform)
    assert code_of(enter(platform, app.at(clock.now()))) == "credentials_wrong"  # it confirmed the set-up
    moving_clock.advance(minutes=1)
    earlier, code = app.at(int(clock.now().timestamp()) - 30), app.at(clock.now())
    assert isinstance(enter(platform, code), Authenticated)
    assert code_of(enter(platform, code)) == "credentials_wrong"
    assert code_of(enter(platform, earlier)) == "credentials_wrong"


def test_of_two_sign_ins_with_one_code_at_once_exactly_one_succeeds(
    platform: Platform, moving_clock: MovableClock
) -> None:
    _, app = with_app(platform)
    moving_clock.advance(minutes=1)
    outcomes = at_once([partial(enter, platform, app.at(clock.now()))] * 3)
    assert sum(isinstance(outcome, Authenticated) for outcome in outcomes) == 1


def test_a_wrong_password_does_not_use_the_code_up(platform: Platform, moving_clock: MovableClock) -> None:
    _, app = with_app(platform)
    moving_clock.advance(minutes=1)
    assert code_of(enter(platform, app.at(clock.now()), WRONG)) == "credentials_wrong"
    assert isinstance(enter(platform, app.at(clock.now())), Authenticated)


def test_another_accounts_code_and_no_account_at_all_are_answered_alike(
    platform: Platform, moving_clock: MovableClock
) -> None:
    _, app = with_app(platform)
    account(platform, "bob_12", OTHER_PHONE)
    moving_clock.advance(minutes=1)
    for identifier in ("bob_12", "nobody_1", ""):
        outcome = authenticator_codes.authenticate(
            platform, identifier, PASSWORD, app.at(clock.now()), ORIGIN
        )
        assert code_of(outcome) == "credentials_wrong"


@pytest.mark.parametrize("typed", ["", "x", "\x00\ud800", "0" * 10_000, "１２３"])
def test_anything_typed_is_just_wrong(platform: Platform, typed: str) -> None:
    with_app(platform)
    assert code_of(enter(platform, typed)) == "credentials_wrong"


def test_failures_are_counted_with_those_by_sms(platform: Platform, moving_clock: MovableClock) -> None:
    _, app = with_app(platform)
    moving_clock.advance(minutes=1)
    for _ in range(3):
        enter(platform, "000000")
    for _ in range(2):
        authentication.authenticate(platform, "alice_1", PASSWORD, "000000", ORIGIN)
    assert code_of(enter(platform, app.at(clock.now()))) == "login_locked"
    moving_clock.advance(minutes=15)
    assert isinstance(enter(platform, app.at(clock.now())), Authenticated)


# --- recovery codes ---


@pytest.fixture
def codes(platform: Platform) -> tuple[str, ...]:
    """alice_1's ten codes."""
    login, app = with_app(platform)
    outcome = recovery_codes.renew(platform, _strong_now(platform, login, app), ORIGIN)
    assert not isinstance(outcome, Refusal)
    return outcome


def _strong_now(platform: Platform, login: LoginView, app: pyotp.TOTP) -> LoginView:
    ahead = app.at(int(clock.now().timestamp()) + 30)
    outcome = enter(platform, ahead)
    assert isinstance(outcome, Authenticated)
    return authentication.open_login(platform, outcome, ORIGIN, replaces=None)[1]


def test_ten_codes_are_told_once_and_kept_as_hashes(platform: Platform, codes: tuple[str, ...]) -> None:
    assert len(set(codes)) == 10
    with reading() as session:
        kept = {row.code_index for row in session.query(RecoveryCode)}
    assert len(kept) == 10
    assert not kept & {code.replace("-", "") for code in codes}
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "recovery_codes_renewed"


def test_a_recovery_code_signs_in_once_but_not_strongly(platform: Platform, codes: tuple[str, ...]) -> None:
    outcome = enter(platform, codes[3].lower().replace("-", " "))
    assert isinstance(outcome, Authenticated)
    assert (outcome.acr, outcome.amr) == (TWO_FACTORS, ("pwd", "recovery_code", "mfa"))
    assert code_of(enter(platform, codes[3])) == "credentials_wrong"
    assert factors.overview(outcome.account_id).recovery_codes_left == 9
    assert len(events(platform, "factor:recovery_code_use")) == 1
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "recovery_code_used"


def test_of_two_users_of_a_recovery_code_at_once_exactly_one_succeeds(
    platform: Platform, codes: tuple[str, ...]
) -> None:
    outcomes = at_once([partial(enter, platform, codes[0])] * 3)
    assert sum(isinstance(outcome, Authenticated) for outcome in outcomes) == 1


def test_a_wrong_password_does_not_use_a_recovery_code_up(platform: Platform, codes: tuple[str, ...]) -> None:
    assert code_of(enter(platform, codes[0], WRONG)) == "credentials_wrong"
    assert isinstance(enter(platform, codes[0]), Authenticated)


def test_whoever_signs_in_with_a_recovery_code_may_replace_the_factor(
    platform: Platform, codes: tuple[str, ...]
) -> None:
    outcome = enter(platform, codes[0])
    assert isinstance(outcome, Authenticated)
    _, login = authentication.open_login(platform, outcome, ORIGIN, replaces=None)
    assert totp.remove(platform, login, ORIGIN) is None
    assert factors.overview(login.account_id).recovery_codes_left == 0
    set_up(platform, login)


def test_new_codes_end_the_former_ones(platform: Platform, codes: tuple[str, ...]) -> None:
    outcome = enter(platform, codes[0])
    assert isinstance(outcome, Authenticated)
    _, login = authentication.open_login(platform, outcome, ORIGIN, replaces=None)
    fresh = recovery_codes.renew(platform, login, ORIGIN)
    assert not isinstance(fresh, Refusal)
    assert code_of(enter(platform, codes[1])) == "credentials_wrong"
    assert isinstance(enter(platform, fresh[1]), Authenticated)


def test_the_first_factor_comes_with_codes_and_no_later_one(
    platform: Platform, moving_clock: MovableClock
) -> None:
    _, login = open_login(platform, account(platform))
    app = pyotp.TOTP(totp.begin(platform, login).secret)
    codes = totp.confirm(platform, login, app.at(clock.now()), ORIGIN)
    assert not isinstance(codes, Refusal)
    assert len(codes) == 10
    assert isinstance(enter(platform, codes[9]), Authenticated)
    assert outbox.list_recent_sms(platform, 2)[1].purpose == "totp_added"


def test_without_a_factor_there_are_no_recovery_codes(platform: Platform) -> None:
    _, login = open_login(platform, account(platform))
    assert code_of(recovery_codes.renew(platform, login, ORIGIN)) == "factor_required"


# --- showing it again, and an operator's reset ---


def test_a_code_confirms_within_a_login(platform: Platform, moving_clock: MovableClock) -> None:
    login, app = with_app(platform)
    moving_clock.advance(minutes=1)

    def confirm(password: str, code: str) -> Authenticated | Refusal:
        return authenticator_codes.confirm(platform, login, password, code, ORIGIN)

    assert code_of(confirm(WRONG, app.at(clock.now()))) == "confirmation_wrong"
    assert code_of(confirm(PASSWORD, "000000")) == "confirmation_wrong"
    outcome = confirm(PASSWORD, app.at(clock.now()))
    assert isinstance(outcome, Authenticated)
    assert outcome.acr == CRYPTOGRAPHIC
    assert code_of(confirm(PASSWORD, app.at(clock.now()))) == "confirmation_wrong"


def test_an_operator_takes_every_factor_away_and_ends_every_login(
    platform: Platform, codes: tuple[str, ...]
) -> None:
    account_id = events(platform, "factor:add")[0].account_id
    assert account_id is not None
    assert factors.reset(platform, account_id, ORIGIN) == 1
    assert not factors.has_factor(account_id)
    assert authentication.list_logins(platform, account_id) == []
    assert code_of(enter(platform, codes[0])) == "credentials_wrong"
    assert [entry.object_id for entry in events(platform, "factor:reset")] == [account_id]
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "factors_reset"
    assert code_of(factors.reset(platform, account_id, ORIGIN)) == "not_found"
    assert code_of(factors.reset(platform, "x" * 22, ORIGIN)) == "not_found"


# --- nobody learns what there is ---


def test_known_or_not_with_a_factor_or_without_the_work_is_the_same(
    platform: Platform, moving_clock: MovableClock, assert_queries: AssertQueries
) -> None:
    _, app = with_app(platform)
    account(platform, "bob_12", OTHER_PHONE)
    moving_clock.advance(minutes=1)
    watched = WatchedStore(platform.ephemeral)
    looked = replace(platform, ephemeral=watched)
    verbs = []
    for identifier, code in (("alice_1", "000000"), ("bob_12", app.at(clock.now())), ("nobody_1", "000000")):
        watched.verbs.clear()
        with assert_queries(4):  # the account, its secret, its recovery codes; one line of the trail
            authenticator_codes.authenticate(looked, identifier, PASSWORD, code, ORIGIN)
        verbs.append(list(watched.verbs))
    assert verbs[0] == verbs[1] == verbs[2]
