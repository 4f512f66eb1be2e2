"""How long there is still, in words: the same in Python and in the browser."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from hypothesis import given
from hypothesis import strategies as st

from clients.rp import clock
from clients.smdvs import countdown
from clients.smdvs.countdown import LEVEL_WORDS, Countdown, Level, level, span, words

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
SCRIPT = Path(countdown.__file__).with_name("static") / "countdown.js"
IN_NODE = """
require(process.argv[1]);
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const {level, words} = globalThis.smdvsCountdown;
const moments = cases.map((pair) => pair.map((text) => Date.parse(text)));
const said = moments.map(([due, now]) => [level(due, now), words(due, now)]);
process.stdout.write(JSON.stringify(said));
"""


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=2, hours=4, minutes=59), "还剩 2 天 4 小时"),
        (timedelta(days=2, minutes=59), "还剩 2 天"),
        (timedelta(days=1, microseconds=1), "还剩 1 天"),
        (timedelta(days=1), "临近截止，还剩 1 天"),
        (timedelta(hours=23, minutes=59, seconds=59), "临近截止，还剩 23 小时 59 分"),
        (timedelta(hours=4, seconds=1), "临近截止，还剩 4 小时"),
        (timedelta(hours=4), "紧急，还剩 4 小时"),
        (timedelta(hours=3, minutes=20), "紧急，还剩 3 小时 20 分"),
        (timedelta(minutes=20), "紧急，还剩 20 分钟"),
        (timedelta(seconds=59), "紧急，还剩不足 1 分钟"),
        (timedelta(), "紧急，还剩不足 1 分钟"),
        (-timedelta(microseconds=1), "已逾期不足 1 分钟"),
        (-timedelta(hours=5), "已逾期 5 小时"),
        (-timedelta(hours=5, minutes=59, seconds=59), "已逾期 5 小时 59 分"),
        (-timedelta(days=40, hours=1), "已逾期 40 天 1 小时"),
    ],
)
def test_time_left_is_said_in_two_units_and_never_rounded_up(left: timedelta, said: str) -> None:
    assert words(NOW + left, NOW) == said


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_every_colour_comes_with_a_word(left: timedelta) -> None:
    said, how = words(NOW + left, NOW), level(NOW + left, NOW)
    assert said.startswith(LEVEL_WORDS[how])
    assert said.startswith("已逾期") == (how is Level.LATE)


@given(st.timedeltas(timedelta(), timedelta(days=400)), st.timedeltas(timedelta(), timedelta(days=400)))
def test_levels_only_rise_as_time_passes(left: timedelta, passed: timedelta) -> None:
    order = list(Level)
    assert order.index(level(NOW + left, NOW + passed)) >= order.index(level(NOW + left, NOW))


@given(st.timedeltas(timedelta(minutes=1), timedelta(days=400)))
def test_no_more_time_is_promised_than_there_is(left: timedelta) -> None:
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    units = {"天": timedelta(days=1), "小时": hour, "分": minute, "分钟": minute}
    parts = span(left).split()
    said = sum((int(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True)), timedelta())
    assert said <= left < said + timedelta(hours=1)


def test_the_browser_says_the_same() -> None:
    chance = random.Random(20261123)  # noqa: S311 # the same values each time
    edges = [timedelta(hours=hours, milliseconds=by) for hours in (0, 1, 4, 24, 48) for by in (-1, 0, 1)]
    spans = edges + [timedelta(milliseconds=chance.randint(-(10**10), 10**10)) for _ in range(2000)]
    spans += [timedelta(milliseconds=chance.randint(-(10**8), 10**8)) for _ in range(2000)]
    pairs = [Countdown(NOW + sign * left, NOW) for left in spans for sign in (1, -1)]
    cases = json.dumps([[each.due_time, each.server_time] for each in pairs])
    node = shutil.which("node")
    assert node, "node runs the browser's script"
    done = subprocess.run(
        [node, "-e", IN_NODE, str(SCRIPT)], input=cases, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [[each.level, each.words] for each in pairs]


PAGE_IN_NODE = """
let now = Date.parse("2000-01-01T00:00Z"), tick;
Date.now = () => now;
globalThis.setInterval = (callback) => { tick = callback; };
const shown = {
  dateTime: "2026-11-23T12:30:00.000+08:00",
  dataset: {now: "2026-11-23T08:29:00.000+08:00", level: "soon"},
  textContent: "",
};
globalThis.document = {querySelectorAll: () => [shown], addEventListener: () => {}};
require(process.argv[1]);
const said = [0, 1, 240, 242].map((minutes) => {
  now = Date.parse("2000-01-01T00:00Z") + minutes * 60000;
  tick();
  return [shown.dataset.level, shown.textContent];
});
process.stdout.write(JSON.stringify(said));
"""


def test_a_page_left_open_counts_by_the_servers_clock_whatever_the_browsers_says() -> None:
    done = subprocess.run(
        ["node", "-e", PAGE_IN_NODE, str(SCRIPT)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [
        ["soon", "临近截止，还剩 4 小时 1 分"],
        ["urgent", "紧急，还剩 4 小时"],
        ["urgent", "紧急，还剩 1 分钟"],
        ["late", "已逾期 1 分钟"],
    ]


def test_a_page_says_it_without_a_script(smdvs: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    template = '{% from "_countdown.html" import due %}{{ due(at) }}'
    with smdvs.test_request_context():
        page = render_template_string(template, at=NOW + timedelta(hours=3))
    assert "2026-11-23 12:30" in page
    assert 'data-level="urgent"' in page
    assert 'datetime="2026-11-23T12:30:00.000+08:00"' in page
    assert ">紧急，还剩 3 小时</time>" in page
