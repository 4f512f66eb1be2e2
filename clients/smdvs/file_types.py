"""What a file is, by what is in it and never by what is said of it, and whether it may be kept.

Nothing is decoded, unpacked or rendered: files are evidence, kept byte for byte. Looking at hostile ones
takes bounded memory.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath
from threading import BoundedSemaphore

import filetype

from clients.smdvs.attachment_kinds import CSV, JPEG, PDF, PNG, XLSX, ZIP

MAX_PIXELS = 80_000_000
MAX_ENTRIES = 1000
MAX_UNPACKED = 1024**3
MAX_RATIO = 200
LOOKERS, LONGEST_WAIT_SECONDS = 2, 20
_PICTURES = {JPEG: "JPEG", PNG: "PNG"}
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1
_TABLE = frozenset({"[Content_Types].xml", "xl/workbook.xml"})
_MACROS = "xl/vbaProject.bin"
_WHITE = b"\t\n\r\f"

_lookers = BoundedSemaphore(LOOKERS)


class Unfit(Exception):
    """The file isn't kept; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def type_of(content: bytes, filename: str) -> str:
    """The content type of a whole file; the name only tells apart what looks alike. Raises Unfit."""
    if not content:
        raise Unfit("attachment_empty")
    guessed = filetype.guess_mime(content)
    if not _lookers.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Unfit("attachment_busy")
    try:
        return _looked_at(content, guessed, PurePosixPath(filename).suffix.lower())
    finally:
        _lookers.release()


def _looked_at(content: bytes, guessed: str | None, suffix: str) -> str:
    if guessed in _PICTURES:
        _look_at_picture(content, _PICTURES[guessed])
        return guessed
    if guessed == PDF:
        from clients.smdvs import pdf_files  # noqa: PLC0415 - 25 MB that a worker without PDFs never needs

        if (code := pdf_files.fault_of(content)) is not None:
            raise Unfit(code)
        return PDF
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(content, suffix)
    if guessed is None and suffix == ".csv":
        _look_at_text(content)
        return CSV
    raise Unfit("attachment_type_unknown")


def _look_at_picture(content: bytes, picture_format: str) -> None:
    from PIL import Image  # noqa: PLC0415 - Pillow, for whoever uploads a picture

    too_large = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(content), formats=[picture_format]) as image:
            pixels = image.width * image.height
            image.verify()
    except too_large:
        raise Unfit("attachment_too_many_pixels") from None
    except Exception:  # noqa: BLE001 - a broken file breaks a parser in many ways; all mean the same
        raise Unfit("attachment_unreadable") from None
    if pixels > MAX_PIXELS:
        raise Unfit("attachment_too_many_pixels")


def _archive(content: bytes, suffix: str) -> str:
    """An archive or a table, by its directory alone; what is in it is never unpacked."""
    entries = _entries(content)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Unfit("attachment_encrypted")
    if any(not _stays_inside(entry.filename) for entry in entries):
        raise Unfit("attachment_archive_paths")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * len(content):
        raise Unfit("attachment_archive_too_large")
    names = {entry.filename for entry in entries}
    if _MACROS in names:
        raise Unfit("attachment_active")
    if suffix == ".xlsx" and not names >= _TABLE:
        raise Unfit("attachment_unreadable")
    return XLSX if names >= _TABLE else ZIP


def _entries(content: bytes) -> list[zipfile.ZipInfo]:
    # Counted first: each entry of a directory becomes an object of many times its size.
    if content.count(_ENTRY) > MAX_ENTRIES:
        raise Unfit("attachment_archive_too_large")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except Exception:  # noqa: BLE001 - a broken file breaks a parser in many ways; all mean the same
        raise Unfit("attachment_unreadable") from None
    if not entries:
        raise Unfit("attachment_empty")
    return entries


def _stays_inside(name: str) -> bool:
    """Whether unpacking the entry can't write anywhere but below the place it is unpacked to."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in name


def _look_at_text(content: bytes) -> None:
    if any(byte < 0x20 and byte not in _WHITE for byte in set(content)):
        raise Unfit("attachment_not_text")
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return
    raise Unfit("attachment_not_text")
