"""A proxy that ends TLS in front of the application and passes the client's certificate on."""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

from flask import Flask

from tests.certificates import Identity, asks_for_certificates

CERTIFICATE, VERIFY = "Client-Cert", "Client-Cert-Verify"


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    backend: int


class _Hop(BaseHTTPRequestHandler):
    server: _Proxy

    def do_GET(self) -> None:
        """Hand on and bring back."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        backend = http.client.HTTPConnection("127.0.0.1", self.server.backend)
        backend.request(self.command, self.path, body, self._headers())
        answer = backend.getresponse()
        content = answer.read()
        backend.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """As for GET."""
        self.do_GET()

    def _headers(self) -> dict[str, str]:
        """The client's, with the two that only this proxy may set."""
        own = {CERTIFICATE.lower(), VERIFY.lower()}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in own}
        assert isinstance(self.connection, ssl.SSLSocket)
        der = self.connection.getpeercert(binary_form=True)
        headers[VERIFY] = "SUCCESS" if der else "NONE"
        return headers | ({CERTIFICATE: f":{b64encode(der).decode()}:"} if der else {})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxied(app: Flask, server: Path, authority: Identity) -> Iterator[int]:
    """The port at which ``app`` can be reached over TLS while the block runs."""
    backend = make_server("127.0.0.1", 0, app.wsgi_app, handler_class=_Quiet)
    proxy = _Proxy(("127.0.0.1", 0), _Hop)
    proxy.backend = backend.server_port
    proxy.socket = asks_for_certificates(server, authority).wrap_socket(proxy.socket, server_side=True)
    for each in (backend, proxy):
        Thread(target=each.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield proxy.server_port
    finally:
        for each in (proxy, backend):
            each.shutdown()
            each.server_close()


def send(
    port: int,
    path: str,
    authority: Identity,
    certificate: Path | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of a request over TLS, with ``certificate`` if there is one."""
    context = ssl.create_default_context(cadata=authority.pem)
    if certificate is not None:
        context.load_cert_chain(certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    body: Any = None if form is None else urlencode(form)
    try:
        connection.request("GET" if form is None else "POST", path, body, {**kind, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
