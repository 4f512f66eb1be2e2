from __future__ import annotations

import pytest

from idp.domain.progress import find_progress_code, is_report_number, progress_code


def test_a_code_is_the_same_each_time_and_another_for_each_matter() -> None:
    code = progress_code("handler", "a" * 22)
    assert code == progress_code("handler", "a" * 22)
    assert find_progress_code(code) == code
    assert len({code, progress_code("handler", "b" * 22), progress_code("real_name", "a" * 22)}) == 3
    assert progress_code("real_name", "a" * 22).startswith("SM")


def test_a_code_is_understood_however_it_is_typed() -> None:
    assert find_progress_code(" ｊｂ 0123-4567-89 ") == "JB0123456789"


@pytest.mark.parametrize(
    "text", ["", "JB", "JB123", "XX0123456789", "JB01234567890", "经办人申请", "JB०१२३४५६७८९"]
)
def test_anything_else_is_no_code(text: str) -> None:
    assert find_progress_code(text) is None


def test_a_report_number_is_known_by_its_form() -> None:
    assert is_report_number("smdvs-20261125-0001")
    assert not is_report_number("SMDVS")
    assert not is_report_number("事故上报")
