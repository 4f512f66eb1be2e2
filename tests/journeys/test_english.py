"""Who reads English is spoken to in English: every page that each kind of account can reach by links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from lxml import html

from deploy.catalogue import CHINESE
from tests.applications import Applications, serving
from tests.journeys.people import DEMO_PASSWORD, PHONES, Person

# The names of people, enterprises and systems, and of the other language.
PROPER_NAMES = re.compile("示例|样板|演示|新能源汽车事故上报平台|简体中文")
UNSEEN = {"action", "class", "for", "href", "id", "name", "src", "value"}
NO_PAGES = ("/bootstrap", "/dev", "/language", "/static")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The demonstration data; no captcha to read, no minute to wait."""
    environ = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off", "IDP_SMS_FIXED_CODE": "123456"}
    with serving(tmp_path_factory.mktemp("english"), environ) as running:
        yield running


@pytest.mark.parametrize(
    "name", [None, "legal", "handler", "multi", "pending", "person", "admin", "regulator"]
)
def test_every_page_is_in_english(installation: Applications, name: str | None) -> None:
    reader = Person(installation.idp_url)
    reader.open("/language?to=en&back=/")
    if name is not None:
        reader.sign_in(reader.open("/login"), f"demo_{name}", PHONES[name], DEMO_PASSWORD)
    assert {path: said for path, page in pages(reader) if (said := chinese(page))} == {}


def pages(reader: Person) -> Iterator[tuple[str, html.HtmlElement]]:
    """All pages that links lead to, one of each kind."""
    waiting, seen = ["/", "/account", "/login", "/register", "/device", "/admin", "/nowhere"], set()
    while waiting:
        path = waiting.pop()
        kind = re.sub(r"/[^/?]*\d{2}[^/?]*", "/*", path)
        if kind in seen or path.startswith(NO_PAGES):
            continue
        seen.add(kind)
        answer = reader.open(path).response
        if "html" in answer.headers["Content-Type"]:
            tree = html.fromstring(answer.text)
            links = (own_path(str(link.get("href"))) for link in tree.iter("a"))
            waiting += [link for link in links if link]
            yield path, tree


def own_path(link: str) -> str:
    """Path and query of a link that stays here."""
    parts = urlsplit(link)
    return parts._replace(fragment="").geturl() if not parts.netloc and parts.path.startswith("/") else ""


def chinese(page: html.HtmlElement) -> list[str]:
    """What is said in Chinese, in texts and attributes, and is no proper name."""
    elements = [element for element in page.iter() if isinstance(element.tag, str)]
    texts = [text for element in elements for text in (element.text, element.tail) if text]
    texts += [text for element in elements for name, text in element.attrib.items() if name not in UNSEEN]
    return [text.strip() for text in texts if CHINESE.search(text) and not PROPER_NAMES.search(text)]
