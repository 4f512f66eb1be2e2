from __future__ import annotations

from datetime import date
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import identifiers
from idp.domain.identifiers import (
    canonical,
    credit_code_check,
    document_key,
    find_credit_code,
    find_document_number,
    find_id_number,
    find_mobile,
    find_organization_code,
    has_regular_organization_code,
    id_number_check,
    organization_code_check,
)

TODAY: Final = date(2026, 11, 23)
CREDIT_CODES: Final = (
    "91990101MADEM00117",
    "91990101MADEM002XY",
    "91990101MADEM0038Y",
    "91990101MADEM0046R",
    "91990101MADEM03960",
    "91990101MADEM0337W",
    "91990101MADEM0070A",
    "12990101DEM000014X",
    "52990101DEM000014R",
    "93990101DEM000014J",
)
ID_NUMBERS: Final = (
    "990101199001010019",
    "990101199001010027",
    "99010119900101006X",
    "990101199001010190",
    "990101198506150012",
    "990101198506150020",
    "990101197812310016",
    "99010120000229002X",
    "990101196207040017",
    "990101199508080024",
)
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORGANIZATION_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    head = draw(st.text(ALPHABET, min_size=2, max_size=2))
    region = draw(st.text("0123456789", min_size=6, max_size=6))
    body = head + region + draw(st.text(ALPHABET, min_size=9, max_size=9))
    return body + credit_code_check(body)


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    birth = draw(st.dates(date(1900, 1, 1), TODAY))
    region = draw(st.sampled_from(("110101", "440300", "650100", "710000", "990101")))
    body = f"{region}{birth:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return body + id_number_check(body)


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_a_credit_code_with_a_right_check_character_is_found(code: str) -> None:
    assert find_credit_code(code) == code
    assert has_regular_organization_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "91990101MADEM00118",  # check
        "91990101MDAEM00117",  # transposed
        "91990101MADEM0011",  # 17 characters
        "91990101MADEM001170",  # 19
        "91990101MADEMO0117",  # letter O
        "919901O1MADEM00117",  # letter in the region
        "Z1990101MADEM00117",  # not in the alphabet
        "٩1990101MADEM00117",  # a digit of another script
        "91990101MADEM00117\x00",
        "",
    ],
)
def test_a_malformed_credit_code_is_not_found(code: str) -> None:
    assert find_credit_code(code) is None


@given(credit_codes())
def test_every_checked_credit_code_is_its_own_canonical_form(code: str) -> None:
    assert find_credit_code(code) == code


@given(credit_codes(), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_of_a_credit_code_is_always_noticed(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert (find_credit_code(changed) is None) == (changed != code)


@given(credit_codes(), st.integers(0, 16))
def test_two_swapped_neighbours_of_a_credit_code_are_always_noticed(code: str, place: int) -> None:
    changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (find_credit_code(changed) is None) == (changed != code)


@given(credit_codes() | id_numbers())
def test_full_width_lower_case_and_spaces_are_understood(number: str) -> None:
    typed = f" {full_width(number.lower()[:9])}\u3000 {number.lower()[9:]}\t"
    assert canonical(typed) == number


@given(st.text())
def test_the_canonical_form_is_canonical(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(st.text())
def test_no_text_breaks_a_check(text: str) -> None:
    find_credit_code(text)
    find_organization_code(text)
    find_mobile(text)
    for document_type in identifiers.DOCUMENT_TYPES:
        find_document_number(document_type, text, TODAY, allow_test=True)


@pytest.mark.parametrize("letter", ["ı", "ſ", "K"])  # str.upper() or NFKC would make I, S, K of them
def test_only_ascii_letters_become_upper_case(letter: str) -> None:
    assert canonical(letter) == letter


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("D2143569-X", "D2143569X"),
        ("DEM00001-4", "DEM000014"),
        ("MADEM001-1", "MADEM0011"),
        ("madem002x", "MADEM002X"),
        ("MADEM007-0", "MADEM0070"),
    ],
)
def test_an_organization_code_is_found_with_or_without_hyphen(typed: str, code: str) -> None:
    assert find_organization_code(typed) == code


@pytest.mark.parametrize("typed", ["D2143569-1", "D214356-9X", "D2143569", "D2143569--X", "中2143569-X"])
def test_a_malformed_organization_code_is_not_found(typed: str) -> None:
    assert find_organization_code(typed) is None


@given(st.text(ORGANIZATION_ALPHABET, min_size=8, max_size=8))
def test_every_checked_organization_code_is_found(body: str) -> None:
    code = body + organization_code_check(body)
    assert find_organization_code(f"{body}-{code[8]}") == code


def test_an_irregular_organization_code_inside_a_credit_code_is_noticed() -> None:
    body = "91990101MADEM0019"  # MADEM001-1 would be right
    code = body + credit_code_check(body)
    assert find_credit_code(code) == code
    assert not has_regular_organization_code(code)


@pytest.mark.parametrize("number", ID_NUMBERS)
def test_a_number_of_region_99_is_found_only_where_test_identities_are_allowed(number: str) -> None:
    assert find_id_number(number, TODAY, allow_test=True) == number
    assert find_id_number(number, TODAY, allow_test=False) is None


@given(id_numbers())
def test_every_number_with_a_date_and_a_check_is_found(number: str) -> None:
    assert find_id_number(number, TODAY, allow_test=True) == number


@given(id_numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_digit_of_an_id_number_is_always_noticed(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    assert (find_id_number(changed, TODAY, allow_test=True) is None) == (changed != number)


def test_the_example_of_the_standard_is_found() -> None:
    assert find_id_number("11010519491231002x", TODAY, allow_test=False) == "11010519491231002X"


def checked(body: str) -> str:
    return body + id_number_check(body)


@pytest.mark.parametrize(
    "number",
    [
        "990101199001010018",  # check
        "990101199002300018",  # 30 February, check right
        "990101190102290012",  # 29 February 1901, check right
        "990101210001010013",  # year 2100, check right
        "99010119900101001",  # 17 characters
        "990101900101001",  # a 15-digit number of a former card
        checked("99010118991231001"),  # before 1900
        checked("98010119900101001"),  # no such province
        checked("81000019900101001"),  # a residence permit, not an identity card
        checked("99010119901301001"),  # thirteenth month
        checked("99010100000101001"),  # year 0
        "99010119900101001X",
        "",
    ],
)
def test_a_malformed_id_number_is_not_found(number: str) -> None:
    assert find_id_number(number, TODAY, allow_test=True) is None


def test_a_person_born_today_has_a_number_and_one_born_tomorrow_has_none() -> None:
    number = checked("99010120261123001")
    assert find_id_number(number, date(2026, 11, 23), allow_test=True) == number
    assert find_id_number(number, date(2026, 11, 22), allow_test=True) is None


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        ("id_card", "990101199001010019"),
        ("passport", "E12345678"),
        ("passport", "EA1234567"),
        ("passport", "DE1234567"),
        ("passport", "P1234567"),
        ("passport", "X4RTBPFW4X"),
        ("hk_macau_permit", "H12345678"),
        ("hk_macau_permit", "M1234567801"),
        ("taiwan_permit", "12345678"),
        ("taiwan_permit", "1234567801"),
        ("taiwan_permit", "1234567801B"),
        ("foreigner_residence", "CAN310061234567"),
        ("foreigner_residence", checked("91110019900101001")),
        ("foreigner_residence", "990101199001010019"),
        ("hmt_residence", checked("81000019900101001")),
        ("hmt_residence", checked("83000019900101001")),
        ("hmt_residence", "990101199001010019"),
    ],
)
def test_each_document_type_has_its_own_format(document_type: str, number: str) -> None:
    assert find_document_number(document_type, number.lower(), TODAY, allow_test=True) == number


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        ("id_card", "990101199001010018"),
        ("passport", "E123"),
        ("passport", "E1234567890123456789X"),
        ("passport", "E1234/678"),
        ("hk_macau_permit", "A12345678"),
        ("hk_macau_permit", "H123456789"),
        ("taiwan_permit", "1234567"),
        ("taiwan_permit", "123456789"),
        ("foreigner_residence", "CA310061234567"),
        ("foreigner_residence", "911100199001010018"),  # check
        ("foreigner_residence", "811100199001010018"),
        ("hmt_residence", checked("81010019900101001")),
        ("hmt_residence", checked("11010119900101001")),
        ("military_card", "12345678"),
        ("", "12345678"),
    ],
)
def test_a_number_that_is_none_of_its_type_is_not_found(document_type: str, number: str) -> None:
    assert find_document_number(document_type, number, TODAY, allow_test=True) is None


@pytest.mark.parametrize("document_type", ["id_card", "foreigner_residence", "hmt_residence"])
def test_region_99_is_refused_in_every_document_where_test_identities_are_not_allowed(
    document_type: str,
) -> None:
    assert find_document_number(document_type, "990101199001010019", TODAY, allow_test=False) is None


def test_a_reissued_permit_is_the_same_person() -> None:
    assert document_key("hk_macau_permit", "H1234567801") == document_key("hk_macau_permit", "H12345678")
    assert document_key("taiwan_permit", "1234567801B") == document_key("taiwan_permit", "12345678")
    assert document_key("id_card", ID_NUMBERS[0]) != document_key("hmt_residence", ID_NUMBERS[0])
    assert document_key("id_card", ID_NUMBERS[0]) != document_key("id_card", ID_NUMBERS[1])


@pytest.mark.parametrize(
    "typed", ["19900000001", "+86 199 0000 0001", "0086-19900000001", "１９９００００ 0001", "199-0000-0001"]
)
def test_a_mobile_number_is_understood_however_it_is_written(typed: str) -> None:
    assert find_mobile(typed) == "19900000001"


@pytest.mark.parametrize(
    "typed",
    ["12900000001", "1990000000", "199000000011", "+1 9900000001", "85219900000001", "1990000000a", ""],
)
def test_what_is_no_mobile_number_of_the_mainland_is_not_found(typed: str) -> None:
    assert find_mobile(typed) is None


# --- as people type and copy numbers ---

NOISE: Final = st.sampled_from(
    [" ", "\u3000", "\u00a0", "\t", "-", "－", "–", "—", "‐", "−", "\u200b", "\ufeff", "\u202d"]
)
DOCUMENTS: Final = (
    ("id_card", "990101199001010019"),
    ("id_card", "99010119900101006X"),
    ("passport", "E12345678"),
    ("passport", "EA1234567"),
    ("hk_macau_permit", "H12345678"),
    ("hk_macau_permit", "M1234567801"),
    ("taiwan_permit", "12345678"),
    ("taiwan_permit", "1234567801B"),
    ("foreigner_residence", "ABC123456789012"),
    ("foreigner_residence", "990101199001010019"),
    ("hmt_residence", "990101199001010019"),
)


@st.composite
def typed(draw: st.DrawFn, number: str) -> str:
    """The number as somebody might type or copy it."""
    written = []
    for character in number:
        written.append(draw(st.sampled_from([character, character.lower(), full_width(character)])))
        written.append(draw(st.just("") | NOISE))
    return draw(st.just("") | NOISE) + "".join(written)


@pytest.mark.parametrize(("document_type", "number"), DOCUMENTS)
@given(data=st.data())
def test_a_document_number_is_understood_however_it_is_typed(
    document_type: str, number: str, data: st.DataObject
) -> None:
    text = data.draw(typed(number))
    assert find_document_number(document_type, text, TODAY, allow_test=True) == number


@given(credit_codes().flatmap(lambda code: st.tuples(st.just(code), typed(code))))
def test_a_credit_code_is_understood_however_it_is_typed(pair: tuple[str, str]) -> None:
    code, text = pair
    assert find_credit_code(text) == code
    assert canonical(text).replace("-", "") == code


@given(id_numbers().flatmap(lambda number: st.tuples(st.just(number), typed(number))))
def test_an_id_number_is_understood_however_it_is_typed(pair: tuple[str, str]) -> None:
    number, text = pair
    assert find_id_number(text, TODAY, allow_test=True) == number


@given(typed("13900000001"))
def test_a_mobile_number_is_understood_however_it_is_typed(text: str) -> None:
    assert find_mobile(text) == "13900000001"


@pytest.mark.parametrize("hyphen", ["-", "－", "–", "—", "‐", "−", "·"])
def test_an_organization_code_has_its_hyphen_of_any_length(hyphen: str) -> None:
    assert find_organization_code(f"D2143569{hyphen}x") == "D2143569X"


@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)))
def test_exactly_the_days_of_the_calendar_up_to_today_are_birthdays(day: date) -> None:
    number = checked(f"990101{day:%Y%m%d}001")
    found = find_id_number(number, TODAY, allow_test=True) == number
    assert found == (date(1900, 1, 1) <= day <= TODAY)


@given(st.integers(1900, 2026), st.integers(0, 99), st.integers(0, 99))
def test_a_day_that_no_calendar_has_is_no_birthday(year: int, month: int, day: int) -> None:
    try:
        real = date(year, month, day) <= TODAY
    except ValueError:
        real = False
    number = checked(f"990101{year}{month:02}{day:02}001")
    assert (find_id_number(number, TODAY, allow_test=True) is not None) == real
