"""The English of the pages: every text found, the catalogue kept, and compiled as Flask-Babel reads it.

``python -m deploy.catalogue`` adds what is new to ``messages.po`` with nothing beside it, drops what is no
longer used, and compiles ``messages.mo``. Both are committed: a fresh clone speaks English.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "idp" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
COMPILED = CATALOGUE.with_suffix(".mo")
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)  # a date would make each compilation another
CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
METHODS = [("templates/**.html", "jinja2"), ("idp/web/**.py", f"{__name__}:python_texts")]
OPTIONS = {"templates/**.html": {"silent": "false"}}

Text = tuple[int, str, str, list[str]]


def python_texts(fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Text]:
    """Every Chinese text of a module, as Babel calls it.

    Those of tables and forms are looked up by variables, so what surrounds them can't tell.
    """
    for node in literals(ast.parse(fileobj.read())):
        yield node.lineno, "gettext", str(node.value), []


def literals(tree: ast.AST) -> list[ast.Constant]:
    """The strings with Chinese in them that are no docstrings, in the order of the file."""
    explained = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CHINESE.search(node.value)
        and id(node) not in explained
    ]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def texts() -> Catalog:
    """Every text of the pages, nothing translated."""
    catalogue = Catalog(charset="utf-8")
    found = extract_from_dir(ROOT, METHODS, OPTIONS, directory_filter=_is_searched)
    for path, _line, text, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        catalogue.add(text, locations=[(Path(path).as_posix(), 0)], auto_comments=comments, context=context)
    return catalogue


def _is_searched(path: str | Path) -> bool:
    return Path(path).relative_to(ROOT).parts[:1] in {("idp",), ("templates",)}


def english() -> Catalog:
    """The catalogue as it is committed."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    catalogue.creation_date = catalogue.revision_date = UNDATED
    return catalogue


def updated() -> Catalog:
    """The catalogue with exactly the texts there are; nothing is guessed for new ones."""
    kept, catalogue = english(), texts()
    for message in catalogue:
        known = kept.get(message.id, message.context) if message.id else None
        if known is not None:
            message.string = known.string
    catalogue.locale = "en"
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    """The source, without line numbers and dates, so that it changes only where texts do."""
    written = io.BytesIO()
    write_po(written, catalogue, width=110, omit_header=True, include_lineno=False)
    return HEADER + written.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """The compiled catalogue; the same for the same texts."""
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


HEADER = b"""# English of the pages; the terms are those of the glossary in CONTRIBUTING.md.
msgid ""
msgstr ""
"Language: en\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def main() -> None:
    """Bring both files up to date, and say what wants words."""
    CATALOGUE.write_bytes(as_po(updated()))
    COMPILED.write_bytes(as_mo(english()))
    for message in english():
        if message.id and not message.string:
            print(message.id)


if __name__ == "__main__":
    main()
