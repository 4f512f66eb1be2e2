from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp import clock
from idp.domain.audit import internal_origin
from idp.services import clients
from idp.storage.accounts import Account
from idp.storage.database import transaction
from tests.web.visitor import PASSWORD, Visitor, hidden, problems

PAGE = "/account/password-expired"
NEW = "Fresh#2026pass"
CHOICE = {"action": "change_password", "password": NEW, "confirm_password": NEW}


@pytest.fixture
def due(person: Visitor) -> Visitor:
    """Somebody whose password is worn out, at the page for a new one."""
    with person.app.app_context(), transaction() as session:
        worn_out = clock.now() - timedelta(days=90)
        session.execute(update(Account).values(password_changed_at=worn_out))
    visitor = Visitor(person.app)
    assert visitor.sign_in("li_shili", "19900001002").location == PAGE
    return visitor


def choose(visitor: Visitor, **fields: str) -> TestResponse:
    ticket = hidden(visitor.get(PAGE), "ticket")
    return visitor.send(PAGE, CHOICE | {"ticket": ticket} | fields)


def test_nothing_is_open_before_a_new_password_is_chosen(due: Visitor) -> None:
    assert due.get("/account").location == "/login"
    assert due.get("/login").status_code == 200
    answer = choose(due)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert "密码已修改" in due.get("/account").text
    assert due.get(PAGE).location == "/login"


def test_the_new_password_is_the_one_that_works(due: Visitor) -> None:
    choose(due)
    visitor = Visitor(due.app)
    assert visitor.sign_in("li_shili", "19900001002").status_code == 422
    visitor.send("/login", {"action": "send_code", "identifier": "li_shili"})
    form = {
        "action": "login",
        "identifier": "li_shili",
        "password": NEW,
        "sms_code": visitor.code("19900001002"),
    }
    assert visitor.send("/login", form).location == "/account"


def test_the_old_password_is_no_new_one_and_the_page_says_what_is_wrong(due: Visitor) -> None:
    page = choose(due, password=PASSWORD, confirm_password=PASSWORD)
    assert (page.status_code, problems(page)) == (422, ["不能使用最近用过的密码，请换一个"])
    page = choose(due, password="short", confirm_password="other")
    assert problems(page) == ["密码应为 9–16 位", "两次输入的密码不一致，请重新输入"]
    assert choose(due).location == "/account"


def test_another_browser_can_do_nothing_with_the_page(due: Visitor) -> None:
    ticket = hidden(due.get(PAGE), "ticket")
    stranger = Visitor(due.app)
    assert stranger.get(PAGE).location == "/login"
    assert stranger.send(PAGE, CHOICE | {"ticket": ticket}, page="/login").location == "/login"
    assert choose(due).location == "/account"


def test_a_page_made_for_another_ticket_changes_nothing(due: Visitor) -> None:
    assert choose(due, ticket="0" * 64).location == "/login"
    assert due.get("/account").location == "/login"


def test_one_may_leave_without_a_new_password(due: Visitor) -> None:
    ticket = hidden(due.get(PAGE), "ticket")
    assert due.send(PAGE, {"action": "cancel", "ticket": ticket}).location == "/"
    assert due.get(PAGE).location == "/login"


def test_a_forged_form_is_shown_again(due: Visitor) -> None:
    ticket = hidden(due.get(PAGE), "ticket")
    page = due.send(PAGE, CHOICE | {"ticket": ticket, "csrf_token": ""})
    assert (page.status_code, problems(page)) == (400, ["页面已过期，请重试"])


def test_the_ticket_can_be_tried_so_often(due: Visitor) -> None:
    ticket = hidden(due.get(PAGE), "ticket")
    for _ in range(20):
        due.send(PAGE, CHOICE | {"ticket": ticket, "password": "short"})
    assert due.send(PAGE, CHOICE | {"ticket": ticket}).location == "/login"


def begin(visitor: Visitor) -> str:
    """The sign-in page of a client's authorization request."""
    metadata = {
        "client_id": "example",
        "client_name": "示例业务系统",
        "redirect_uris": ["https://rp.example.test/callback"],
        "scope": "openid",
    }
    with visitor.app.app_context():
        clients.register(visitor.app.extensions["idp"], metadata, internal_origin("test"))
    query = {"response_type": "code", "client_id": "example", "redirect_uri": metadata["redirect_uris"][0]}
    query |= {"scope": "openid", "state": "state-1", "code_challenge_method": "S256"}
    query |= {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}
    return visitor.http.get("/oauth/authorize", query_string=query).location


def sign_in_at(visitor: Visitor, page: str) -> None:
    form = {"request": hidden(visitor.get(page), "request"), "identifier": "li_shili", "password": PASSWORD}
    visitor.send("/login", form | {"action": "send_code"}, page=page)
    form |= {"action": "login", "sms_code": visitor.code("19900001002")}
    assert visitor.send("/login", form, page=page).location == PAGE


def test_an_authorization_request_goes_on_after_it(due: Visitor) -> None:
    visitor = Visitor(due.app)
    sign_in_at(visitor, begin(visitor))
    page = visitor.get(PAGE)
    assert "示例业务系统" in page.text
    assert "form-action 'self' https://rp.example.test;" in page.headers["Content-Security-Policy"]
    assert choose(visitor).location.startswith("/interaction/consent?request=")


def test_leaving_answers_the_client(due: Visitor) -> None:
    visitor = Visitor(due.app)
    sign_in_at(visitor, begin(visitor))
    ticket = hidden(visitor.get(PAGE), "ticket")
    answer = visitor.send(PAGE, {"action": "cancel", "ticket": ticket})
    assert answer.location.startswith("https://rp.example.test/callback?error=access_denied")
