"""Codes to text: the one place, besides the templates, where the platform's words stand.

They stand in Chinese; each is translated when it is looked up (``translated``), before values are put in.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from flask import Flask, flash

from idp.domain import accounts
from idp.domain.dates import CHINA_STANDARD_TIME
from idp.domain.errors import Problem, Refusal
from idp.web import waiting
from idp.web.languages import translated
from idp.web.messages import names
from idp.web.messages.faults import fault_text
from idp.web.messages.notices import NOTICES
from idp.web.messages.pages import ERROR_PAGES, REQUEST_FAULTS
from idp.web.messages.problems import FALLBACK, PROBLEMS
from idp.web.messages.upstream import UPSTREAM_PAGES


class _Detail(dict[str, object]):
    """What a text may name; what the problem doesn't say reads 若干."""

    def __missing__(self, key: str) -> str:
        return translated("若干")


def problem_text(problem: Problem) -> str:
    """The sentence for a problem: what is wrong and what to do; a field may have its own (``code:field``)."""
    text = PROBLEMS.get(f"{problem.code}:{problem.field}") or PROBLEMS.get(problem.code, FALLBACK)
    wait = duration(problem.retry_after) if problem.retry_after else translated(names.SOME_TIME)
    return translated(text).format_map(_Detail(problem.detail, wait=wait))


def duration(seconds: int) -> str:
    """A wait as people say it, rounded up: 30 秒, 5 分钟, 3 小时."""
    unit = "hours" if seconds > 7200 else "minutes" if seconds > 60 else "seconds"
    number = -(seconds // -{"hours": 3600, "minutes": 60, "seconds": 1}[unit])
    return translated(names.WAITS[unit]).format(number=number)


def notify(code: str, **detail: object) -> None:
    """Tell at the top of the next page what was done."""
    flash(translated(NOTICES[code]).format(**detail), "success")


def notify_refusal(refusal: Refusal) -> None:
    """Tell at the top of the next page why nothing was done."""
    waiting.note(refusal)
    flash(problem_text(refusal.problems[0]), "danger")


def name(kind: str, code: str | None) -> str:
    """The name of a code of one kind, e.g. ``name("matter", "nev-accident-report")``; else the code."""
    text = names.TABLES[kind].get(code or "")
    return code or "—" if text is None else translated(text)


def moment(value: datetime | None) -> str:
    """A moment as people here read it: Beijing time, to the minute."""
    return value.astimezone(CHINA_STANDARD_TIME).strftime("%Y-%m-%d %H:%M") if value else "—"


def day(value: datetime | None) -> str:
    """The day of a moment, Beijing time; open-ended when there is none."""
    return value.astimezone(CHINA_STANDARD_TIME).strftime("%Y-%m-%d") if value else translated("长期")


def file_size(size: int) -> str:
    """The size of a file of ``size`` bytes, as app.js says it."""
    return f"{size / 1024**2:.1f} MB" if size > 1024**2 else f"{-(size // -1024)} KB"


def device(user_agent: str) -> str:
    """The browser and system behind a User-Agent header, as far as it tells; anyone can send anything."""
    browser = next((text for mark, text in names.BROWSERS.items() if mark in user_agent), "其他浏览器或程序")
    system = next((text for mark, text in names.SYSTEMS.items() if mark in user_agent), "")
    return f"{translated(browser)} · {system}" if system else translated(browser)


def shared_data(scopes: Collection[str]) -> list[str]:
    """What a client learns with these scopes, one line each, in the order people expect."""
    return [translated(text) for scope, text in names.SHARED_DATA.items() if scope in scopes]


def register(app: Flask) -> None:
    """Let templates speak."""
    app.jinja_env.filters.update(moment=moment, day=day, code_text=lambda code: problem_text(Problem(code)))
    app.jinja_env.filters.update(
        mask_document=accounts.mask_document,
        mask_email=accounts.mask_email,
        mask_name=accounts.mask_name,
        mask_phone=accounts.mask_phone,
        device=device,
        fault_text=fault_text,
        file_size=file_size,
    )
    app.jinja_env.globals.update(
        name_of=name,
        names=names,
        error_pages=ERROR_PAGES,
        request_faults=REQUEST_FAULTS,
        upstream_pages=UPSTREAM_PAGES,
    )
