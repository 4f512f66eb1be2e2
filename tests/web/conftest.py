"""What the tests of the pages share: people at browsers, on the embedded installation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.web.visitor import APPLICATION, LEGAL, LI, Visitor

MakeApp = Callable[..., Flask]


@pytest.fixture
def backend() -> str:
    """Pages know no database; the services are tested on both."""
    return "sqlite"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An application without waits and pictures to read."""
    return make_app(throttle=False, captcha="off")


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody who has just opened the browser."""
    return Visitor(app)


@pytest.fixture
def person(app: Flask) -> Visitor:
    """A registered, verified natural person: ``li_shili``, 19900001002."""
    person = Visitor(app)
    person.register("li_shili", "19900001002")
    assert person.verify(LI).status_code == 303
    return person


@pytest.fixture
def owner(app: Flask) -> Visitor:
    """An enterprise's legal-person account: ``yanshi_car``, 19900001001."""
    owner = Visitor(app)
    owner.register("yanshi_car", "19900001001")
    assert owner.verify(LEGAL).status_code == 303
    return owner


@pytest.fixture
def applicant(owner: Visitor, person: Visitor) -> Visitor:
    """The person, after applying to the owner's enterprise."""
    assert person.send("/account/handler-applications", APPLICATION).status_code == 303
    return person


@pytest.fixture
def administrator(app: Flask) -> Visitor:
    """An administrator: ``admin_one``, 19900001009."""
    administrator = Visitor(app)
    administrator.register("admin_one", "19900001009")
    administrator.become_administrator("admin_one")
    return administrator
