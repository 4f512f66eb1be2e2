"""Debian's Apache with mod_auth_openidc in front of a page, whose readers sign in at the platform."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from tests.applications import Applications, free_ports
from tests.foreign.sites import CREDIT_CODE, MATTER, SCOPE, let_in, sign_in
from tests.journeys.people import TIMEOUT, Person
from tests.servers import _directory, _running, _unprivileged_user

SOURCE = Path(__file__).with_name("mod-auth-openidc")
READ = f"事故资料 enterprise_credit_code {CREDIT_CODE} handler_scope {MATTER}"
APACHE = Path("/usr/sbin/apache2")  # not in everybody's PATH
MODULES = Path("/usr/lib/apache2/modules")


@pytest.fixture
def site(platform: Applications) -> Iterator[str]:
    """Where Apache answers, registered as a confidential client; its page is ``/``."""
    if not (APACHE.exists() and (MODULES / "mod_auth_openidc.so").exists()):
        pytest.fail(
            "Apache with mod_auth_openidc is not installed; `make test` says what to install", pytrace=False
        )
    (port,) = free_ports(1)
    url = f"http://localhost:{port}"
    client = platform.register(
        {
            "client_name": "事故资料站",
            "redirect_uris": [f"{url}/signed-in"],
            "post_logout_redirect_uris": [f"{url}/bye.shtml"],
            "backchannel_logout_uri": f"{url}/signed-in?logout=backchannel",
            "scope": SCOPE,
            "matters": [MATTER],
        }
    )
    environ = {
        "ISSUER": platform.idp_url,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "PORT": str(port),
    }
    with apache(environ, f"{url}/bye.shtml"):
        yield url


@contextmanager
def apache(environ: Mapping[str, str], probe: str) -> Iterator[None]:
    """Apache with the files of ``SOURCE`` while the block runs, with an ordinary user's rights; its
    configuration finds ``environ``. It is there when ``probe`` answers.
    """
    owner = _unprivileged_user()
    with _directory(owner) as directory:
        for file in SOURCE.iterdir():
            shutil.copy(file, directory)
        places = {"DIRECTORY": str(directory), "MODULES": str(MODULES), "PATH": os.environ["PATH"]}
        own = {**environ, **places, "PASSPHRASE": secrets.token_urlsafe(32)}
        command = [str(APACHE), "-DFOREGROUND", "-f", str(directory / "httpd.conf")]
        with _running(command, directory, owner, lambda: requests.get(probe, timeout=TIMEOUT), own):
            yield


def test_the_page_knows_for_whom_its_reader_acts(site: str, person: Person) -> None:
    page = let_in(person, f"{site}/")
    assert page.url == f"{site}/"
    assert page.text == READ
    assert person.open(f"{site}/").text == READ  # its own session now


def test_who_has_no_mandate_does_not_read_the_page(site: str, person: Person) -> None:
    page = sign_in(person, f"{site}/", "person")
    page = person.submit(page, "consent-approve")
    assert page.url.startswith(site)
    assert page.response.status_code == 401
    assert CREDIT_CODE not in page.response.text


def test_signing_out_at_the_site_signs_out_of_the_platform(site: str, person: Person) -> None:
    let_in(person, f"{site}/")
    page = person.open(f"{site}/signed-in?{urlencode({'logout': f'{site}/bye.shtml'})}")
    assert page.url == f"{site}/bye.shtml"
    assert "/login" in person.open(f"{site}/").url
    assert "/login" in person.open("/account").url


def test_signing_out_at_the_platform_ends_the_session_at_the_site(site: str, person: Person) -> None:
    let_in(person, f"{site}/")
    person.submit(person.open("/oauth/logout"), "logout-confirm")
    deadline = time.monotonic() + TIMEOUT
    while (page := person.open(f"{site}/")).url == f"{site}/" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "/login" in page.url
