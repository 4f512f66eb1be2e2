"""Whether a PDF can be opened and does nothing when it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

MAX_PAGES = 500
MAX_OBJECTS = 20_000
MAX_DEPTH = 20
_ACTIVE_KEYS = frozenset({"/JS", "/XFA", "/RichMediaContent"})
_ACTIONS = frozenset({"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition"})


def fault_of(content: bytes) -> str | None:
    """The code of what is wrong with it: unreadable, encrypted, too large, or active."""
    if content.count(b" obj") > MAX_OBJECTS:
        return "attachment_too_many_pages"
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        return "attachment_encrypted" if reader.is_encrypted else _fault_inside(reader)
    except Exception:  # noqa: BLE001 - a broken file breaks a parser in many ways; all mean the same
        return "attachment_unreadable"


def _fault_inside(reader: PdfReader) -> str | None:
    pages = len(reader.pages)
    if pages == 0:
        return "attachment_unreadable"
    if pages > MAX_PAGES:
        return "attachment_too_many_pages"
    numbers = _numbers(reader)
    if len(numbers) > MAX_OBJECTS:
        return "attachment_too_many_pages"
    return "attachment_active" if any(_is_active(reader, *number) for number in numbers) else None


def _numbers(reader: PdfReader) -> list[tuple[int, int]]:
    """Number and generation of every object, those inside of others included."""
    plain = [(number, generation) for generation, table in reader.xref.items() for number in table]
    return [*plain, *((number, 0) for number in reader.xref_objStm)]


def _is_active(reader: PdfReader, number: int, generation: int) -> bool:
    found = reader.get_object(IndirectObject(number, generation, reader))
    return any(_acts(part) for part in _parts(found, 0))


def _acts(part: DictionaryObject) -> bool:
    action = part.raw_get("/S") if "/S" in part else None
    return action in _ACTIONS or not _ACTIVE_KEYS.isdisjoint(part)


def _parts(value: Any, depth: int) -> Iterator[DictionaryObject]:
    """Every dictionary written directly inside of an object."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, DictionaryObject):
        yield value
        for name in value:
            yield from _parts(value.raw_get(name), depth + 1)
    elif isinstance(value, ArrayObject):
        for item in list.__iter__(value):
            yield from _parts(item, depth + 1)
