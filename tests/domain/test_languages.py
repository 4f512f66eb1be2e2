from __future__ import annotations

import pytest

from idp.domain.languages import wanted


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        ("zh-CN", "zh-CN"),
        ("zh-Hans-CN", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("ZH", "zh-CN"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("fr-CA en-US zh-CN", "en"),
        ("de zh en", "zh-CN"),
        ("fr", None),
        ("eng english zhx", None),
        ("!! - en_US", None),
        ("", None),
    ],
)
def test_the_first_tag_that_names_a_language_of_ours_counts(tags: str, language: str | None) -> None:
    assert wanted(tags.split()) == language
