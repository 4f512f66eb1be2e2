"""Scans that people upload: what they really are, by their content; images are decoded and written anew."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

import filetype

from idp.domain.errors import Problem
from idp.services import documents

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_BYTES: Final = 5 * 1024 * 1024
MOST_PIXELS: Final = 25_000_000
LONGEST_SIDE: Final = 3000  # pixels kept: a page at 250 dpi
LARGEST_STORED_BYTES: Final = (
    20 * 1024 * 1024
)  # an image encoded anew may have grown: 25 million pixels of noise
LONGEST_NAME: Final = 80
LONGEST_WAIT_SECONDS: Final = 20
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
    """A scan that opens, is what its name says, and carries nothing but pixels or pages.

    ``filename`` is the last part of what the browser called it, for its owner to know it again.
    """

    purpose: str
    content_type: str
    content: bytes
    filename: str = ""


def check(scan: Scan) -> CheckedScan | Problem:
    """The scan, fit to be stored and shown to a reviewer, or what is wrong with it.

    PDF, JPEG and PNG of at most 5 MiB. Images are encoded anew and the pages of a PDF written anew: metadata,
    trailing bytes, scripts and whatever else hides in a file stays behind. ``service_unavailable`` when the
    files of others have taken too long.
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
    if not _places.acquire(timeout=LONGEST_WAIT_SECONDS):
        return Problem("service_unavailable", scan.purpose)
    try:
        return _checked(scan, content_type)
    finally:
        _places.release()


def _checked(scan: Scan, content_type: str) -> CheckedScan | Problem:
    if content_type == "application/pdf":
        fault, content = documents.rewritten(scan.content)
    else:
        fault, content = _redrawn(scan.content, _PILLOW_FORMATS[content_type])
    if not fault and len(content) > LARGEST_STORED_BYTES:
        fault = "scan_too_large"
    if fault:
        return Problem(fault, scan.purpose, {"megabytes": LARGEST_BYTES // 1024**2})
    return CheckedScan(scan.purpose, content_type, content, _shown_name(scan.filename))


def _shown_name(filename: str) -> str:
    """The last part of a name, printable and not too long; Windows' parts are told apart as well."""
    name = PureWindowsPath(filename).name
    return "".join(character for character in name if character.isprintable())[-LONGEST_NAME:]


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
