"""Requests with a file: only the routes that take one read so much, and never into a temporary file."""

from __future__ import annotations

import io
from typing import IO

import flask
from flask import request

from clients.smdvs import forms
from clients.smdvs.attachment_kinds import MAX_BYTES, MEGABYTE
from clients.smdvs.attachments import Upload
from clients.smdvs.forms import BadFormError, Fields

MULTIPART = "multipart/form-data"
MAX_REQUEST_BYTES = MAX_BYTES + MEGABYTE
MAX_FIELD_BYTES = 256 * 1024
FILE = "file"


class Request(flask.Request):
    """Files stay in memory: in clear they never rest on a disk."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Instead of Werkzeug's, which goes to a temporary file from 500 KB on."""
        return io.BytesIO()


def form() -> tuple[Fields, Upload | None]:
    """The fields of the request's form, and the file in it. Raises BadFormError."""
    if request.mimetype != MULTIPART:
        return forms.parse(request.content_type, request.get_data()), None
    request.max_content_length = MAX_REQUEST_BYTES
    request.max_form_memory_size = MAX_FIELD_BYTES
    request.max_form_parts = forms.MAX_FIELDS
    fields = forms.single(request.form.items(multi=True))
    if not fields:
        raise BadFormError("not_a_form")
    if any("\0" in text for text in fields.values()):
        raise BadFormError("nul_byte")
    if any("\ufffd" in text for text in fields.values()):
        raise BadFormError("not_utf8")
    return fields, _file()


def _file() -> Upload | None:
    sent = request.files.getlist(FILE)
    if len(sent) > 1 or set(request.files) - {FILE}:
        raise BadFormError("duplicate_field")
    if not sent or not sent[0].filename:
        return None
    return Upload(sent[0].filename, sent[0].stream.read())
