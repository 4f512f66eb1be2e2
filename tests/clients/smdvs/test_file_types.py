"""Files are what is in them; hostile ones are refused without harm."""

from __future__ import annotations

import struct
import time
import zipfile
import zlib

import pytest

from clients.smdvs import file_types
from clients.smdvs.attachment_kinds import CSV, JPEG, MAX_BYTES, PDF, PNG, XLSX, ZIP
from clients.smdvs.file_types import Unfit, type_of
from tests.clients.files import archive, pdf, picture, workbook

CHINESE = "时间,电量\n1,80\n"


def refusal(content: bytes, filename: str) -> str:
    with pytest.raises(Unfit) as caught:
        type_of(content, filename)
    return caught.value.code


def png_of(width: int, height: int) -> bytes:
    """A header that promises that many pixels, and next to none of them."""

    def part(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"\0")) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


@pytest.mark.parametrize(
    ("content", "filename", "content_type"),
    [
        (picture("PNG"), "现场.png", PNG),
        (picture("JPEG"), "现场.jpg", JPEG),
        (pdf(3), "报告.pdf", PDF),
        (archive(), "数据.zip", ZIP),
        (workbook(), "数据.xlsx", XLSX),
        (CHINESE.encode(), "数据.csv", CSV),
        (CHINESE.encode("gb18030"), "数据.CSV", CSV),
        (b"\xef\xbb\xbf" + CHINESE.encode(), "数据.csv", CSV),
    ],
)
def test_a_file_is_known_by_its_content(content: bytes, filename: str, content_type: str) -> None:
    assert type_of(content, filename) == content_type


@pytest.mark.parametrize("filename", ["a.pdf", "a.csv", "a.exe", "", "a.jpg"])
def test_its_name_does_not_make_a_picture_anything_else(filename: str) -> None:
    assert type_of(picture("JPEG"), filename) == JPEG


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (b"", "a.png", "attachment_empty"),
        (b"MZ\x90\0" + b"\0" * 100, "a.jpg", "attachment_type_unknown"),
        (b"<html><script>alert(1)</script>", "a.png", "attachment_type_unknown"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg", "attachment_type_unknown"),
        (b"GIF89a" + b"\0" * 40, "a.gif", "attachment_type_unknown"),
        (picture("JPEG")[:30], "a.jpg", "attachment_unreadable"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "a.png", "attachment_unreadable"),
        (png_of(60_000, 60_000), "a.png", "attachment_too_many_pixels"),
        (png_of(9_200, 9_200), "a.png", "attachment_too_many_pixels"),
        (b"%PDF-1.7\nnothing", "a.pdf", "attachment_unreadable"),
        (pdf(password="Demo#2026pass"), "a.pdf", "attachment_encrypted"),
        (pdf(script="app.alert(1)"), "a.pdf", "attachment_active"),
        (pdf(501), "a.pdf", "attachment_too_many_pages"),
        (b"%PDF-1.7\n" + b"1 0 obj\n" * 30_000, "a.pdf", "attachment_too_many_pages"),
        (b"PK\x03\x04" + b"x" * 100, "a.zip", "attachment_unreadable"),
        (b"PK\x05\x06" + b"\0" * 18, "a.zip", "attachment_empty"),
        (archive({"../../etc/cron.d/x": b"x"}), "a.zip", "attachment_archive_paths"),
        (archive({"..\\x": b"x"}), "a.zip", "attachment_archive_paths"),
        (archive({"/etc/x": b"x"}), "a.zip", "attachment_archive_paths"),
        (archive({"C:x": b"x"}), "a.zip", "attachment_archive_paths"),
        (archive({"zeros": b"\0" * 5_000_000}), "a.zip", "attachment_archive_too_large"),
        (archive({f"{number}": b"" for number in range(1001)}), "a.zip", "attachment_archive_too_large"),
        (archive({"xl/vbaProject.bin": b"x"}), "a.xlsx", "attachment_active"),
        (archive(), "a.xlsx", "attachment_unreadable"),
        (b"a,b\0c\n", "a.csv", "attachment_not_text"),
        (b"\x80\x80\xff\xff", "a.csv", "attachment_not_text"),
        (b"\x1b[31m,b\n", "a.csv", "attachment_not_text"),
        (CHINESE.encode("utf-16"), "a.csv", "attachment_not_text"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(content: bytes, filename: str, code: str) -> None:
    assert refusal(content, filename) == code


def test_a_picture_with_an_archive_behind_it_is_a_picture() -> None:
    assert type_of(picture("PNG") + archive(), "a.zip") == PNG


def test_an_encrypted_archive_is_refused() -> None:
    content = bytearray(archive())
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    assert refusal(bytes(content), "a.zip") == "attachment_encrypted"


def test_an_archive_whose_directory_lies_is_refused_or_kept_unopened() -> None:
    assert zipfile.is_zipfile(__file__) is False
    assert refusal(archive()[:-10], "a.zip") == "attachment_unreadable"


@pytest.mark.parametrize("start", [b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_twenty_megabytes_of_nothing_are_refused_soon(start: bytes) -> None:
    before = time.monotonic()
    refusal(start + b"<< /Type" * ((MAX_BYTES - 20) // 8), "a.csv")
    assert time.monotonic() - before < 10


def test_when_others_files_take_too_long_the_file_is_refused_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_types, "LONGEST_WAIT_SECONDS", 0.01)
    for _ in range(file_types.LOOKERS):
        file_types._lookers.acquire()
    try:
        assert refusal(picture(), "a.png") == "attachment_busy"
    finally:
        for _ in range(file_types.LOOKERS):
            file_types._lookers.release()
