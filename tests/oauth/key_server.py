"""A client's ``jwks_uri`` on this machine."""

from __future__ import annotations

from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server


class KeyServer:
    """Says what it is told to say, and counts."""

    def __init__(self) -> None:
        self.body: bytes = b"{}"
        self.status = "200 OK"
        self.asked = 0
        self._server = make_server("127.0.0.1", 0, self._answer, handler_class=_Quiet)
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}/jwks.json"

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, _environ: Any, start_response: Any) -> list[bytes]:
        self.asked += 1
        start_response(self.status, [("Content-Type", "application/json")])
        return [self.body]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
