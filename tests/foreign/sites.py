"""Sites of others on this machine; at ``localhost``, so that they share no cookie with the platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.journeys.people import DEMO_PASSWORD, PHONES, Page, Person

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

CREDIT_CODE = "91990101MADEM00117"
ENTERPRISE = "示例新能源汽车有限公司"
MATTER = "nev-accident-report"
SCOPE = "openid enterprise handler"


@contextmanager
def served(application: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve on this port, or on a free one, while the block runs; gives the address without a path."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Landing:
    """The page of a client to which the platform sends browsers; ``form`` is what the last one posted."""

    url: str = ""
    form: dict[str, str] | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """WSGI; the same page for every request."""
        request = Request(environ)
        self.form = request.form.to_dict() if request.method == "POST" else None
        return Response("<p>回到应用</p>", mimetype="text/html")(environ, start_response)


def sign_in(person: Person, url: str, name: str = "handler") -> Page:
    """Follow the client's link and sign in at the platform as that demonstration account."""
    return person.sign_in(person.open(url), f"demo_{name}", PHONES[name], DEMO_PASSWORD)


def let_in(person: Person, url: str) -> Page:
    """Sign in as 经办人 and agree; where that leads."""
    page = sign_in(person, url)
    assert ENTERPRISE in page.text
    return person.submit(page, "consent-approve")
