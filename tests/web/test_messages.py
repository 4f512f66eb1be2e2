from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp import sms
from idp.config import Settings
from idp.domain import identifiers, submissions
from idp.domain.audit import AuditEvent
from idp.domain.errors import Problem
from idp.domain.handler_terms import MATTERS
from idp.domain.handlers import Status
from idp.domain.keys import KeyState
from idp.web.messages import day, device, moment, name, names, problem_text, shared_data
from idp.web.messages.problems import PROBLEMS
from idp.web.messages.upstream import UPSTREAM_PAGES, USUAL_NAME

ROOT = Path(__file__).resolve().parents[2]
# Codes of the protocol's endpoints: they end as OAuth errors, not on a page.
PROTOCOL = {
    "actors_too_many",
    "authorization_details_invalid",
    "claims_invalid",
    "code_invalid",
    "code_reused",
    "initial_access_token_invalid",
    "refresh_token_invalid",
    "refresh_token_reused",
    "registration_unknown",
    "scope_wider",
    "stream_exists",
    "stream_invalid",
    "stream_unknown",
    "verification_too_soon",
}


def codes() -> Iterator[str]:
    """Every code written at Problem(...), Refusal.of(...), refuse(...) or as the code of a check."""
    for folder in ("domain", "services"):
        for file in sorted((ROOT / "idp" / folder).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _called(node) in {"Problem", "of", "refuse"} and node.args:
                    code = node.args[0]
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        yield code.value


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


@pytest.mark.parametrize("code", sorted(set(codes()) - PROTOCOL))
def test_every_problem_has_its_words(code: str) -> None:
    assert code in PROBLEMS or code in {key.partition(":")[0] for key in UPSTREAM_PAGES}


def test_a_field_may_have_its_own_words() -> None:
    assert problem_text(Problem("required", "captcha")) == "请输入图片中的验证码"
    assert problem_text(Problem("required", "no_such_field")) == PROBLEMS["required"]


def test_words_do_without_a_missing_number() -> None:
    assert "若干 秒" in problem_text(Problem("sms_too_soon"))
    assert "42 秒" in problem_text(Problem("sms_too_soon", None, {"seconds": 42}))


def test_an_unknown_code_still_says_what_to_do() -> None:
    assert problem_text(Problem("no_such_code")) == "填写有误，请检查后重试"


def test_every_code_that_pages_show_has_a_name() -> None:
    assert {event.value for event in AuditEvent} <= names.AUDIT_EVENTS.keys()
    assert {event.value.partition(":")[0] for event in AuditEvent} <= names.AUDIT_AREAS.keys()
    assert set(submissions.ORGANIZATION_TYPES) == names.ORGANIZATION_TYPES.keys()
    assert set(submissions.LEGAL_PERSON_TYPES) == names.LEGAL_PERSON_TYPES.keys()
    assert set(identifiers.DOCUMENT_TYPES) == names.DOCUMENT_TYPES.keys()
    assert set(MATTERS) == names.MATTERS.keys()
    assert {status.value for status in Status} == names.HANDLER_STATUSES.keys()
    assert {state.value for state in KeyState} == names.KEY_STATES.keys()
    assert name("matter", "nev-accident-report") == "新能源汽车事故上报"
    assert name("matter", "future-matter") == "future-matter"
    assert sms.text("handler_revoked", enterprise_name="示例") != ""


def test_moments_are_shown_in_chinese_time() -> None:
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    assert moment(late) == "2026-11-24 00:30"
    assert day(late) == "2026-11-24"
    assert (moment(None), day(None)) == ("—", "长期")


def test_what_a_client_learns_is_told_in_words() -> None:
    lines = shared_data({"openid", "phone", "no_such_scope"})
    assert lines == [names.SHARED_DATA["openid"], names.SHARED_DATA["phone"]]


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari · iPhone",
        ),
        ("curl/8", "其他浏览器或程序"),
        ("", "其他浏览器或程序"),
    ],
)
def test_devices_are_named_in_words(user_agent: str, expected: str) -> None:
    assert device(user_agent) == expected


def test_the_other_platform_has_its_usual_name() -> None:
    assert Settings().upstream_name == USUAL_NAME
