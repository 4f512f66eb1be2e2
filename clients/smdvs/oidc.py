"""Signing in and out: ``/smdvs/login``, ``/callback``, ``/logout``, ``/backchannel-logout``."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request

from clients.rp import clock, sign_in
from clients.rp.errors import ProviderUnavailable
from clients.rp.logout import InvalidLogoutToken, process_logout_token
from clients.rp.sign_in import Pending, SignedIn, SignInFailed
from clients.smdvs import cookies, forms, messages, pages, sessions
from clients.smdvs.cookies import system

blueprint = Blueprint("oidc", __name__, url_prefix="/smdvs")

SCOPE = "openid profile phone enterprise handler roles accident_report:submit accident_report:read"
REPORT_NO = re.compile(r"SMDVS-[0-9]{8}-[0-9]{4,8}")


@blueprint.get("/login")
def login() -> Response:
    """Send the browser to the provider. ``then`` names one of our pages, never an address."""
    pending = sign_in.begin(clock.now(), _then(request.args.get("then", "")))
    url = sign_in.authorization_url(system().provider, system().client, pending, SCOPE)
    response = _see_other(url)
    cookies.put_pending(response, pending)
    return response


@blueprint.get("/callback")
def callback() -> Response:
    """Finish the sign-in that this browser began (RFC 6749 §4.1.2)."""
    answer = _single_parameters()
    pending = cookies.find_pending(answer.get("state", "")) if answer is not None else None
    if answer is None or pending is None:
        return pages.message("登录没有完成", messages.SIGN_IN_FAULT, 400)
    outcome = sign_in.finish(system().provider, system().client, pending, answer, clock.now())
    response = _failed(outcome) if isinstance(outcome, SignInFailed) else _signed_in(outcome, pending)
    cookies.drop_pending(response, pending.state)
    return response


@blueprint.post("/logout")
def logout() -> Response:
    """Sign out here, then at the provider (RP-Initiated Logout 1.0 §2)."""
    fields = forms.parse(request.content_type, request.get_data())
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return pages.message("没有退出", "页面已过期，请返回首页后重新退出。", 400)
    row = sessions.find(system(), request.cookies.get(cookies.SESSION), clock.now())
    response = _see_other(pages.HOME)
    if row is not None:
        sessions.end(system(), row)
        system().liveness.drop_all()
        response = _see_other(_provider_sign_out(sessions.id_token(system(), row)) or pages.HOME)
    cookies.drop(response, cookies.SESSION)
    return response


@blueprint.post("/backchannel-logout")
def backchannel_logout() -> Response:
    """End sessions at the provider's word (Back-Channel Logout 1.0 §2.5–2.8)."""
    fault = _backchannel_fault()
    response = make_response({"error": "invalid_request", "error_description": fault} if fault else "")
    response.status_code = 400 if fault else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _backchannel_fault() -> str | None:
    try:
        fields = forms.parse(request.content_type, request.get_data())
        token, now = fields.get("logout_token", ""), clock.now()
        event = process_logout_token(system().provider, system().client.client_id, token, now)
    except forms.BadFormError as error:
        return f"the body is not a proper form: {error.code}"
    except ProviderUnavailable:
        return "the provider's keys can not be had now"
    if isinstance(event, InvalidLogoutToken):
        return event.description
    return None if sessions.end_by_event(system(), event, now) else "jti has been used before"


def _signed_in(outcome: SignedIn, pending: Pending) -> Response:
    old = sessions.find(system(), request.cookies.get(cookies.SESSION), clock.now())
    if old is not None:
        sessions.end(system(), old)
    cookie = sessions.start(system(), outcome, _profile(outcome), clock.now())
    response = _see_other(pages.HOME + pending.then)
    cookies.put(response, cookies.SESSION, cookie)
    return response


def _profile(outcome: SignedIn) -> Mapping[str, Any]:
    """Name and phone fill in forms; without them one can still report."""
    try:
        return sign_in.userinfo(
            system().provider, system().client, outcome.tokens.access_token, outcome.claims["sub"]
        )
    except ProviderUnavailable:
        return {}


def _failed(outcome: SignInFailed) -> Response:
    text = messages.SIGN_IN_FAULTS.get(outcome.error or "", messages.SIGN_IN_FAULT)
    return pages.message("登录没有完成", text, 403 if outcome.error == "access_denied" else 400)


def _provider_sign_out(id_token: str) -> str | None:
    try:
        return sign_in.end_session_url(
            system().provider, system().client, id_token, secrets.token_urlsafe(16)
        )
    except ProviderUnavailable:
        return None


def _then(wanted: str) -> str:
    """The path below /smdvs/ to go on with after sign-in."""
    if wanted == "new":
        return "reports/new"
    if wanted == "statistics":
        return wanted
    return f"reports/{wanted}" if REPORT_NO.fullmatch(wanted) else "reports"


def _single_parameters() -> dict[str, str] | None:
    """The query's parameters; None when one is there twice (RFC 6749 §3.1)."""
    lists = request.args.to_dict(flat=False)
    if any(len(values) != 1 for values in lists.values()):
        return None
    return {name: values[0] for name, values in lists.items()}


def _see_other(url: str) -> Response:
    response = make_response(redirect(url, 303))
    response.headers["Cache-Control"] = "no-store"
    return response
