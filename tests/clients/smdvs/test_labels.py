"""Each code that a person can meet has a word."""

from __future__ import annotations

from enum import StrEnum

import pytest

from clients.smdvs import labels, vocabulary
from clients.smdvs.attachment_kinds import AttachmentKind
from clients.smdvs.lifecycle import Act


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("accident_type", vocabulary.AccidentType),
        ("site_type", vocabulary.SiteType),
        ("vehicle_state", vocabulary.VehicleState),
        ("vehicle_class", vocabulary.VehicleClass),
        ("energy_type", vocabulary.EnergyType),
        ("vehicle_use", vocabulary.VehicleUse),
        ("battery_type", vocabulary.BatteryType),
        ("fire_locations", vocabulary.FireLocation),
        ("preliminary_cause", vocabulary.Cause),
        ("status", vocabulary.Status),
        ("kind", Act),
        ("attachment_kind", AttachmentKind),
        ("deadline_class", vocabulary.DeadlineClass),
        ("province", vocabulary.Province),
    ],
)
def test_the_words_of_a_field_are_exactly_its_codes(field: str, codes: type[StrEnum]) -> None:
    assert list(labels.LABELS[field]) == [code.value for code in codes]


def test_booleans_have_words() -> None:
    assert labels.label("major_social_impact", True) == "是"


def test_an_unknown_code_stays_as_it_is() -> None:
    assert labels.label("status", "lost") == "lost"
