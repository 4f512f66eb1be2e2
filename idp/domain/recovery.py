"""Getting an account back: what somebody names who has forgotten the login name, and what proves the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from idp.domain import identifiers
from idp.domain.errors import Refusal
from idp.domain.fields import Reader, find_name

PHONE: Final = "phone"
NATURAL_PERSON: Final = "natural_person"
LEGAL_PERSON: Final = "legal_person"
WAYS: Final = (PHONE, NATURAL_PERSON, LEGAL_PERSON)

_PROOFS: Final = {NATURAL_PERSON: "document_number", LEGAL_PERSON: "enterprise_credit_code"}


@dataclass(frozen=True, slots=True)
class Sought:
    """An account as its holder names it: by ``value`` (a phone, a document's key, a credit code), and for a
    person by the ``real_name`` as well.
    """

    way: str
    value: str
    real_name: str = ""


def read_sought(way: str, fields: Mapping[str, str], today: date, *, allow_test: bool) -> Sought | Refusal:
    """What was typed on 账号找回 in canonical form, or every problem at its field."""
    form = Reader(fields)
    match way:
        case "phone":
            phone = form.text("phone", identifiers.find_mobile, "phone_invalid")
            return form.result(Sought(PHONE, phone))
        case "natural_person":
            return _read_person(form, today, allow_test=allow_test)
        case "legal_person":
            code = form.text("enterprise_credit_code", identifiers.find_credit_code, "uscc_invalid")
            return form.result(Sought(LEGAL_PERSON, code))
        case _:
            return Refusal.of("choice_unknown")


def _read_person(form: Reader, today: date, *, allow_test: bool) -> Sought | Refusal:
    real_name = form.text("real_name", find_name, "name_invalid")
    document_type = form.choice("document_type", identifiers.DOCUMENT_TYPES)

    def check(typed: str) -> str | None:
        if not document_type:
            return typed  # the type is the problem then
        return identifiers.find_document_number(document_type, typed, today, allow_test=allow_test)

    number = form.text("document_number", check, "document_number_invalid")
    key = identifiers.document_key(document_type, number)
    return form.result(Sought(NATURAL_PERSON, key, real_name))


def second_proof(subject_type: str | None) -> str | None:
    """The field that a forgotten password's holder has to fill in besides the code; None for an account whose
    holder nobody has verified.
    """
    return _PROOFS.get(subject_type or "")
