from __future__ import annotations

import io
import re

import pytest

from tests.web.visitor import LEGAL, LI, Visitor, picture, problems

MANUAL = {"manual": "1", "explanation": "登记信息还没有更新"}


@pytest.fixture
def newcomer(visitor: Visitor) -> Visitor:
    """Somebody who has only registered."""
    visitor.register("newcomer", "19900001005")
    return visitor


def test_a_match_authenticates_at_once(newcomer: Visitor) -> None:
    assert newcomer.verify(LI).status_code == 303
    page = newcomer.get("/account").text
    assert "已实名认证" in page
    assert LI["document_number"] not in page
    assert "9****************7" in page


def test_a_legal_person_is_sent_on_to_its_handlers(owner: Visitor) -> None:
    assert "/enterprise/handlers" in owner.get("/account/verification").text
    assert LEGAL["enterprise_credit_code"] in owner.get("/account").text


def test_the_form_is_chosen_without_script(newcomer: Visitor) -> None:
    natural = newcomer.get("/account/verification?subject_type=natural_person").text
    legal = newcomer.get("/account/verification?subject_type=legal_person").text
    for name in ("real_name", "document_type", "document_number", "valid_from", "valid_until", "permanent"):
        assert f'id="{name}"' in natural
        assert f'name="{name}"' in natural
    for name in LEGAL.keys() - {"subject_type"}:
        assert f'id="{name}"' in legal
        assert f'name="{name}"' in legal
    assert 'id="licence_scan"' in legal
    assert newcomer.get("/account/verification?subject_type=robot").text.count("立即认证") >= 2


def test_a_mismatch_says_so_and_offers_the_manual_way(newcomer: Visitor) -> None:
    page = newcomer.verify(LI | {"real_name": "李别人"})
    assert page.status_code == 422
    assert "填写的信息与登记信息不一致" in page.text
    assert "manual=1" in page.text
    assert 'value="manual"' in page.text
    assert 'value="李别人"' in page.text
    manual = newcomer.get("/account/verification?subject_type=natural_person&manual=1").text
    assert 'name="explanation"' in manual


def test_a_manual_submission_waits_for_a_reviewer(newcomer: Visitor) -> None:
    assert newcomer.verify(LI | {"real_name": "李别人"}, **MANUAL).status_code == 303
    assert "待审核" in newcomer.get("/account/verification").text
    assert newcomer.verify(LI).status_code == 200  # the page of its state, nothing submitted


def test_every_problem_is_shown_at_its_field(newcomer: Visitor) -> None:
    form = LI | {"document_number": "990101199001010018", "address": "", "valid_from": "yesterday"}
    page = newcomer.verify(form, document_scan=(io.BytesIO(b"GIF89a not a scan"), "scan.png"))
    assert len(problems(page)) == 4
    for name in ("document_number", "address", "valid_from", "document_scan"):
        assert re.search(rf'id="{name}-wrong"', page.text)


def test_a_file_is_what_its_name_says_or_refused(newcomer: Visitor) -> None:
    page = newcomer.verify(LI, document_scan=(picture("JPEG"), "scan.pdf"))
    assert problems(page) == ["文件内容与扩展名不一致，请选择原始的扫描文件"]


def test_after_a_mismatch_the_manual_way_keeps_what_was_typed_and_chosen(newcomer: Visitor) -> None:
    form = LI | {"real_name": "李别人"}
    newcomer.verify(form)
    page = newcomer.send(
        "/account/verification",
        form | {"action": "manual"},
        page="/account/verification?subject_type=natural_person",
    )
    assert page.status_code == 200
    assert problems(page) == []
    assert 'name="explanation"' in page.text
    assert 'name="manual" value="1"' in page.text
    assert 'value="李别人"' in page.text
    assert "both sides.png" in page.text
    assert newcomer.verify(form, document_scan="", **MANUAL).status_code == 303
