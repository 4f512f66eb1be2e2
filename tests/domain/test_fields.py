from __future__ import annotations

import pytest

from idp.domain import fields


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("示例新能源汽车有限公司", "示例新能源汽车有限公司"),
        ("  示例 (深圳)  有限公司 ", "示例（深圳）有限公司"),
        (" Example  Motors (China) Ltd ", "Example Motors (China) Ltd"),
        ("X", None),
        ("例" * 101, None),
        ("Example\0Motors", None),
    ],
)
def test_a_chinese_enterprise_name_is_written_as_in_the_registers_and_another_as_it_is(
    typed: str, name: str | None
) -> None:
    assert fields.find_enterprise_name(typed) == name
