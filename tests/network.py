"""Tests reach nothing beyond this machine: any other connection fails loudly, any other name is unknown."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest


class OutsideError(AssertionError):
    """A test tried to reach the network."""


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _local_names(socket.getaddrinfo))
        yield


def _guarded(connect: Callable[[socket.socket, object], object]) -> Callable[[socket.socket, object], object]:
    def guarded(self: socket.socket, address: object) -> object:
        if isinstance(address, tuple) and not _is_local(str(address[0])):
            raise OutsideError(f"a test may not connect to {address[0]}")
        return connect(self, address)

    return guarded


def _local_names(getaddrinfo: Callable[..., object]) -> Callable[..., object]:
    """Resolving as on a machine without DNS: numeric addresses and ``localhost`` only."""

    def resolve(host: str | bytes | None, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name == "localhost" or _is_numeric(name):
            return getaddrinfo(host, *args, **kwargs)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    return resolve


def _is_local(host: str) -> bool:
    return host == "localhost" or (_is_numeric(host) and ip_address(host.partition("%")[0]).is_loopback)


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
