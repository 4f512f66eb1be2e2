from __future__ import annotations

import io
import threading
import zlib
from struct import pack
from typing import Any

import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from idp.domain.errors import Problem
from idp.services import scans
from idp.services.scans import LARGEST_BYTES, LONGEST_SIDE, CheckedScan, Scan, check


def picture(
    image_format: str, mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: object
) -> bytes:
    image = Image.new(mode, size)
    ImageDraw.Draw(image).rectangle((5, 5, 20, 20), fill=1)
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def document(pages: int = 1, password: str | None = None) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def png_of_claimed_size(width: int, height: int) -> bytes:
    """A tiny file that says it is huge."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def checked(filename: str, content: bytes) -> CheckedScan:
    result = check(Scan("document_scan", filename, content))
    assert isinstance(result, CheckedScan), result
    return result


def refused(filename: str, content: bytes) -> str:
    result = check(Scan("document_scan", filename, content))
    assert isinstance(result, Problem)
    assert result.field == "document_scan"
    return result.code


@pytest.mark.parametrize(
    ("filename", "content", "content_type"),
    [
        ("scan.png", picture("PNG"), "image/png"),
        ("SCAN.JPG", picture("JPEG"), "image/jpeg"),
        ("证件 扫描.jpeg", picture("JPEG"), "image/jpeg"),
        ("scan.pdf", document(), "application/pdf"),
        ("../../scan.pdf", document(10), "application/pdf"),
    ],
)
def test_pictures_and_documents_are_accepted(filename: str, content: bytes, content_type: str) -> None:
    assert checked(filename, content).content_type == content_type


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_of_any_mode_becomes_plain_colour(mode: str) -> None:
    with Image.open(io.BytesIO(checked("scan.png", picture("PNG", mode)).content)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (60, 40))


def test_a_printers_picture_is_accepted() -> None:
    assert checked("scan.jpg", picture("JPEG", "CMYK")).content_type == "image/jpeg"


def test_what_is_transparent_becomes_white() -> None:
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    with Image.open(io.BytesIO(checked("scan.png", buffer.getvalue()).content)) as again:
        assert again.getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_of_grey_stay_grey() -> None:
    buffer = io.BytesIO()
    Image.new("I;16", (LONGEST_SIDE + 10, 10), 30_000).save(buffer, "PNG")
    with Image.open(io.BytesIO(checked("scan.png", buffer.getvalue()).content)) as again:
        assert again.getpixel((0, 0)) == (117, 117, 117)


def test_what_is_not_pixels_stays_behind() -> None:
    exif = Image.Exif()
    exif[0x010E] = "39.9N 116.4E somewhere"
    content = picture("JPEG", exif=exif) + b"<script>alert(1)</script>"
    assert b"somewhere" in content
    kept = checked("scan.jpg", content).content
    assert b"somewhere" not in kept
    assert b"<script>" not in kept


def test_a_photograph_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(checked("scan.jpg", picture("JPEG", exif=exif)).content)) as image:
        assert image.size == (40, 60)


def test_a_large_picture_is_made_smaller() -> None:
    content = picture("JPEG", "L", (LONGEST_SIDE + 1000, 100))
    with Image.open(io.BytesIO(checked("scan.jpg", content).content)) as image:
        assert image.size[0] == LONGEST_SIDE


@pytest.mark.parametrize("size", [(5001, 5000), (20_000, 20_000), (200_000, 100_000)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    assert refused("scan.png", png_of_claimed_size(*size)) == "scan_too_many_pixels"


def test_nothing_chosen_is_a_missing_field() -> None:
    assert refused("", b"") == "required"


def test_a_file_of_more_than_five_megabytes_is_refused() -> None:
    fits = picture("PNG").ljust(LARGEST_BYTES, b"\0")
    assert checked("scan.png", fits).content_type == "image/png"
    assert refused("scan.png", fits + b"\0") == "scan_too_large"


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00 a program",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script></html>",
        picture("GIF"),
        picture("WEBP"),
        picture("TIFF"),
        b"PK\x03\x04 an archive",
        b"\x00",
        b"plain text",
    ],
)
@pytest.mark.parametrize("filename", ["scan.png", "scan.pdf"])
def test_the_content_decides_and_not_the_name(filename: str, content: bytes) -> None:
    assert refused(filename, content) == "scan_type_unknown"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("scan.png", picture("JPEG")),
        ("scan.jpg", picture("PNG")),
        ("scan.pdf", picture("PNG")),
        ("scan.png", document()),
        ("scan.exe", picture("PNG")),
        ("scan", picture("PNG")),
        ("", picture("PNG")),
        ("scan.png\x00.pdf", picture("PNG")),
    ],
)
def test_a_name_that_says_something_else_is_refused(filename: str, content: bytes) -> None:
    assert refused(filename, content) == "scan_name_mismatch"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("scan.png", picture("PNG")[:60]),
        ("scan.png", png_of_claimed_size(50, 50)),
        ("scan.jpg", picture("JPEG")[:200]),
        ("scan.jpg", b"\xff\xd8\xff" + b"x" * 500),
        ("scan.pdf", b"%PDF-1.7\n" + b"x" * 500),
        ("scan.pdf", document()[:300]),
        ("scan.pdf", document(0)),
    ],
)
def test_a_broken_file_is_refused(filename: str, content: bytes) -> None:
    assert refused(filename, content) == "scan_unreadable"


@pytest.mark.parametrize("password", ["", "secret"])
def test_an_encrypted_document_is_refused(password: str) -> None:
    assert refused("scan.pdf", document(password=password)) == "scan_encrypted"


def test_a_document_of_too_many_pages_is_refused() -> None:
    assert refused("scan.pdf", document(11)) == "scan_too_many_pages"


def test_a_document_whose_pages_contain_themselves_is_refused() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(document())))
    pages: Any = writer.root_object[NameObject("/Pages")].get_object()
    pages[NameObject("/Kids")].append(pages.indirect_reference)
    buffer = io.BytesIO()
    writer.write(buffer)
    assert refused("scan.pdf", buffer.getvalue()) == "scan_unreadable"


def acting_document() -> bytes:
    """A page with everything around it that a scan doesn't need."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    script = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): text("run()")})
    launch = DictionaryObject({NameObject("/S"): NameObject("/Launch"), NameObject("/F"): text("cmd.exe")})
    writer.add_attachment("program.exe", b"MZ and more")
    writer.add_metadata({"/Author": "somebody"})
    writer.root_object[NameObject("/OpenAction")] = script
    page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): launch})
    link = {NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): launch}
    page[NameObject("/Annots")] = ArrayObject([DictionaryObject(link)])
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue() + b"<script>alert(1)</script>"


def text(value: str) -> TextStringObject:
    return TextStringObject(value)


def test_what_is_not_pages_stays_behind() -> None:
    content = acting_document()
    marks = (
        b"/JS",
        b"/Launch",
        b"EmbeddedFile",
        b"/AA",
        b"/Annots",
        b"somebody",
        b"MZ and more",
        b"<script>",
    )
    assert all(mark in content for mark in marks)
    kept = checked("scan.pdf", content).content
    assert [mark for mark in marks if mark in kept] == []
    assert len(PdfReader(io.BytesIO(kept)).pages) == 1


def test_what_is_drawn_stays() -> None:
    writer = PdfWriter()
    page = writer.add_blank_page(100, 200)
    drawn = StreamObject()
    drawn.set_data(b"0 0 10 10 re f")
    page[NameObject("/Contents")] = drawn
    page[NameObject("/Rotate")] = NumberObject(90)
    fonts = {NameObject(f"/{name}"): DictionaryObject() for name in ("B", "AAA", "F1")}
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): DictionaryObject(fonts)})
    buffer = io.BytesIO()
    writer.write(buffer)
    again: Any = PdfReader(io.BytesIO(checked("scan.pdf", buffer.getvalue()).content)).pages[0]
    assert again.get_contents().get_data().strip() == b"0 0 10 10 re f"
    assert again.rotation == 90
    assert set(again["/Resources"]["/Font"]) == {"/B", "/AAA", "/F1"}
    assert tuple(again.mediabox) == (0, 0, 100, 200)


@pytest.mark.parametrize(
    "hidden",
    [
        {"/S": NameObject("/JavaScript")},
        {"/S": NameObject("/Launch")},
        {"/JS": NameObject("/x")},
        {"/Type": NameObject("/EmbeddedFile")},
        {"/EF": DictionaryObject()},
        {"/AA": DictionaryObject()},
    ],
)
def test_what_acts_from_within_a_page_is_refused(hidden: dict[str, Any]) -> None:
    writer = PdfWriter()
    page = writer.add_blank_page(100, 200)
    deep = DictionaryObject({NameObject(key): value for key, value in hidden.items()})
    properties = DictionaryObject({NameObject("/P0"): ArrayObject([writer._add_object(deep)])})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Properties"): properties})
    buffer = io.BytesIO()
    writer.write(buffer)
    assert refused("scan.pdf", buffer.getvalue()) == "scan_active"


def test_a_page_of_no_end_of_things_is_refused() -> None:
    writer = PdfWriter()
    page = writer.add_blank_page(100, 200)
    many = ArrayObject([DictionaryObject() for _ in range(60_000)])
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Properties"): many})
    buffer = io.BytesIO()
    writer.write(buffer)
    assert refused("scan.pdf", buffer.getvalue()) == "scan_unreadable"


def test_a_document_that_is_a_picture_too_is_what_it_begins_as() -> None:
    both = document() + picture("PNG")
    assert b"PNG" not in checked("scan.pdf", both).content
    assert refused("scan.png", both) == "scan_name_mismatch"
    page = picture("PNG") + document()
    assert b"%PDF" not in checked("scan.png", page).content


def test_a_page_of_many_pages_in_little_is_refused() -> None:
    """The same page over and over costs nothing to write; 100 thousand of them take long to read."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(document())))
    pages: Any = writer.root_object[NameObject("/Pages")].get_object()
    kid = pages[NameObject("/Kids")][0]
    pages[NameObject("/Kids")] = ArrayObject([kid] * 5000)
    buffer = io.BytesIO()
    writer.write(buffer)
    assert refused("scan.pdf", buffer.getvalue()) in {"scan_too_many_pages", "scan_unreadable"}


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("证件.png", "证件.png"),
        ("C:\\Users\\li\\证件.png", "证件.png"),
        ("../../etc/证件.png", "证件.png"),
        ("a" * 200 + ".png", "a" * 76 + ".png"),
        ("证\u202e件\n.png", "证件.png"),
    ],
)
def test_a_file_is_shown_by_the_last_part_of_its_name(filename: str, shown: str) -> None:
    assert checked(filename, picture("PNG")).filename == shown


def test_whoever_waits_too_long_for_others_files_hears_that_we_are_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scans, "LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(scans, "_places", threading.BoundedSemaphore(1))
    with scans._places:
        assert refused("scan.png", picture("PNG")) == "service_unavailable"
    assert checked("scan.png", picture("PNG")).content_type == "image/png"
