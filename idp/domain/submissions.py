"""What a person fills in for real-name authentication, read into canonical values or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final, TypeAlias

from idp.domain import identifiers
from idp.domain.errors import Refusal
from idp.domain.fields import Reader, find_address, find_enterprise_name, find_name

ORGANIZATION_TYPES: Final = (
    "limited_company",
    "joint_stock_company",
    "state_owned",
    "foreign_invested",
    "hmt_invested",
    "partnership",
    "sole_proprietorship",
    "branch",
    "individual_business",
    "government_agency",
    "public_institution",
    "social_group",
    "private_non_enterprise",
    "foundation",
    "other",
)
LEGAL_PERSON_TYPES: Final = (
    "enterprise",
    "government_agency",
    "public_institution",
    "social_group",
    "social_service_organization",
    "foundation",
    "farmers_cooperative",
    "other",
)
# What the first two characters of a credit code say about the legal person (GB 32100-2015 table 1).
_LEGAL_PERSON_TYPE_OF_CODE: Final = {
    "11": "government_agency",
    "12": "public_institution",
    "51": "social_group",
    "52": "social_service_organization",
    "53": "foundation",
    "91": "enterprise",
    "93": "farmers_cooperative",
}


@dataclass(frozen=True, slots=True)
class NaturalPerson:
    """A person and the document that proves it; ``valid_until`` None means for ever."""

    real_name: str
    document_type: str
    document_number: str
    address: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class LegalPerson:
    """An enterprise or institution, and the person who represents it by law."""

    organization_type: str
    enterprise_credit_code: str
    enterprise_name: str
    legal_person_type: str
    representative_name: str
    representative_document_type: str
    representative_document_number: str
    address: str


Subject: TypeAlias = NaturalPerson | LegalPerson


def read(subject_type: str, fields: Mapping[str, str], today: date, *, allow_test: bool) -> Subject | Refusal:
    """The submitted person or enterprise in canonical form, or every problem with its field (contract.md)."""
    match subject_type:
        case "natural_person":
            return _read_natural_person(Reader(fields), today, allow_test=allow_test)
        case "legal_person":
            return _read_legal_person(Reader(fields), today, allow_test=allow_test)
        case _:
            return Refusal.of("choice_unknown", "subject_type")


def fields_of(subject: Subject) -> dict[str, str]:
    """The subject as form fields again: what is stored, and what a registry is asked about."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(subject).items()
        if value is not None
    }


def subject_of(fields: Mapping[str, str]) -> Subject:
    """The inverse of ``fields_of``; other fields are ignored."""
    if "enterprise_credit_code" in fields:
        return LegalPerson(**{name: fields[name] for name in LegalPerson.__slots__})
    until = fields.get("valid_until")
    return NaturalPerson(
        fields["real_name"],
        fields["document_type"],
        fields["document_number"],
        fields["address"],
        date.fromisoformat(fields["valid_from"]),
        date.fromisoformat(until) if until else None,
    )


def read_explanation(fields: Mapping[str, str]) -> str | Refusal:
    """Why a reviewer should look (``explanation``): 2 to 1000 characters, lines allowed."""
    form = Reader(fields)
    explanation = form.text("explanation", _find_explanation, "explanation_invalid")
    return form.result(explanation)


def warnings(subject: Subject) -> tuple[str, ...]:
    """Codes of what a reviewer should look at twice, though it is no reason to refuse by itself."""
    if isinstance(subject, NaturalPerson):
        return ()
    code = subject.enterprise_credit_code
    expected = _LEGAL_PERSON_TYPE_OF_CODE.get(code[:2], subject.legal_person_type)
    checks = (
        ("organization_code_irregular", identifiers.has_regular_organization_code(code)),
        ("legal_person_type_unlikely", expected == subject.legal_person_type),
    )
    return tuple(warning for warning, fine in checks if not fine)


def _read_natural_person(form: Reader, today: date, *, allow_test: bool) -> Subject | Refusal:
    real_name = form.text("real_name", find_name, "name_invalid")
    document_type, document_number = _document(form, "", today, allow_test=allow_test)
    address = form.text("address", find_address, "address_invalid")
    valid_from, valid_until = _validity(form, today)
    return form.result(
        NaturalPerson(real_name, document_type, document_number, address, valid_from or today, valid_until)
    )


def _read_legal_person(form: Reader, today: date, *, allow_test: bool) -> Subject | Refusal:
    organization_type = form.choice("organization_type", ORGANIZATION_TYPES)
    credit_code = _credit_code(form)
    enterprise_name = form.text("enterprise_name", find_enterprise_name, "enterprise_name_invalid")
    legal_person_type = form.choice("legal_person_type", LEGAL_PERSON_TYPES)
    representative = form.text("representative_name", find_name, "name_invalid")
    document_type, document_number = _document(form, "representative_", today, allow_test=allow_test)
    address = form.text("address", find_address, "address_invalid")
    return form.result(
        LegalPerson(
            organization_type,
            credit_code,
            enterprise_name,
            legal_person_type,
            representative,
            document_type,
            document_number,
            address,
        )
    )


def _credit_code(form: Reader) -> str:
    """A credit code; an organisation code gets a problem of its own, since credit codes have replaced it."""
    field = "enterprise_credit_code"
    replaced = identifiers.find_organization_code(form.typed(field))
    code = "organization_code_replaced" if replaced else "uscc_invalid"
    return form.text(field, identifiers.find_credit_code, code)


def _document(form: Reader, prefix: str, today: date, *, allow_test: bool) -> tuple[str, str]:
    document_type = form.choice(f"{prefix}document_type", identifiers.DOCUMENT_TYPES)

    def check(typed: str) -> str | None:
        if not document_type:
            return typed  # the type is the problem then
        return identifiers.find_document_number(document_type, typed, today, allow_test=allow_test)

    code = "id_number_invalid" if document_type == "id_card" else "document_number_invalid"
    return document_type, form.text(f"{prefix}document_number", check, code)


def _validity(form: Reader, today: date) -> tuple[date | None, date | None]:
    """The document's first and last day; ``permanent`` replaces the last."""
    first = form.day("valid_from")
    if first and first > today:
        form.refuse("document_not_yet_valid", "valid_from")
    last = None if form.ticked("permanent") else form.day("valid_until")
    if last and last < today:
        form.refuse("document_expired", "valid_until")
    elif first and last and last <= first:
        form.refuse("valid_until_before_valid_from", "valid_until")
    return first, last


def _find_explanation(typed: str) -> str | None:
    lines = [line.strip() for line in typed.splitlines()]
    explanation = "\n".join(lines)
    return explanation if all(map(str.isprintable, lines)) and 2 <= len(explanation) <= 1000 else None
