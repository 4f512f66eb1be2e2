"""Scans in requests, which touch no disk, and as responses: their bytes and nothing that they could do."""

from __future__ import annotations

from io import BytesIO
from typing import IO

from flask import Request, Response

SCAN_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"  # nothing in a scan may run or fetch


class PageRequest(Request):
    """A request whose files, at most 12 MB (pages.py), stay in memory: no plain text in a temporary file."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def scan_response(content: bytes, content_type: str, name: str) -> Response:
    """Pictures are shown, everything else is saved, as ``name`` (an id of ours)."""
    shown = content_type.startswith("image/")
    suffix = {"image/jpeg": "jpg", "image/png": "png"}.get(content_type, "pdf")
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": SCAN_POLICY,
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{name}.{suffix}"',
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, mimetype=content_type, headers=headers)
