"""The English catalogue: complete, with the same placeholders, compiled; no Chinese beside it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import Message
from babel.support import Translations

from deploy import catalogue
from deploy.catalogue import CHINESE, ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "idp" / "web").rglob("*.py"))
# Texts of Python code that are looked up by ``translated`` where they are shown.
TABLES = re.compile(r"idp/web/(messages/.*|.*forms)\.py")
# What stays Chinese in English, and why.
STAYS = {"简体中文"}  # the name of the language, for those who read no English
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# A call of gettext with its text, which may hold the other kind of quote.
CALL = re.compile(r"""\b(?:_|n?p?gettext)\((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TAG = re.compile(r"<[^>]+>")


def messages() -> list[Message]:
    return [message for message in catalogue.texts() if message.id]


@pytest.fixture(scope="module")
def english() -> dict[tuple[str | None, str], Message]:
    return {(message.context, str(message.id)): message for message in catalogue.english() if message.id}


def test_every_text_has_its_english(english: dict[tuple[str | None, str], Message]) -> None:
    missing = [
        message.id
        for message in messages()
        if not (found := english.get((message.context, str(message.id)))) or not found.string
    ]
    assert not missing, "write the English of these into messages.po (python -m deploy.catalogue lists them)"


def test_nothing_else_is_in_the_catalogue(english: dict[tuple[str | None, str], Message]) -> None:
    used = {(message.context, str(message.id)) for message in messages()}
    assert [key for key in english if key not in used] == []
    assert [message.id for message in english.values() if message.fuzzy] == []


def test_the_english_is_english(english: dict[tuple[str | None, str], Message]) -> None:
    chinese = {message.id for message in english.values() if CHINESE.search(str(message.string))}
    assert chinese == STAYS


def test_english_has_the_placeholders_and_tags_of_the_chinese(
    english: dict[tuple[str | None, str], Message],
) -> None:
    for message in english.values():
        assert _parts(str(message.string)) == _parts(str(message.id)), message.id


def _parts(text: str) -> tuple[set[str], set[str], list[str]]:
    """What code puts into a text, either way, and the tags in it."""
    braces = set() if '{"' in text else {name for _, name, _, _ in Formatter().parse(text) if name}
    return set(PLACEHOLDER.findall(text)), braces, sorted(TAG.findall(text))


def test_percent_signs_in_templates_are_written_twice(
    english: dict[tuple[str | None, str], Message],
) -> None:
    """Jinja puts values into every text of a template, also when there are none."""
    for message in messages():
        if any(path.startswith("templates/") for path, _line in message.locations):
            values = dict.fromkeys(PLACEHOLDER.findall(str(message.id)), "x")
            assert str(message.id) % values
            found = english.get((message.context, str(message.id)))
            assert found is None or isinstance(str(found.string) % values, str)


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    assert catalogue.as_mo(catalogue.english()) == catalogue.COMPILED.read_bytes()
    assert catalogue.as_po(catalogue.updated()) == catalogue.CATALOGUE.read_bytes()
    with catalogue.COMPILED.open("rb") as file:
        assert Translations(file).gettext("统一社会信用代码") == "Unified social credit code"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_says_nothing_in_chinese_alone(path: Path) -> None:
    rest = CALL.sub("", COMMENT.sub("", path.read_text("utf-8")))
    assert [line.strip() for line in rest.splitlines() if CHINESE.search(line)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "idp" / "web")))
def test_code_says_nothing_in_chinese_that_is_not_translated(path: Path) -> None:
    """Beyond tables and forms, Chinese is an argument of ``translated``; no text is put together first."""
    tree = ast.parse(path.read_text("utf-8"))
    assert [ast.unparse(node) for node in ast.walk(tree) if _is_formatted(node)] == []
    if not TABLES.fullmatch(str(path.relative_to(ROOT))):
        looked_up = {id(text) for node in ast.walk(tree) for text in _looked_up(node)}
        rest = {str(node.value) for node in catalogue.literals(tree) if id(node) not in looked_up}
        assert rest <= STAYS


def _looked_up(node: ast.AST) -> list[ast.expr]:
    """The arguments of a call of ``translated``."""
    called = node.func if isinstance(node, ast.Call) else None
    is_lookup = isinstance(called, ast.Name) and called.id in {"translated", "_"}
    return node.args if isinstance(node, ast.Call) and is_lookup else []


def _is_formatted(node: ast.AST) -> bool:
    """Whether this is an f-string with Chinese of its own."""
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return any(isinstance(part, ast.Constant) and CHINESE.search(str(part.value)) for part in parts)


def test_an_extracted_module_gives_literals_and_no_docstrings(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""说明"""\nT = {"a": "甲", "b": "plain"}\ndef f():\n    """说明"""\n    return _("乙")\n',
        "utf-8",
    )
    with module.open("rb") as file:
        texts = [text for _line, _name, text, _comments in catalogue.python_texts(file, (), (), {})]
    assert texts == ["甲", "乙"]
