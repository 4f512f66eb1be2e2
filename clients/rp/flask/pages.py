"""What people and programs are shown when the kit says no. Override ``Pages`` to look like you."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, make_response, redirect
from markupsafe import escape

from clients.rp.challenges import challenges
from clients.rp.errors import Refusal
from clients.rp.sign_in import SignInFailed

RETRY_SECONDS = 5
UNAVAILABLE = "平台暂时无法核验授权，请稍后重试"
_PAGE = (
    "<!doctype html>\n"
    '<html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title}</title></head>"
    '<body><main><h1>{title}</h1><p>{text}</p><p><a href="{href}">{link}</a></p></main></body></html>\n'
)


class Pages:
    """Plain pages in Chinese. ``home`` and ``login`` are paths of the relying party."""

    def __init__(self, home: str, login: str) -> None:
        self.home = home
        self.login = login

    def failed(self, outcome: SignInFailed | None) -> Response:
        """The sign-in came to nothing; None when the answer isn't one to a sign-in of this browser."""
        if outcome is not None and outcome.error == "access_denied":
            return self.page("登录没有完成", "您取消了登录或没有同意授权，未登录本系统", 403)
        return self.page("登录没有完成", "登录没有完成，请重新登录", 400)

    def refused(self, refusal: Refusal, session: Any) -> Response:
        """The door stays shut. ``session`` is None when the refusal ended it."""
        return self.page("不能继续", refusal.text, refusal.status)

    def forged(self) -> Response:
        """A form that is not from one of our own pages, or from a page of long ago."""
        return self.page("没有提交", "页面已过期，请返回后重新打开再提交", 400, home=True)

    def unavailable(self) -> Response:
        """The provider can't be asked, so nothing may be shown or stored."""
        return self.page("暂时无法核验授权", UNAVAILABLE, 503, home=True)

    def page(self, title: str, text: str, status: int, *, home: bool = False) -> Response:
        """A page that says one thing and leads on."""
        href, link = (self.home, "返回首页") if home else (self.login, "重新登录")
        body = _PAGE.format(title=escape(title), text=escape(text), href=escape(href), link=link)
        response = make_response(body, status)
        response.headers["Cache-Control"] = "no-store"
        return response


def see_other(url: str) -> Response:
    """303, kept by nobody."""
    response = make_response(redirect(url, 303))
    response.headers["Cache-Control"] = "no-store"
    return response


def problem(refusal: Refusal, realm: str) -> Response:
    """What a program is told: RFC 9457 with the challenges of the refusal."""
    members = {
        "type": f"urn:gsp:problem:{refusal.reason}",
        "title": refusal.reason.replace("_", " ").capitalize(),
        "status": refusal.status,
        "code": refusal.error or "authentication_required",
        "reason": refusal.reason,
        "detail": refusal.text,
        "error_description": refusal.description,
    }
    response = _problem(members)
    for challenge in challenges(refusal, realm):
        response.headers.add("WWW-Authenticate", challenge)
    return response


def unavailable_problem() -> Response:
    """503: the provider can't be asked."""
    members = {
        "type": "urn:gsp:problem:provider_unavailable",
        "title": "Provider unavailable",
        "status": 503,
        "code": "provider_unavailable",
        "detail": UNAVAILABLE,
    }
    return with_retry(_problem(members))


def with_retry(response: Response) -> Response:
    """Say when it is worth asking again (RFC 9110 §10.2.3)."""
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _problem(members: dict[str, Any]) -> Response:
    text, status = json.dumps(members, ensure_ascii=False), members["status"]
    return Response(text, status, mimetype="application/problem+json", headers={"Cache-Control": "no-store"})
