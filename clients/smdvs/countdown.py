"""How long there is still, in words; ``static/countdown.js`` says the same each minute.

Whole minutes that have passed or are left, never rounded up: nobody is told of time that isn't there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from clients.smdvs.deadline_policies import CHINA_TIME

MINUTE = timedelta(minutes=1)
URGENT = timedelta(hours=4)
SOON = timedelta(hours=24)
HOUR_MINUTES = 60
DAY_MINUTES = 24 * HOUR_MINUTES


class Level(StrEnum):
    """How pressing it is: a colour of theme.css, which always comes with a word."""

    CALM = "calm"
    SOON = "soon"
    URGENT = "urgent"
    LATE = "late"


LEVEL_WORDS = {Level.CALM: "", Level.SOON: "临近截止，", Level.URGENT: "紧急，", Level.LATE: ""}


@dataclass(frozen=True)
class Countdown:
    """What a page shows of one due time as of ``now``."""

    due_at: datetime
    now: datetime

    @property
    def level(self) -> Level:
        """The last moment is still in time."""
        return level(self.due_at, self.now)

    @property
    def words(self) -> str:
        """``紧急，还剩 3 小时 20 分``."""
        return words(self.due_at, self.now)

    @property
    def due_time(self) -> str:
        """For ``<time datetime>``, in China's time."""
        return self.due_at.astimezone(CHINA_TIME).isoformat(timespec="milliseconds")

    @property
    def server_time(self) -> str:
        """Our clock, so that a browser whose own is wrong counts right."""
        return self.now.astimezone(CHINA_TIME).isoformat(timespec="milliseconds")


def level(due_at: datetime, now: datetime) -> Level:
    """Late after the due time, urgent within four hours of it, soon within a day."""
    left = due_at - now
    if left < timedelta():
        return Level.LATE
    if left <= URGENT:
        return Level.URGENT
    return Level.SOON if left <= SOON else Level.CALM


def words(due_at: datetime, now: datetime) -> str:
    """``还剩 2 天 4 小时``, ``临近截止，还剩 20 小时``, ``紧急，还剩不足 1 分钟``, ``已逾期 5 小时``."""
    how = level(due_at, now)
    verb = "已逾期" if how is Level.LATE else "还剩"
    return LEVEL_WORDS[how] + verb + span(abs(due_at - now))


def span(length: timedelta) -> str:
    """The two largest units, from days down: `` 2 天 4 小时``, `` 3 小时 20 分``, ``不足 1 分钟``."""
    minutes = length // MINUTE
    if minutes < 1:
        return "不足 1 分钟"
    if minutes < HOUR_MINUTES:
        return f" {minutes} 分钟"
    if minutes < DAY_MINUTES:
        return f" {minutes // HOUR_MINUTES} 小时" + _rest(minutes % HOUR_MINUTES, "分")
    return f" {minutes // DAY_MINUTES} 天" + _rest(minutes % DAY_MINUTES // HOUR_MINUTES, "小时")


def _rest(number: int, unit: str) -> str:
    return f" {number} {unit}" if number else ""
