"""Values as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from clients.smdvs.value_words import value_words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("deaths", 0, "0"),
        ("county", None, "未填写"),
        ("county", "", "未填写"),
        ("fire_locations", [], "未填写"),
        ("fire_locations", ["front", "wheels"], "车辆前部、车轮及底盘"),
        ("accident_type", "smoke", "冒烟"),
        ("major_social_impact", True, "是"),
        ("anything", False, "否"),
        ("occurred_at", "2026-11-23T01:30:00+00:00", "2026-11-23 09:30"),
        ("narrative", "一段经过", "一段经过"),
        ("vehicles", {"vin": "LTEST00A0R1000001", "brand": "示例", "model": None}, "LTEST00A0R1000001 示例"),
        ("attachments", {"id": "x", "filename": "现场.jpg"}, "现场.jpg"),
        ("charging", {"power_kw": "60", "operator": None}, "60"),
        ("alarms", [{"level": "3"}, {"level": "2"}], "3、2"),
    ],
)
def test_a_value_is_said_in_words(name: str, value: Any, words: str) -> None:
    assert value_words(name, value) == words
