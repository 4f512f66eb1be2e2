"""The paths in templates: most pages have the same dozen, so each is built once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask, request

KEPT = 256


def register(app: Flask) -> None:
    """Let templates' ``url_for`` remember the paths that depend on nothing but where we are mounted."""

    @lru_cache(maxsize=KEPT)
    def fixed(mounted_at: str, endpoint: str, filename: str | None) -> str:
        """Not external, so the host doesn't come in; ``mounted_at`` only keeps mounts apart."""
        del mounted_at
        return app.url_for(endpoint, filename=filename) if filename else app.url_for(endpoint)

    def url_for(endpoint: str, **values: Any) -> str:
        filename = values.get("filename")
        if values and (len(values) > 1 or not isinstance(filename, str)):
            return app.url_for(endpoint, **values)
        return fixed(request.environ.get("SCRIPT_NAME", ""), endpoint, filename)

    app.jinja_env.globals["url_for"] = url_for
