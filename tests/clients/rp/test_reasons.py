"""One table of reasons: whatever the kit refuses with stands in it, and nothing else does."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.rp import reasons
from clients.rp.errors import refuse
from clients.rp.reasons import REASONS

KIT = Path(reasons.__file__).parent


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a function of that name in the kit, and in which file it is."""
    for path in sorted(KIT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield path.relative_to(KIT), node


def test_every_refusal_that_the_kit_makes_has_its_reason_in_the_table_and_none_is_idle() -> None:
    made = {ast.literal_eval(call.args[0]) for _, call in calls("refuse")}
    assert made == set(REASONS)


def test_nobody_makes_a_refusal_past_the_table() -> None:
    assert [str(path) for path, _ in calls("Refusal")] == ["errors.py"]


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_speaks_both_languages(reason: str) -> None:
    refusal = refuse(reason, scope="a:b", matter="nev-accident-report", role="regulator")
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.text)
    assert not refusal.text.endswith("。")
    assert refusal.description.isascii()
    assert not set(refusal.description) & set('"\\{}')
    assert not refusal.description.endswith(".")


@pytest.mark.parametrize(
    ("error", "status"),
    [("invalid_token", 401), ("insufficient_scope", 403), ("insufficient_user_authentication", 401)],
)
def test_the_status_follows_from_the_error(error: str, status: int) -> None:
    of_that = [reason for reason in REASONS if REASONS[reason].error == error]
    assert {refuse(reason, scope="s", matter="m", role="r").status for reason in of_that} == {status}


def test_a_reason_of_nobody_is_a_fault_of_the_program() -> None:
    with pytest.raises(KeyError):
        refuse("because")


def test_the_page_for_relying_parties_has_the_table_as_it_is() -> None:
    page = (KIT.parents[1] / "docs/relying-parties.md").read_text()
    assert page.endswith("\n<!-- python -m clients.rp.reasons -->\n" + reasons.table())


def test_the_page_shows_the_example_as_it_is() -> None:
    page = (KIT.parents[1] / "docs/relying-parties.md").read_text()
    shown = textwrap.dedent(page.partition("   ```python\n")[2].partition("   ```\n")[0])
    source = ast.parse((KIT.parent / "example/app.py").read_text())
    source.body.pop(0)
    for node in source.body:
        if isinstance(node, ast.FunctionDef):
            node.body.pop(0)
    assert ast.unparse(ast.parse(shown)) == ast.unparse(source)
