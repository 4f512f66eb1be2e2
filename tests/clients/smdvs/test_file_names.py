"""Names of files: what their owner called them, without what could deceive."""

from __future__ import annotations

import pytest

from clients.smdvs.attachment_kinds import JPEG, PDF
from clients.smdvs.file_names import MAX_NAME, clean, suits


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("现场 照片.jpg", "现场 照片.jpg"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\x\\报告.pdf", "报告.pdf"),
        ("/a/b/c.png", "c.png"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u200b\u2066b\u2069.jpg", "ab.jpg"),
        ("\0.jpg", "jpg"),
        ("..", ""),
        ("", ""),
    ],
)
def test_a_name_keeps_what_can_be_seen_of_its_last_part(given: str, kept: str) -> None:
    assert clean(given) == kept


def test_a_long_name_keeps_its_ending() -> None:
    name = clean("长" * 300 + ".jpeg")
    assert len(name) == MAX_NAME
    assert name.endswith("长.jpeg")


def test_a_long_ending_is_none() -> None:
    assert len(clean("a." + "b" * 300)) <= MAX_NAME


@pytest.mark.parametrize(
    ("name", "content_type", "suited"),
    [
        ("a.JPG", JPEG, True),
        ("a.jpeg", JPEG, True),
        ("a.pdf", JPEG, False),
        ("pdf", PDF, False),
        ("", PDF, False),
    ],
)
def test_a_name_must_end_as_its_content_does(name: str, content_type: str, suited: bool) -> None:
    assert suits(name, content_type) is suited
