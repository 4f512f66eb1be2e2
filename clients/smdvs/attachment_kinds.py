"""What may be attached to a report, and what a report needs (domain.md 3.3). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from clients.smdvs.documents import Fault
from clients.smdvs.lifecycle import Act

MEGABYTE = 1024 * 1024
MAX_BYTES = 20 * MEGABYTE
MAX_A_REPORT = 30
FIELD = "attachments"


class AttachmentKind(StrEnum):
    """附件类型."""

    SITE_PHOTO = "site_photo"
    VEHICLE_PHOTO = "vehicle_photo"
    VIN_PLATE_PHOTO = "vin_plate_photo"
    DATA_EXPORT = "data_export"
    INVESTIGATION_REPORT = "investigation_report"
    OTHER = "other"


PHOTOS = frozenset({AttachmentKind.SITE_PHOTO, AttachmentKind.VEHICLE_PHOTO, AttachmentKind.VIN_PLATE_PHOTO})

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV, ZIP = "text/csv", "application/zip"
PICTURES = frozenset({JPEG, PNG})

# How the names of files of a type end; the first is ours.
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    JPEG: (".jpg", ".jpeg"),
    PNG: (".png",),
    PDF: (".pdf",),
    XLSX: (".xlsx",),
    CSV: (".csv",),
    ZIP: (".zip",),
}
_PAPERS = frozenset({JPEG, PNG, PDF})
_DATA = frozenset(SUFFIXES)


def allowed_types(kind: AttachmentKind) -> frozenset[str]:
    """The content types that this kind of attachment may have."""
    return _DATA if kind is AttachmentKind.DATA_EXPORT else _PAPERS


def missing_kinds(act: Act, attached: Collection[AttachmentKind]) -> tuple[Fault, ...]:
    """What a report still lacks for this act: a detailed report needs a photo and an investigation report."""
    if act is not Act.DETAILED:
        return ()
    faults = []
    if not PHOTOS & set(attached):
        faults.append(fault("attachment_photo_missing"))
    if AttachmentKind.INVESTIGATION_REPORT not in attached:
        faults.append(fault("attachment_report_missing"))
    return tuple(faults)


def missing_files(act: Act, document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """The same by a document that names its files."""
    kinds = {AttachmentKind(entry["kind"]) for entry in document.get("attachments", ())}
    return missing_kinds(act, kinds)


def fault(code: str, **detail: object) -> Fault:
    """A fault of the field ``attachments``."""
    return Fault((FIELD,), code, detail)
