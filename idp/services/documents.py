"""PDFs that people upload: opened, and their pages alone written anew.

Scripts, actions, attachments, forms, links and metadata hang on the document and around the pages; none of
them is taken along. What would still act from within a page is refused.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MOST_PAGES: Final = 10
MOST_OBJECTS: Final = 50_000  # a page that a scanner made has a dozen
# What a page is drawn with (ISO 32000-1 table 30), and nothing else.
_KEPT: Final = frozenset(
    {
        "/Type",
        "/Parent",
        "/Resources",
        "/MediaBox",
        "/CropBox",
        "/Contents",
        "/Rotate",
        "/UserUnit",
        "/Group",
    }
)
_ACTIVE_KEYS: Final = frozenset({"/JS", "/AA", "/OpenAction", "/EF", "/XFA", "/RichMediaContent"})
_ACTIONS: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/URI", "/Rendition"}
)


def rewritten(content: bytes) -> tuple[str | None, bytes]:
    """A fault (``scan_encrypted``, ``scan_too_many_pages``, ``scan_active``, ``scan_unreadable``), or the
    pages as a document of their own.
    """
    from pypdf import PdfReader  # noqa: PLC0415 - 25 MB that a worker without PDFs never needs

    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            return "scan_encrypted", b""
        return _pages_of(reader)
    # A broken file breaks a parser in many ways; each means the same here.
    except Exception:  # noqa: BLE001
        return "scan_unreadable", b""


def _pages_of(reader: PdfReader) -> tuple[str | None, bytes]:
    pages = len(reader.pages)
    if pages > MOST_PAGES:
        return "scan_too_many_pages", b""
    if not pages:
        return "scan_unreadable", b""
    for page in reader.pages:
        for key in set(page) - _KEPT:
            del page[key]
        if any(_is_active(value) for value in _reachable(page)):
            return "scan_active", b""
    return None, _written(reader)


def _written(reader: PdfReader) -> bytes:
    from pypdf import PdfWriter  # noqa: PLC0415 - as above

    writer = PdfWriter()
    for page in reader.pages:
        writer.add_page(page)
    writer.metadata = None
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _is_active(value: object) -> bool:
    """Whether this dictionary does something when it is opened, rather than draw."""
    if not isinstance(value, dict):
        return False
    kind, action = (str(value.get(key, "")) for key in ("/Type", "/S"))
    return bool(_ACTIVE_KEYS & value.keys()) or action in _ACTIONS or kind == "/EmbeddedFile"


def _reachable(page: PageObject) -> Iterator[object]:
    """Everything a page refers to, each once; ValueError when that is no end of things.

    The way up to the other pages is not taken: each page is looked at by itself.
    """
    waiting: list[object] = [page]
    seen: set[tuple[int, int]] = set()
    while waiting:
        value = waiting.pop()
        reference = getattr(value, "indirect_reference", None)
        if reference is not None:
            if (reference.idnum, reference.generation) in seen:
                continue
            seen.add((reference.idnum, reference.generation))
        yield value
        waiting += _parts(value)
        if len(waiting) + len(seen) > MOST_OBJECTS:
            message = "more objects than a page needs"
            raise ValueError(message)


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        inner = [part for key, part in value.items() if key != "/Parent"]
    elif isinstance(value, list):
        inner = list(value)
    else:
        return []
    resolved = (part.get_object() if hasattr(part, "get_object") else part for part in inner)
    return [part for part in resolved if isinstance(part, dict | list)]
