"""Security headers of every response, and what a page may ask of the policy beyond them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g

from idp.oauth.routes import HSTS

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*:(//[A-Za-z0-9.\[\]:-]+)?")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data:{images}; media-src 'self'; form-action 'self'{forms}; frame-ancestors 'none'; "
    "base-uri 'none'{frames}"
)
PLAIN_POLICY = POLICY.format(images="", forms="", frames="")


def register(app: Flask) -> None:
    """Put the headers on every response."""
    https = app.extensions["idp"].settings.issuer.startswith("https://")

    def write_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", _policy())
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        if https:
            headers["Strict-Transport-Security"] = HSTS
        if response.mimetype == "text/html":
            headers["Cache-Control"] = "no-store"
        return response

    app.after_request(write_headers)


def allow_client(redirect_origin: str | None, logo_uri: str | None) -> None:
    """Let this page's form end at the client (form-action holds for redirects too) and show its logo."""
    g.csp_forms = _source(redirect_origin)
    g.csp_images = _source(_origin_of(logo_uri))


def allow_frames(addresses: Iterable[str]) -> None:
    """Let this page, and no other, hold frames from where these addresses are."""
    sources = sorted({_source(_origin_of(address)) for address in addresses})
    g.csp_frames = f"; frame-src{''.join(sources)}"


def _policy() -> str:
    opened = {name: g.get(f"csp_{name}", "") for name in ("forms", "images", "frames")}
    return POLICY.format_map(opened) if any(opened.values()) else PLAIN_POLICY


def _source(origin: str | None) -> str:
    """A source expression with a leading space; nothing for what could break out of the directive."""
    return f" {origin}" if origin and ORIGIN.fullmatch(origin) else ""


def _origin_of(uri: str | None) -> str | None:
    parts = urlsplit(uri or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else None
