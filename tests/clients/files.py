"""Files that are right, made here, for tests to attach and to spoil."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, PdfObject, TextStringObject
from urllib3 import encode_multipart_formdata


def picture(picture_format: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, picture_format)
    return file.getvalue()


def pdf(pages: int = 1, **made: Any) -> bytes:
    """``script`` is run when it is opened, ``password`` must be known to open it."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if "script" in made:
        action = {"/Type": "/Action", "/S": "/JavaScript", "/JS": made["script"]}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
            {NameObject(name): _pdf_value(value) for name, value in action.items()}
        )
    if "password" in made:
        writer.encrypt(made["password"], algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _pdf_value(value: str) -> PdfObject:
    return NameObject(value) if value.startswith("/") else TextStringObject(value)


def archive(entries: dict[str, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (entries or {"数据.csv": b"t,soc\n1,80\n"}).items():
            made.writestr(name, content)
    return file.getvalue()


def workbook() -> bytes:
    from openpyxl import Workbook

    file = io.BytesIO()
    Workbook().save(file)
    return file.getvalue()


def multipart(fields: dict[str, str], file: tuple[str, bytes] | None) -> dict[str, Any]:
    """A form with a file, name and content, as the arguments of a post."""
    parts: list[Any] = [*fields.items()]
    if file is not None:
        parts.append(("file", file))
    body, content_type = encode_multipart_formdata(parts)
    return {"data": body, "content_type": content_type}
