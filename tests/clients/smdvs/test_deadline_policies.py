"""The rules on deadlines as data: what stands there, and that a broken file says what is broken."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clients.smdvs import deadline_policies
from clients.smdvs.deadline_policies import FILE, PolicyError, load, policy_at, policy_of
from clients.smdvs.vocabulary import DeadlineClass

ORDINARY, SEVERE = DeadlineClass.ORDINARY, DeadlineClass.SEVERE
SECOND = """
[[policies]]
name = "eidc-2025"
version = 2
title = "新能源汽车事故上报平台时限"
source = "示例"
secondary_source = false
effective_from = 2027-01-01
initial_hours = 20
severe_hours = 10
detailed_hours = 96
severe = ["deaths"]
severe_title = "有人员死亡"
"""


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same policies, and a second version of one."""
    path = tmp_path / "later.toml"
    path.write_text(FILE.read_text() + SECOND)
    monkeypatch.setattr(deadline_policies, "POLICIES", load(path))


@pytest.mark.parametrize(
    ("name", "hours", "casualties"),
    [("eidc-2025", (24, 12, 120), ORDINARY), ("samr-2019", (12, 6, 48), SEVERE)],
)
def test_the_two_rules_of_the_domain_are_there(
    name: str, hours: tuple[int, int, int], casualties: DeadlineClass
) -> None:
    policy = policy_of(name)
    assert (policy.initial_hours, policy.severe_hours, policy.detailed_hours) == hours
    assert policy.class_of(0, 0, False) is ORDINARY
    assert policy.class_of(0, 1, False) is casualties
    assert policy.class_of(1, 0, False) is policy.class_of(0, 0, True) is SEVERE
    assert policy.initial_hours_of(ORDINARY) == hours[0]
    assert policy.initial_hours_of(SEVERE) == hours[1]


def test_a_rule_that_nobody_here_has_seen_says_so() -> None:
    assert policy_of("eidc-2025").secondary_source
    assert "未查到文号" in policy_of("eidc-2025").source
    assert "质函〔2019〕5号" in policy_of("samr-2019").source


@pytest.mark.parametrize("name", ["eidc", "", "eidc-2025@2", "eidc-2025@", "@1", "EIDC-2025"])
def test_an_unknown_policy_is_told_which_there_are(name: str) -> None:
    with pytest.raises(PolicyError, match=r"deadline_policies.toml.*eidc-2025@1, samr-2019@1"):
        policy_of(name)


@pytest.mark.usefixtures("later")
def test_the_day_of_the_accident_in_china_chooses_the_version() -> None:
    before, after = datetime(2026, 12, 31, 15, 59, tzinfo=UTC), datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert policy_at("eidc-2025", before).version == 1
    assert policy_at("eidc-2025", after).version == 2
    assert policy_at("eidc-2025", datetime(2019, 1, 1, tzinfo=UTC)).version == 1
    assert policy_of("eidc-2025").version == 2


@pytest.mark.usefixtures("later")
def test_what_a_report_keeps_names_one_version_for_good() -> None:
    after = datetime(2027, 5, 1, tzinfo=UTC)
    assert policy_of("eidc-2025@1").reference == "eidc-2025@1"
    assert policy_at("eidc-2025@1", after).version == 1


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("initial_hours = 24\n", "", "policies.0.initial_hours: Field required"),
        ("initial_hours = 24\n", "initial_hours = 0\n", "policies.0.initial_hours: "),
        ("initial_hours = 24\n", "initial_hours = '24'\n", "policies.0.initial_hours: "),
        ("initial_hours = 24\n", "initial_hours = 24\nfinal_hours = 1\n", "policies.0.final_hours: "),
        ("severe_hours = 12\n", "severe_hours = 25\n", "policies.0: Value error, severe_hours"),
        ('["deaths", "major_social_impact"]', '["fire"]', "policies.0.severe.0: "),
        ('["deaths", "major_social_impact"]', "[]", "policies.0.severe: "),
        ('"eidc-2025"', '"EIDC 2025"', "policies.0.name: "),
        ("2025-10-18\n", '"2025-10-18"\n', "policies.0.effective_from: "),
        ('"samr-2019"', '"eidc-2025"', "policies: Value error, version and effective_from of eidc-2025"),
        ("[[policies]]", "[[policies", "can't be read"),
    ],
)
def test_a_broken_file_names_itself_and_the_field(tmp_path: Path, before: str, after: str, told: str) -> None:
    text = FILE.read_text()
    assert before in text
    path = tmp_path / "broken.toml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(PolicyError) as caught:
        load(path)
    assert str(caught.value).startswith(f"broken.toml: {told}")


@pytest.mark.parametrize("content", [b"", b"\xff", b"policies = []"])
def test_a_file_without_policies_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.toml"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match=r"^empty.toml: "):
        load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"^nothing.toml: can't be read"):
        load(tmp_path / "nothing.toml")
