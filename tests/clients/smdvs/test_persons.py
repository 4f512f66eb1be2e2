"""Who is shown which natural person: a table of viewers and authors."""

from __future__ import annotations

import pytest

from clients.smdvs import persons
from clients.smdvs.persons import Clearance, Viewer
from tests.clients.provider import ENTERPRISE

NOTHING = Clearance(author=False, people=False)
ALL = Clearance(author=True, people=True)
NAME_ONLY = Clearance(author=True, people=False)

REPORTER = Viewer("person-1", "handler", ENTERPRISE)
COLLEAGUE = Viewer("person-2", "handler", ENTERPRISE)
LEGAL = Viewer("legal-1", "legal_person", ENTERPRISE)
REGULATOR = Viewer("regulator-1", "natural_person", None)
ASKED = Viewer("regulator-1", "natural_person", None, disclosed=True)

PERSONAL = {
    "reporter_name": "李示例",
    "reporter_phone": "19900000001",
    "owners": [
        {"owner_name": "王示例", "owner_phone": "19900000002"},
        {"owner_name": None, "owner_phone": None},
    ],
}


@pytest.mark.parametrize(
    ("viewer", "author_sub", "author_type", "allowed"),
    [
        (REPORTER, "person-1", "handler", ALL),
        (COLLEAGUE, "person-1", "handler", NOTHING),
        (LEGAL, "person-1", "handler", NAME_ONLY),
        (LEGAL, "legal-1", "legal_person", ALL),
        (REGULATOR, "person-1", "handler", NOTHING),
        (ASKED, "person-1", "handler", ALL),
        # A regulator acts for the authority: no name of theirs for the enterprise, nor for one another.
        (REPORTER, "regulator-1", "regulator", NOTHING),
        (LEGAL, "regulator-1", "regulator", NOTHING),
        (ASKED, "regulator-2", "regulator", NOTHING),
        (REGULATOR, "regulator-1", "regulator", ALL),
        # Nobody but a regulator discloses anything to themselves.
        (Viewer("person-2", "handler", ENTERPRISE, disclosed=True), "person-1", "handler", NOTHING),
        # Who is a legal person elsewhere and reads here as a regulator is a regulator.
        (Viewer("legal-9", "legal_person", None), "person-1", "handler", NOTHING),
    ],
)
def test_only_those_who_must_know_are_shown_a_person(
    viewer: Viewer, author_sub: str, author_type: str, allowed: Clearance
) -> None:
    assert persons.clearance(viewer, author_sub, author_type) == allowed


def test_without_clearance_names_and_phones_are_masks() -> None:
    assert persons.shown_name("李示例", NOTHING) == "*示例"
    assert persons.shown_people(PERSONAL, NAME_ONLY) == {
        "reporter_name": "李示例",
        "reporter_phone": "199****0001",
        "owners": [
            {"owner_name": "*示例", "owner_phone": "199****0002"},
            {"owner_name": None, "owner_phone": None},
        ],
    }


def test_with_clearance_they_are_shown_as_they_are() -> None:
    assert persons.shown_name("李示例", NAME_ONLY) == "李示例"
    assert persons.shown_people(PERSONAL, ALL) == PERSONAL


def test_the_log_is_told_kinds_and_never_the_data() -> None:
    assert persons.kinds_of(PERSONAL) == ("reporter_name", "reporter_phone", "owner_name", "owner_phone")
    assert persons.kinds_of({"reporter_name": "", "reporter_phone": "19900000001"}) == ("reporter_phone",)
