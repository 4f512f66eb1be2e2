from __future__ import annotations

import io
import re
import zlib
from struct import pack
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from pypdf import PdfWriter
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from idp.domain.audit import AuditEvent
from idp.services import audit
from idp.storage.accounts import Account
from idp.storage.database import engines, reading
from idp.storage.enterprises import RealNameApplication, Upload
from idp.storage.scans import HeldScan
from tests.services.submissions import count
from tests.web.conftest import MakeApp
from tests.web.visitor import LEGAL, LI, Visitor, picture, problems

MANUAL = {"manual": "1", "explanation": "登记信息还没有更新"}


@pytest.fixture
def newcomer(visitor: Visitor) -> Visitor:
    """Somebody who has only registered."""
    visitor.register("newcomer", "19900001005")
    return visitor


def views(app: Flask) -> list[Any]:
    with app.app_context():
        return audit.list_entries(app.extensions["idp"], AuditEvent.UPLOAD_VIEW)


def number_of(app: Flask, row: type[Any]) -> int:
    with app.app_context():
        return count(row)


def link(page: TestResponse, kind: str) -> str:
    found = re.search(rf'href="(/account/verification/{kind}/[\w-]+)"', page.text)
    assert found is not None, page.text
    return found.group(1)


def is_harmless(answer: TestResponse) -> bool:
    headers = answer.headers
    return (
        headers["Content-Security-Policy"].endswith("sandbox")
        and headers["X-Content-Type-Options"] == "nosniff"
        and headers["Cache-Control"] == "no-store"
        and headers["Cross-Origin-Resource-Policy"] == "same-origin"
        and re.fullmatch(r'(inline|attachment); filename="[\w-]+\.\w+"', headers["Content-Disposition"])
        is not None
    )


# --- a file is picked once ---


def test_a_file_is_picked_once_though_the_form_comes_twice(newcomer: Visitor) -> None:
    page = newcomer.verify(LI | {"address": ""}, document_scan=(picture(), "李的证件.png"))
    assert page.status_code == 422
    assert "李的证件.png" in page.text
    assert "1 KB" in page.text
    box = re.search(r'<input[^>]*id="document_scan"[^>]*>', page.text, re.DOTALL)
    assert box is not None
    assert "required" not in box.group()
    shown = newcomer.get(link(page, "held"))
    assert shown.mimetype == "image/png"
    assert is_harmless(shown)
    assert newcomer.verify(LI, document_scan="").status_code == 303
    assert newcomer.get(link(page, "held")).status_code == 404
    assert number_of(newcomer.app, HeldScan) == 0


def test_a_form_opened_anew_still_shows_it(newcomer: Visitor) -> None:
    newcomer.verify(LI | {"address": ""})
    page = newcomer.get("/account/verification?subject_type=natural_person")
    assert "both sides.png" in page.text


def test_a_held_file_is_shown_to_nobody_else(newcomer: Visitor, administrator: Visitor) -> None:
    path = link(newcomer.verify(LI | {"address": ""}), "held")
    assert administrator.get(path).status_code == 404
    assert Visitor(newcomer.app).get(path).location == "/login"
    assert views(newcomer.app) == []
    newcomer.get(path)
    assert len(views(newcomer.app)) == 1


def test_a_wrong_captcha_costs_no_file(make_app: MakeApp) -> None:
    easy = Visitor(make_app(throttle=False, captcha="off"))
    easy.register("newcomer", "19900001005")
    strict = Visitor(make_app(throttle=False))
    cookie = easy.http.get_cookie("login")
    assert cookie is not None
    strict.http.set_cookie("login", cookie.value)
    page = strict.verify(LI, captcha="????", captcha_handle="x")
    assert problems(page) == ["图片验证码不正确或已失效，请按新图片重新输入"]
    assert "both sides.png" in page.text
    page = strict.verify(LI, document_scan=(picture("JPEG"), "other.jpg"), action="new_captcha")
    assert page.status_code == 200
    assert "other.jpg" in page.text


def test_a_file_name_is_a_text_and_nothing_else(newcomer: Visitor) -> None:
    page = newcomer.verify(LI | {"address": ""}, document_scan=(picture(), "<script>x</script>.png"))
    assert "<script>x" not in page.text
    assert "script&gt;.png" in page.text


# --- who sees a scan ---


def test_a_scan_is_seen_by_its_owner_and_a_reviewer_and_each_view_is_in_the_trail(
    newcomer: Visitor, administrator: Visitor, owner: Visitor
) -> None:
    assert newcomer.verify(LI | {"real_name": "李别人"}, **MANUAL).status_code == 303
    page = newcomer.get("/account/verification")
    assert "我提交的扫描件" in page.text
    path = link(page, "uploads")
    shown = newcomer.get(path)
    assert shown.mimetype == "image/png"
    assert is_harmless(shown)
    review = re.search(r"/admin/reviews/[\w-]{22}", administrator.get("/admin/reviews").text)
    assert review is not None
    scan = re.search(r"/admin/reviews/scans/[\w-]+", administrator.get(review.group()).text)
    assert scan is not None
    assert is_harmless(administrator.get(scan.group()))
    assert len(views(newcomer.app)) == 2
    for stranger in (owner, administrator):
        assert stranger.get(path).status_code == 404
    assert owner.get(scan.group()).status_code == 403
    assert Visitor(newcomer.app).get(path).location == "/login"
    assert len(views(newcomer.app)) == 2


def test_a_document_is_saved_and_not_opened_in_the_page(newcomer: Visitor) -> None:
    page = newcomer.verify(LI | {"address": ""}, document_scan=(io.BytesIO(document()), "scan.pdf"))
    answer = newcomer.get(link(page, "held"))
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert is_harmless(answer)


def test_scans_of_strangers_names_are_not_found(person: Visitor) -> None:
    for name in ("x", "%00", "..%2f..%2fetc%2fpasswd", "a" * 5000):
        assert person.get(f"/account/verification/uploads/{name}").status_code in {400, 404}
        assert person.get(f"/account/verification/held/{name}").status_code in {400, 404}


# --- hostile files ---


def document(pages: int = 1, password: str | None = None) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def bomb() -> bytes:
    """A picture of 400 million pixels in a few hundred kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" * 20_001 * 1000, 9)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PNG = picture().getvalue()
HOSTILE = {
    "nothing": (b"", "scan.png", "请选择证件扫描件"),
    "page": (b"<html><script>alert(1)</script>", "scan.png", "只支持 pdf、jpg、jpeg、png 文件，请重新选择"),
    "drawing": (b"<svg onload='x()'/>", "scan.svg", "只支持 pdf、jpg、jpeg、png 文件，请重新选择"),
    "program": (b"MZ\x90\0" + PNG, "scan.png", "只支持 pdf、jpg、jpeg、png 文件，请重新选择"),
    "suffix": (PNG, "scan.pdf", "文件内容与扩展名不一致，请选择原始的扫描文件"),
    "polyglot": (document() + PNG, "scan.png", "文件内容与扩展名不一致，请选择原始的扫描文件"),
    "cut": (PNG[:70], "scan.png", "无法读取该文件，请重新扫描或换一种格式"),
    "cut document": (document()[:200], "scan.pdf", "无法读取该文件，请重新扫描或换一种格式"),
    "bomb": (bomb(), "scan.png", "图片尺寸过大，请降低分辨率后重新选择"),
    "six megabytes": (PNG.ljust(6 * 1024**2, b"\0"), "scan.png", "文件超过 5 MB，请压缩后重新选择"),
    "eleven pages": (document(11), "scan.pdf", "PDF 超过 10 页，请只保留证件页"),
    "locked": (document(password="secret"), "scan.pdf", "PDF 设有密码，请去除密码后重新选择"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_an_error_at_its_field(newcomer: Visitor, kind: str) -> None:
    content, name, said = HOSTILE[kind]
    page = newcomer.verify(LI, document_scan=(io.BytesIO(content), name))
    assert page.status_code == 422
    assert re.search(r'id="document_scan-wrong">([^<]+)<', page.text).group(1) == said  # type: ignore[union-attr]
    assert number_of(newcomer.app, HeldScan) == number_of(newcomer.app, Upload) == 0


def test_a_request_of_more_than_two_files_worth_is_cut_off(newcomer: Visitor) -> None:
    page = newcomer.verify(LI, document_scan=(io.BytesIO(b"\0" * 13 * 1024**2), "scan.png"))
    assert page.status_code == 413


def test_a_file_in_a_field_of_no_scan_is_nothing(newcomer: Visitor) -> None:
    page = newcomer.verify(LI, licence_scan=(picture(), "licence.png"))
    assert page.status_code == 303
    assert number_of(newcomer.app, Upload) == 1


# --- nothing half done ---


def test_with_a_full_disk_nothing_is_half_done(newcomer: Visitor) -> None:
    """SQLite itself says that the disk is full: no page beyond the present ones may be added."""
    with newcomer.app.app_context():
        engine = engines(newcomer.app).writes

    def fill(connection: Any, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}").close()

    noise = io.BytesIO()

    Image.effect_noise((400, 400), 90).save(noise, "PNG")
    event.listen(engine, "checkout", fill)
    try:
        page = newcomer.verify(LI, document_scan=(io.BytesIO(noise.getvalue()), "scan.png"))
    finally:
        event.remove(engine, "checkout", fill)
        engine.dispose()
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert "您的数据没有改动" in page.text
    for row in (Upload, HeldScan, RealNameApplication):
        assert number_of(newcomer.app, row) == 0
    with newcomer.app.app_context(), reading() as session:
        assert session.scalars(select(Account.verification_status)).one() == "unverified"
    assert newcomer.verify(LI).status_code == 303


def test_both_kinds_of_scans_of_a_legal_person_are_kept_apart(newcomer: Visitor) -> None:
    page = newcomer.verify(LEGAL | {"address": ""})
    assert "both sides.png" in page.text
    assert "licence.jpg" in page.text
    assert newcomer.verify(LEGAL, document_scan="", licence_scan="").status_code == 303
    assert number_of(newcomer.app, Upload) == 2
