"""Calls to addresses that others chose: a client's ``jwks_uri``, a logout address, a gateway.

The name is resolved once, every address it has is checked, and the connection goes to a checked address while
TLS still verifies the name: nobody can point us at the platform's own network, not by a redirect (none is
followed), a name that changes its mind, an odd spelling of an IP address, or a proxy from the environment.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from idp.outbound.address import Address, Network, is_public, resolve
from idp.outbound.answer import Answer, OutboundError
from idp.outbound.deadline import Deadline

if TYPE_CHECKING:
    from idp.outbound.exchange import Target

__all__ = ["Answer", "Outbound", "OutboundError"]

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 64 * 1024
HEADERS = {"User-Agent": "gsp-idp", "Accept": "application/json", "Accept-Encoding": "identity"}


class Outbound:
    """Makes such calls; safe for threads. ``allow`` are private networks that may be reached all the same.

    ``ca_bundle`` adds certificate authorities. ``plain_http`` (development) lets ``http://`` go anywhere;
    without it ``http`` only reaches addresses in ``allow``. A call ends after ``timeout`` seconds, whatever
    the server does.
    """

    def __init__(
        self,
        allow: Iterable[Network] = (),
        ca_bundle: Path | str | None = None,
        *,
        plain_http: bool = False,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._allow = tuple(allow)
        self._plain_http = plain_http
        self._timeout = timeout
        self._ca_bundle = ca_bundle
        if ca_bundle:
            ssl.create_default_context(cafile=str(ca_bundle))  # a wrong file is a fault of the start

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The public authorities and the bundle's; read with the first call, which costs 40 ms."""
        from certifi import where  # noqa: PLC0415 - as late as the context

        context = ssl.create_default_context(cafile=where())
        if self._ca_bundle:
            context.load_verify_locations(cafile=str(self._ca_bundle))
        return context

    def get(
        self, url: str, *, max_bytes: int = MAX_BYTES, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET; raises ``OutboundError``."""
        return self._call("GET", url, max_bytes, headers)

    def post(
        self,
        url: str,
        data: Mapping[str, str] | bytes | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """POST of a form, of bytes, or of JSON; raises ``OutboundError``."""
        return self._call("POST", url, max_bytes, headers, data, json)

    def _call(
        self,
        method: str,
        url: str,
        max_bytes: int,
        headers: Mapping[str, str] | None,
        data: Mapping[str, str] | bytes | None = None,
        json: object = None,
    ) -> Answer:
        from idp.outbound import exchange  # noqa: PLC0415 - requests and urllib3, not before the first call

        prepared, target = exchange.prepare(method, url, {**HEADERS, **(headers or {})}, data, json)
        tls = self._tls
        with Deadline(self._timeout) as deadline:
            try:
                addresses = self._checked(target, deadline)
                return exchange.send(prepared, target, exchange.Terms(addresses, tls, deadline, max_bytes))
            except exchange.FAULTS as error:
                raise OutboundError(exchange.code_of(error, deadline), target.host) from error

    def _checked(self, target: Target, deadline: Deadline) -> tuple[Address, ...]:
        """The addresses of the name, all of them fit to be called."""
        addresses = resolve(target.host, target.port, deadline)
        if not addresses:
            raise OutboundError("name_unknown", target.host)
        if not all(is_public(address) or self._is_allowed(address) for address in addresses):
            raise OutboundError("address_refused", target.host)
        if target.scheme == "http" and not self._plain_http and not all(map(self._is_allowed, addresses)):
            raise OutboundError("scheme_refused", target.host)
        return addresses

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allow)
