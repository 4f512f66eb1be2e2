from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.demo.environment import NotPossibleError, read


def test_nothing_set_gives_a_development_installation_under_var(tmp_path: Path) -> None:
    demo = read({"PATH": "/bin"}, tmp_path)
    assert demo.idp_environ["IDP_ENV"] == "development"
    assert demo.idp_environ["IDP_ISSUER"] == demo.smdvs_environ["SMDVS_ISSUER"] == demo.idp_url
    assert demo.idp_environ["IDP_DATABASE_URL"] == f"sqlite:///{tmp_path}/var/idp.sqlite3"
    assert demo.smdvs_environ["SMDVS_PUBLIC_URL"] == demo.smdvs_url == "http://127.0.0.1:5001"
    assert demo.idp_environ["PATH"] == demo.smdvs_environ["PATH"] == "/bin"


def test_the_published_password_never_ages_and_no_demonstration_account_falls_asleep(tmp_path: Path) -> None:
    demo = read({}, tmp_path)
    assert demo.idp_environ["IDP_PASSWORD_MAX_AGE_DAYS"] == demo.idp_environ["IDP_DORMANT_DAYS"] == "0"


def test_what_the_person_set_wins_and_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    chosen = {
        "IDP_ISSUER": "https://op.example",
        "IDP_DATABASE_URL": "",
        "IDP_REDIS_URL": "redis://localhost",
    }
    demo = read(chosen, tmp_path)
    assert demo.idp_environ["IDP_ISSUER"] == demo.smdvs_environ["SMDVS_ISSUER"] == "https://op.example"
    assert demo.idp_environ["IDP_DATABASE_URL"].startswith("sqlite:")
    assert demo.idp_environ["IDP_REDIS_URL"] == "redis://localhost"


def test_the_ports_move_everything_that_names_them(tmp_path: Path) -> None:
    demo = read({"IDP_PORT": "6000", "SMDVS_PORT": "6001"}, tmp_path)
    assert demo.idp_environ["IDP_ISSUER"] == "http://127.0.0.1:6000"
    assert demo.smdvs_environ["SMDVS_PUBLIC_URL"] == "http://127.0.0.1:6001"


def test_the_relying_party_is_told_nothing_of_the_provider_but_its_issuer(tmp_path: Path) -> None:
    demo = read({"IDP_SECRET_KEY": "x" * 32, "IDP_KEYS_PASSPHRASE": "y"}, tmp_path)
    assert [name for name in demo.smdvs_environ if name.startswith("IDP_")] == []


def test_secrets_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first, second = read({}, tmp_path), read({}, tmp_path)
    secrets = {first.idp_environ["IDP_SECRET_KEY"], first.smdvs_environ["SMDVS_SECRET_KEY"]}
    assert len(secrets) == 2
    assert secrets == {second.idp_environ["IDP_SECRET_KEY"], second.smdvs_environ["SMDVS_SECRET_KEY"]}
    assert stat.S_IMODE((tmp_path / "var/idp-secret-key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_a_secret_half_written_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/idp-secret-key.part").write_text("ha")
    assert len(read({}, tmp_path).idp_environ["IDP_SECRET_KEY"]) == 64


def test_a_proxy_does_not_stand_between_the_two(tmp_path: Path) -> None:
    demo = read({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "inside.example"}, tmp_path)
    assert demo.smdvs_environ["NO_PROXY"] == "inside.example,127.0.0.1,localhost"


@pytest.mark.parametrize("port", ["x", "0", "-1", "65536", "５０００", "5000 "])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: str) -> None:
    with pytest.raises(NotPossibleError, match="SMDVS_PORT"):
        read({"SMDVS_PORT": port}, tmp_path)


def test_both_can_not_have_the_same_port(tmp_path: Path) -> None:
    with pytest.raises(NotPossibleError, match="IDP_PORT and SMDVS_PORT are both 5001"):
        read({"IDP_PORT": "5001"}, tmp_path)
