"""Which addresses a name has, and which of them belong to the public internet."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from idp.outbound.deadline import Deadline

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Beyond what ``ipaddress`` calls not global: ways to IPv4 addresses through IPv6, and what is deprecated.
REFUSED = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet: global unicast, no tunnel to something else."""
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not special and not any(address in network for network in REFUSED)


def resolve(host: str, port: int, deadline: Deadline) -> tuple[Address, ...]:
    """All addresses of the name, in the system's order of preference; a mapped IPv4 address as such;
    none if nobody knows the name, ``TimeoutError`` at the deadline.

    The system's resolver can't be interrupted, so it works in a thread that nobody waits for in the end.
    """
    found: SimpleQueue[list[Any]] = SimpleQueue()

    def ask() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.put([])

    Thread(target=ask, daemon=True).start()
    try:
        answers = found.get(timeout=deadline.left())
    except Empty as error:
        raise TimeoutError from error
    return tuple(dict.fromkeys(_plain(ip_address(answer[4][0])) for answer in answers))


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
