"""The JSON API under ``/smdvs/api/v1``, for programs with an access token: its blueprint, with every
operation registered, and its description.
"""

from __future__ import annotations

from flask import Response, jsonify

from clients.rp import clock
from clients.smdvs import api_reports, api_submissions, attachment_api, openapi
from clients.smdvs.cookies import system
from clients.smdvs.operations import blueprint, operation

__all__ = ["api_reports", "api_submissions", "attachment_api", "blueprint"]


@operation("GET", "/openapi.json", summary="本接口的 OpenAPI 3.1 说明", answer=None)
def describe() -> Response:
    """The OpenAPI 3.1 document of this API."""
    return jsonify(openapi.document(system().settings, clock.now()))
