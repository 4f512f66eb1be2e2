"""Scans that people upload: what they really are, by their content; images are decoded and written anew."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePath
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

import filetype

from idp.domain.errors import Problem

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_BYTES: Final = 5 * 1024 * 1024
MOST_PIXELS: Final = 25_000_000
LONGEST_SIDE: Final = 3000  # pixels kept: a page at 250 dpi
MOST_PAGES: Final = 10
JPEG_QUALITY: Final = 88
_SUFFIXES: Final = {
    "image/jpeg": frozenset({".jpg", ".jpeg"}),
    "image/png": frozenset({".png"}),
    "application/pdf": frozenset({".pdf"}),
}
_PILLOW_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
# At a time two files at most: 25 million pixels need some 250 MB, a hostile PDF a second or two.
_places = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Scan:
    """An uploaded file as it came: ``purpose`` is the form field, ``filename`` what the browser called it."""

    purpose: str
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CheckedScan:
    """A scan that opens, is what its name says, and carries nothing but pixels if it is an image."""

    purpose: str
    content_type: str
    content: bytes


def check(scan: Scan) -> CheckedScan | Problem:
    """The scan, fit to be stored and shown to a reviewer, or what is wrong with it.

    PDF, JPEG and PNG of at most 5 MiB. Images are encoded anew: metadata, trailing bytes and whatever else
    hides in a file stays behind. PDFs are kept as they are, if they open without a password.
    """
    if not scan.content:
        return Problem("required", scan.purpose)
    if len(scan.content) > LARGEST_BYTES:
        return Problem("scan_too_large", scan.purpose, {"megabytes": LARGEST_BYTES // 1024**2})
    content_type = filetype.guess_mime(scan.content)
    if content_type not in _SUFFIXES:
        return Problem("scan_type_unknown", scan.purpose)
    if PurePath(scan.filename).suffix.lower() not in _SUFFIXES[content_type]:
        return Problem("scan_name_mismatch", scan.purpose)
    with _places:
        return _checked(scan, content_type)


def _checked(scan: Scan, content_type: str) -> CheckedScan | Problem:
    if content_type == "application/pdf":
        fault = _pdf_fault(scan.content)
        content = scan.content
    else:
        fault, content = _redrawn(scan.content, _PILLOW_FORMATS[content_type])
    return Problem(fault, scan.purpose) if fault else CheckedScan(scan.purpose, content_type, content)


def _redrawn(content: bytes, image_format: str) -> tuple[str | None, bytes]:
    """A fault, or the image decoded and encoded again, upright, without metadata."""
    from PIL import Image  # noqa: PLC0415 - Pillow, for whoever uploads a picture

    try:
        with Image.open(io.BytesIO(content), formats=[image_format]) as image:
            if image.width * image.height > MOST_PIXELS:
                return "scan_too_many_pixels", b""
            return None, _encoded(image, image_format)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "scan_too_many_pixels", b""
    # Broken files make Pillow's decoders raise many kinds of errors; each means the same here.
    except Exception:  # noqa: BLE001
        return "scan_unreadable", b""


def _encoded(image: Image, image_format: str) -> bytes:
    """Small steps and in place where possible: a large picture is in memory several times otherwise."""
    from PIL import ImageOps  # noqa: PLC0415 - as above

    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")  # 16 bits of grey
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    ImageOps.exif_transpose(image, in_place=True)
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, image_format, quality=JPEG_QUALITY)
    return buffer.getvalue()


def _on_white(image: Image) -> Image:
    from PIL.Image import new  # noqa: PLC0415 - as above

    paper = new("RGB", image.size, "white")
    paper.paste(image, mask=image)
    return paper


def _pdf_fault(content: bytes) -> str | None:
    """Why this PDF can't be accepted: it needs a password, has too many pages, or doesn't open."""
    from pypdf import PdfReader  # noqa: PLC0415 - 25 MB that a worker without PDFs never needs

    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            return "scan_encrypted"
        pages = len(reader.pages)
    except Exception:  # noqa: BLE001 (as above: a broken file breaks a parser in many ways)
        return "scan_unreadable"
    if pages > MOST_PAGES:
        return "scan_too_many_pages"
    return None if pages else "scan_unreadable"
