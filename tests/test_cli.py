from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest
from click.testing import Result
from flask import Flask
from joserfc.jwk import ECKey

from idp.domain.errors import Refusal
from idp.services import audit, clients, factors, totp
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.database import reading
from tests.services import people
from tests.services.conftest import MovableClock

WEB = {"client_name": "系统", "redirect_uris": ["https://rp.example/cb"]}

Run = Callable[..., Result]


@pytest.fixture
def backend() -> str:
    """The commands are thin: what they call is tested on both installations."""
    return "sqlite"


@pytest.fixture
def run(app: Flask) -> Run:
    """``run("clients", "list")``: a command of ``flask --app wsgi``."""
    runner = app.test_cli_runner()

    def run_(*arguments: str, text: str | bytes | None = None) -> Result:
        return runner.invoke(args=list(arguments), input=text)

    return run_


def add(run: Run, **metadata: Any) -> dict[str, Any]:
    result = run("clients", "add", "--json", "-", text=json.dumps(WEB | metadata))
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_an_initial_access_token_is_printed_and_registers_as_many_clients(run: Run, app: Flask) -> None:
    result = run("clients", "initial-access-token", "--uses", "2", "--ttl", "60")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"[\w-]{43}\n", result.stdout)
    headers = {"Authorization": f"Bearer {result.stdout.strip()}"}
    statuses = [
        app.test_client().post("/oauth/register", json=WEB, headers=headers).status_code for _ in "123"
    ]
    assert statuses == [201, 201, 401]


def test_an_initial_access_token_is_for_one_client_unless_told(run: Run, app: Flask) -> None:
    headers = {"Authorization": f"Bearer {run('clients', 'initial-access-token').stdout.strip()}"}
    statuses = [
        app.test_client().post("/oauth/register", json=WEB, headers=headers).status_code for _ in "12"
    ]
    assert statuses == [201, 401]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--uses", "0"), "uses: must be a number from 1 to 1000"),
        (("--ttl", "-1"), "ttl: must be a number from 1 to 7776000"),
        (("--ttl", "9" * 40), "ttl: must be a number from 1 to 7776000"),
    ],
)
def test_an_initial_access_token_has_its_limits(run: Run, options: tuple[str, ...], words: str) -> None:
    result = run("clients", "initial-access-token", *options)
    assert result.exit_code == 1
    assert words in result.output


def test_the_schema_is_upgraded_and_a_second_time_changes_nothing(run: Run) -> None:
    for _ in range(2):
        result = run("db", "upgrade")
        assert result.exit_code == 0
        assert "current" in result.output


def test_a_client_is_added_from_standard_input_and_its_secret_shown_once(run: Run) -> None:
    answer = add(run, client_id="rp", scope="openid email")
    assert answer["client_id"] == "rp"
    assert re.fullmatch(r"[\w-]{43}", answer["client_secret"])
    assert answer["client_secret_expires_at"] == 0
    assert isinstance(answer["client_id_issued_at"], int)
    assert answer["scope"] == "openid email"
    assert answer["client_name"] == "系统"
    shown = json.loads(run("clients", "show", "rp").stdout)
    assert "client_secret" not in shown
    assert shown["disabled"] is False
    assert shown["redirect_uris"] == ["https://rp.example/cb"]


def test_a_client_is_added_from_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text(json.dumps(WEB | {"token_endpoint_auth_method": "none"}), encoding="utf-8")
    answer = json.loads(run("clients", "add", "--json", str(file)).stdout)
    assert "client_secret" not in answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "This is not JSON"),
        ("", "This is not JSON"),
        ("[]", "must be a JSON object"),
        ("5", "must be a JSON object"),
        ("[" * 200_000, "This is not JSON"),
        (b"\xff\xfe{}", "This is not JSON"),
        ("{}", "client_name: is required"),
        ('{"client_name":"x","redirect_uris":["http://rp.example/"]}', "redirect_uris: http://rp.example/"),
        ('{"client_name":5,"grant_types":7,"scope":[]}', "grant_types: must be a list"),
    ],
)
def test_what_cannot_be_registered_is_explained_in_words(run: Run, text: str | bytes, words: str) -> None:
    result = run("clients", "add", "--json", "-", text=text)
    assert result.exit_code == 1, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert run("clients", "list").stdout == ""


def test_every_problem_is_named_at_once(run: Run) -> None:
    result = run("clients", "add", "--json", "-", text='{"client_name":5,"grant_types":7,"scope":[]}')
    assert {line.partition(":")[0] for line in result.stderr.splitlines()} == {
        "client_name",
        "grant_types",
        "scope",
    }


def test_an_id_is_given_once(run: Run) -> None:
    add(run, client_id="rp")
    result = run("clients", "add", "--json", "-", text=json.dumps(WEB | {"client_id": "rp"}))
    assert result.exit_code == 1
    assert "client_id: client_id_taken" in result.stderr


def test_clients_are_listed_in_lines_and_as_json(run: Run) -> None:
    add(run, client_id="b")
    add(run, client_id="a", client_name="甲")
    assert run("clients", "disable", "b").exit_code == 0
    assert run("clients", "list").stdout.splitlines() == ["a\tactive\t甲", "b\tdisabled\t系统"]
    listed = json.loads(run("clients", "list", "--json").stdout)
    assert [(client["client_id"], client["disabled"]) for client in listed] == [("a", False), ("b", True)]


def test_a_rotated_secret_is_printed_with_its_client(run: Run, app: Flask) -> None:
    first = add(run, client_id="rp")
    answer = json.loads(run("clients", "rotate-secret", "rp").stdout)
    assert answer.keys() == {"client_id", "client_secret", "client_secret_expires_at"}
    assert answer["client_secret"] != first["client_secret"]


@pytest.mark.parametrize("command", ["show", "disable", "rotate-secret"])
def test_an_unknown_client_is_said_to_be_unknown(run: Run, command: str) -> None:
    result = run("clients", command, "nobody")
    assert result.exit_code == 1
    assert "nobody" in result.stderr
    assert "Traceback" not in result.output


def test_a_client_without_a_secret_has_none_to_rotate(run: Run) -> None:
    add(run, client_id="app", token_endpoint_auth_method="none")
    result = run("clients", "rotate-secret", "app")
    assert result.exit_code == 1
    assert "client_has_no_secret" in result.stderr


def test_keys_are_listed_rotated_and_retired(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run("keys", "list").stdout.splitlines()
    assert {line.split("\t")[2] for line in before} >= {"ES256", "RS256", "A256GCM"}
    result = run("keys", "rotate", "ES256")
    assert result.exit_code == 0
    kid = result.stdout.rsplit(" ", 1)[1].strip().rstrip(".")
    listed = {line.split("\t")[0]: line.split("\t")[3] for line in run("keys", "list").stdout.splitlines()}
    assert listed[kid] == "waiting"
    assert run("keys", "retire", kid).exit_code == 0
    assert kid not in run("keys", "list").stdout


@pytest.mark.parametrize("arguments", [("retire", "unknown"), ("rotate", "HS256"), ("rotate", "none")])
def test_what_cannot_be_done_to_keys_is_said_without_a_trace(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("keys", *arguments)
    assert result.exit_code in {1, 2}
    assert "Traceback" not in result.output


def test_the_last_key_of_an_algorithm_stays(run: Run) -> None:
    kid = next(line.split("\t")[0] for line in run("keys", "list").stdout.splitlines() if "RS256" in line)
    result = run("keys", "retire", kid)
    assert result.exit_code == 1
    assert "key_last" in result.stderr


def test_the_audit_trail_is_verified(run: Run, app: Flask) -> None:
    add(run)
    assert run("audit", "verify").exit_code == 0
    platform: Platform = app.extensions["idp"]
    with app.app_context():
        audit.seal(platform)
    assert "1 entries sealed" in run("audit", "verify").stdout


def test_demonstration_data_is_loaded_in_development_only(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    jwks = tmp_path / "jwks.json"
    key = ECKey.generate_key("P-256", {"kid": "smdvs"})
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    arguments = ["demo", "load", "--smdvs-jwks", str(jwks)]
    result = make_app(env="production").test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 1
    assert "development only" in result.stderr
    runner = make_app().test_cli_runner()
    for _ in range(2):
        result = runner.invoke(args=arguments)
        assert result.exit_code == 0, result.output


def test_a_disabled_client_is_refused_by_the_running_program(run: Run, app: Flask) -> None:
    add(run, client_id="rp")
    run("clients", "disable", "rp")
    with app.app_context():
        assert clients.find_client(app.extensions["idp"], "rp") is None


def test_the_clock_of_a_listing_is_utc(run: Run, moving: MovableClock) -> None:
    assert re.search(r"\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$", run("keys", "list").stdout.splitlines()[0])


@pytest.fixture
def moving(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """The clock of the program, standing."""
    from idp import clock

    movable = MovableClock(clock.now())
    monkeypatch.setattr(clock, "now", movable.now)
    return movable


def test_a_temporary_password_is_printed_for_an_account_there_is(run: Run, app: Flask) -> None:
    platform: Platform = app.extensions["idp"]
    with app.app_context():
        account_id = people.account(platform)
    result = run("accounts", "temporary-password", "ALICE_1")
    assert result.exit_code == 0, result.output
    with app.app_context(), reading() as session:
        stored = session.get_one(Account, account_id).password_hash
    assert platform.passwords.verify(stored, result.stdout.strip())
    assert run("accounts", "temporary-password", "nobody_1").exit_code == 1


def test_lost_factors_are_reset_by_command(run: Run, app: Flask) -> None:
    platform: Platform = app.extensions["idp"]
    with app.app_context():
        account_id = people.account(platform)
        _, login = people.open_login(platform, account_id)
        code = pyotp.TOTP(totp.begin(platform, login).secret).now()
        assert not isinstance(totp.confirm(platform, login, code, people.ORIGIN), Refusal)
    result = run("accounts", "reset-factors", "ALICE_1")
    assert (result.exit_code, "1 removed" in result.output) == (0, True)
    with app.app_context():
        assert not factors.has_factor(account_id)
        assert [entry.event for entry in people.events(platform, "factor:reset")] == ["factor:reset"]
    assert run("accounts", "reset-factors", "alice_1").exit_code == 1
    assert run("accounts", "reset-factors", "nobody_1").exit_code == 1


def test_an_enterprise_is_closed_and_opened_again_by_command(run: Run, app: Flask) -> None:
    with app.app_context():
        platform: Platform = app.extensions["idp"]
        people.give_identity(platform, people.account(platform), people.enterprise())
    code = "91990101MADEM0046R"
    assert run("enterprises", "close", code.lower()).output == f"{code} is closed.\n"
    assert run("enterprises", "reopen", code).output == f"{code} is open.\n"
    changed = run("enterprises", "representative-changed", code)
    assert changed.output == f"{code} has to confirm its handlers.\n"
    assert run("enterprises", "check", code).output == f"{code}: changed\n"
    for command in ("close", "reopen", "representative-changed", "check"):
        unknown = run("enterprises", command, "91990101MADEM0070A")
        assert unknown.exit_code == 1
        assert "There is no enterprise" in unknown.output
