"""Connections of requests and urllib3 that go to checked addresses, whatever the name says by then."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from idp.outbound.address import Address
from idp.outbound.deadline import Deadline


class Dialer:
    """Connects to the checked addresses, in order, and to nothing else."""

    def __init__(self, addresses: tuple[Address, ...], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A connected socket, watched by the deadline; ``NewConnectionError`` if no address answers."""
        failure: OSError | None = None
        for address in self._addresses:
            left = self._deadline.left()
            try:
                connected = socket.create_connection((str(address), connection.port), left)
            except TimeoutError as error:  # the address had all the time that was left
                raise ConnectTimeoutError(connection, "no address answers in time") from error
            except OSError as error:
                failure = error
            else:
                self._deadline.watch(connected)
                return connected
        raise NewConnectionError(connection, "no address answers") from failure


class _PinnedConnection(HTTPConnection):
    def __init__(self, *args: Any, dialer: Dialer, **options: Any) -> None:
        super().__init__(*args, **options)
        self._dialer = dialer

    def _new_conn(self) -> socket.socket:
        return self._dialer.connect(self)


class _PinnedTlsConnection(HTTPSConnection):
    def __init__(self, *args: Any, dialer: Dialer, **options: Any) -> None:
        super().__init__(*args, **options)
        self._dialer = dialer

    def _new_conn(self) -> socket.socket:
        return self._dialer.connect(self)


class _PinnedPool(HTTPConnectionPool):
    ConnectionCls = _PinnedConnection


class _PinnedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedTlsConnection


class PinningAdapter(HTTPAdapter):
    """Sends one request to one target; ``Host``, server name and certificate check are the name's as ever."""

    def __init__(self, scheme: str, host: str, port: int, dialer: Dialer, tls: ssl.SSLContext) -> None:
        super().__init__()
        self._pool: HTTPConnectionPool
        if scheme == "https":
            self._pool = _PinnedTlsPool(host, port, ssl_context=tls, dialer=dialer)
        else:
            self._pool = _PinnedPool(host, port, dialer=dialer)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        """The one pool there is."""
        return self._pool

    def cert_verify(self, *args: Any) -> None:
        """Nothing to set: the context of the pool verifies, with the authorities that ``Outbound`` loaded."""

    def close(self) -> None:
        """Close the connection too."""
        self._pool.close()
        super().close()
