"""What happens on the platform reaches smdvs's sessions by events alone, within a second: both applications
and the worker as `make run` starts them, smdvs's back-channel logout address taken away.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import html

from tests.applications import Applications, serving
from tests.journeys.people import DEMO_PASSWORD, PHONES, Page, Person

GOAL_SECONDS = 1.0
PATIENCE_SECONDS = 20
_WITHOUT_BACKCHANNEL = (
    "UPDATE clients SET metadata = json_remove(metadata, '$.backchannel_logout_uri',"
    " '$.backchannel_logout_session_required') WHERE client_id = 'smdvs'"
)


@dataclass(frozen=True)
class Demonstration:
    """The running applications, and smdvs's database."""

    running: Applications
    smdvs_database: Path

    def sessions(self) -> int:
        """How many browsers are signed in at smdvs."""
        return self._count("SELECT count(*) FROM browser_sessions")

    def events(self) -> int:
        """How many events smdvs has taken in."""
        return self._count("SELECT count(*) FROM seen_identifiers WHERE kind = 'event'")

    def _count(self, statement: str) -> int:
        with closing(sqlite3.connect(self.smdvs_database, timeout=PATIENCE_SECONDS)) as database:
            return int(database.execute(statement).fetchone()[0])

    def at_smdvs(self, name: str) -> Person:
        """Somebody who has signed in there."""
        person = Person(self.running.idp_url)
        page = person.open(f"{self.running.smdvs_url}/smdvs/login")
        page = person.sign_in(page, f"demo_{name}", PHONES[name], DEMO_PASSWORD)
        page = person.submit(page, "consent-approve") if "/consent" in page.url else page
        assert page.url.startswith(self.running.smdvs_url), page.text
        return person

    def on_platform(self, name: str, path: str) -> tuple[Person, Page]:
        """Somebody who has signed in at the platform, and the page they have opened."""
        person = Person(self.running.idp_url)
        person.sign_in(person.open("/login"), f"demo_{name}", PHONES[name], DEMO_PASSWORD)
        return person, person.open(path)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    directory = tmp_path_factory.mktemp("signals")
    with serving(directory) as running:
        with closing(sqlite3.connect(directory / "idp.sqlite3", timeout=PATIENCE_SECONDS)) as database:
            database.execute(_WITHOUT_BACKCHANNEL)
            database.commit()
        time.sleep(1.1)  # every process has read the register anew
        yield Demonstration(running, directory / "smdvs.sqlite3")


def seconds_to_the_end(demonstration: Demonstration, act: Callable[[], object]) -> float:
    """From the click until nobody is signed in at smdvs; nobody asks smdvs for anything meanwhile."""
    started = time.perf_counter()
    act()
    while demonstration.sessions():
        assert time.perf_counter() - started < PATIENCE_SECONDS, "the session is still there"
        time.sleep(0.01)
    return time.perf_counter() - started


def test_a_sign_out_on_the_platform_ends_the_session_at_smdvs_within_a_second(
    demonstration: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    regulator = demonstration.at_smdvs("regulator")
    events = demonstration.events()
    page = regulator.open("/account/sessions")
    seconds = seconds_to_the_end(demonstration, lambda: regulator.submit(page, "action=end"))
    assert demonstration.events() == events + 1
    _show(capsys, "sign-out", seconds)
    assert seconds < GOAL_SECONDS


def test_a_revocation_ends_the_session_at_smdvs_within_a_second(
    demonstration: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    demonstration.at_smdvs("handler")
    events = demonstration.events()
    legal, page = demonstration.on_platform("legal", "/enterprise/handlers")
    assert demonstration.sessions() == 1
    seconds = seconds_to_the_end(
        demonstration, lambda: legal.submit(page, "decision=revoke", row=_handler(page))
    )
    _wait_for_events(demonstration, events + 2)  # token-claims-change and session-revoked
    _show(capsys, "revocation", seconds)
    assert seconds < GOAL_SECONDS


def _wait_for_events(demonstration: Demonstration, count: int) -> None:
    started = time.perf_counter()
    while demonstration.events() < count:
        assert time.perf_counter() - started < PATIENCE_SECONDS, "an event did not arrive"
        time.sleep(0.01)
    assert demonstration.events() == count


def _handler(page: Page) -> str:
    """The row of demo_handler among the handlers in force."""
    found = html.fromstring(page.response.text).xpath(
        "//li[.//strong='demo_handler']//form[.//button[@value='revoke']]/input[@name='id']/@value"
    )
    assert isinstance(found, list)
    (row,) = found
    return str(row)


def _show(capsys: pytest.CaptureFixture[str], what: str, seconds: float) -> None:
    with capsys.disabled():
        print(f"\nfrom the click to the end of the session at smdvs, {what}: {seconds * 1000:.0f} ms")
