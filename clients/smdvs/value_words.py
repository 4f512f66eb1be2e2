"""One value of a report as people read it, for places that show any field: changes, exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clients.smdvs.labels import LABELS, label
from clients.smdvs.report import CHINA_TIME

NOTHING = "未填写"


def moment(value: datetime | str) -> str:
    """``2026-11-23 09:30``, in China."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(CHINA_TIME):%Y-%m-%d %H:%M}"


def value_words(name: str, value: Any) -> str:
    """The value of the field of that name: codes in words, times in China's, parts by their names."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return label(name, value) if name in LABELS else ("是" if value else "否")
    if isinstance(value, Mapping):
        return _part_words(value)
    if isinstance(value, list | tuple):
        return "、".join(value_words(name, item) for item in value) or NOTHING
    if name.endswith("_at") and isinstance(value, str):
        return moment(value)
    return label(name, value)


def _part_words(part: Mapping[str, Any]) -> str:
    """A vehicle by its VIN and model, a file by its name, any other part by its values."""
    if "vin" in part:
        return " ".join(str(part[name]) for name in ("vin", "brand", "model") if part.get(name))
    if "filename" in part:
        return str(part["filename"])
    return "，".join(value_words(name, value) for name, value in part.items() if value not in (None, ""))
