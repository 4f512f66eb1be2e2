"""What a report needs to have attached."""

from __future__ import annotations

import pytest

from clients.smdvs.attachment_kinds import (
    CSV,
    PDF,
    PHOTOS,
    XLSX,
    ZIP,
    AttachmentKind,
    allowed_types,
    missing_kinds,
)
from clients.smdvs.lifecycle import Act

REPORT = AttachmentKind.INVESTIGATION_REPORT


def codes(act: Act, *attached: AttachmentKind) -> list[str]:
    return [fault.code for fault in missing_kinds(act, attached)]


@pytest.mark.parametrize("photo", sorted(PHOTOS))
def test_a_detailed_report_needs_a_photo_of_any_kind_and_an_investigation_report(
    photo: AttachmentKind,
) -> None:
    assert codes(Act.DETAILED) == ["attachment_photo_missing", "attachment_report_missing"]
    assert codes(Act.DETAILED, photo) == ["attachment_report_missing"]
    assert codes(Act.DETAILED, REPORT, AttachmentKind.OTHER) == ["attachment_photo_missing"]
    assert codes(Act.DETAILED, REPORT, photo) == []


@pytest.mark.parametrize("act", sorted(set(Act) - {Act.DETAILED}))
def test_nothing_else_needs_any(act: Act) -> None:
    assert codes(act) == []


@pytest.mark.parametrize("kind", list(AttachmentKind))
def test_tables_and_archives_are_for_data_only(kind: AttachmentKind) -> None:
    is_data = kind is AttachmentKind.DATA_EXPORT
    assert all((content_type in allowed_types(kind)) == is_data for content_type in (XLSX, CSV, ZIP))
    assert PDF in allowed_types(kind)
