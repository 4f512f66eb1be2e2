"""What a version says: its document without what is about people, and apart from it, sealed, the people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clients.rp.sealed import Sealer

Document = dict[str, Any]

_PERSON = "reporter_phone"
_OWNER = ("owner_name", "owner_phone")


def parted(document: Mapping[str, Any]) -> tuple[Document, Document]:
    """The document without the people in it, and the people; ``joined`` puts them together again."""
    public = json.loads(canonical(document))
    personal: Document = {}
    if _PERSON in public:
        personal[_PERSON] = public.pop(_PERSON)
    if "vehicles" in public:
        personal["owners"] = [
            {name: vehicle.pop(name, None) for name in _OWNER} for vehicle in public["vehicles"]
        ]
    if "attachments" in public:  # people name files after people
        personal["filenames"] = [entry.pop("filename", None) for entry in public["attachments"]]
    return public, personal


def joined(public: Mapping[str, Any], personal: Mapping[str, Any]) -> Document:
    """The whole document, people included."""
    document: Document = json.loads(canonical(public))
    if _PERSON in personal:
        document[_PERSON] = personal[_PERSON]
    for vehicle, owner in zip(document.get("vehicles", ()), personal.get("owners", ()), strict=True):
        vehicle.update(owner)
    for entry, filename in zip(document.get("attachments", ()), personal.get("filenames", ()), strict=False):
        entry["filename"] = filename
    return document


def canonical(document: Mapping[str, Any]) -> str:
    """One spelling for one document: JSON with sorted members and nothing to spare."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def seal_context(report_no: str, version: int) -> str:
    """What a version's sealed part and its digest are bound to."""
    return f"report_versions:{report_no}:{version}"


def open_personal(sealer: Sealer, sealed: str, report_no: str, version: int) -> Document:
    """The people of a version; raises SealBroken."""
    personal: Document = json.loads(sealer.open(sealed, seal_context(report_no, version)))
    return personal
