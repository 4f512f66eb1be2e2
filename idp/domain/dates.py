"""Calendar days as people here mean them: days of China Standard Time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

# A fixed offset: no summer time since 1991, and a machine without a time zone database counts the same days.
CHINA_STANDARD_TIME: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

# fromisoformat alone would read weeks (2026-W47-1) as well.
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def china_date(now: datetime) -> date:
    """The day that ``now`` (aware) falls on in China."""
    return now.astimezone(CHINA_STANDARD_TIME).date()


def end_of_day(day: date) -> datetime:
    """The last second of ``day`` in China, aware, UTC."""
    return datetime.combine(day, time(23, 59, 59), CHINA_STANDARD_TIME).astimezone(UTC)


def find_date(text: str) -> date | None:
    """The day that ``text`` names as YYYY-MM-DD, the form a browser's date field sends."""
    text = text.strip()
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def years_later(day: date, years: int) -> date:
    """The same day ``years`` later; 28 February for a 29 February that year hasn't."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
