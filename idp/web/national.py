"""国家政务服务平台账号登录: the way to another platform, and back with its word of who this is."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from flask import abort, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp import clock, crypto
from idp.domain import accounts
from idp.domain.errors import Refusal
from idp.domain.throttling import UPSTREAM_OF_ADDRESS
from idp.domain.upstream import SIGN_IN_TTL
from idp.oauth import authorization
from idp.oauth.upstream import sign_in
from idp.oauth.upstream.sign_in import Wish
from idp.services import clients, throttling, upstream
from idp.services.upstream import Recognised
from idp.web import authorize, revival, session, tickets, waiting
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.errors import error_page
from idp.web.forms import UpstreamCodeForm
from idp.web.languages import translated
from idp.web.messages.upstream import UPSTREAM_PAGES
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform
from idp.web.tickets import Ticket

blueprint = pages("national", __name__, "/login/national")

TICKET: Final = "national_code"
STATUSES: Final = {"upstream_unavailable": 503, "upstream_expired": 400}
REAUTHENTICATION: Final = frozenset({"login", "select_account"})


@blueprint.app_context_processor
def _named() -> dict[str, str | None]:
    """Templates show the link where there is somewhere to go."""
    settings = platform().settings
    return {"upstream_name": translated(settings.upstream_name) if settings.upstream else None}


@blueprint.before_request
def _refuse_where_there_is_none() -> None:
    if not platform().settings.upstream:
        abort(404)


# --- there --------------------------------------------------------------------------------------------------


@blueprint.post("")
def depart() -> ResponseReturnValue:
    """Leave for the other platform, for a client's request (``request``) or for the platform itself.

    The page in between is no redirect: one that a form leads to would have to be named in the policy of the
    page with the form.
    """
    request_id = request.form.get("request") or None
    wish = _wish(request_id)
    if wish is None:
        return error_page("request_expired", 400)
    browser = _browser() or crypto.random_token()
    address = throttling.admit(platform(), UPSTREAM_OF_ADDRESS, origin().address) or sign_in.begin(
        platform(), wish, browser, clock.now()
    )
    if isinstance(address, Refusal):
        upstream.record_refusal(address, origin())
        return _refused(address, request_id)
    response = _onward("departing", address)
    response.set_cookie(
        _cookie_name(),
        browser,
        max_age=int(SIGN_IN_TTL.total_seconds()),
        path="/",
        secure=session.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def _wish(request_id: str | None) -> Wish | None:
    """What the client's request asks of the sign-in; None when that request is no more."""
    another = bool(request.form.get("another"))
    if request_id is None:
        return Wish(again=another)
    asked = authorization.find(platform(), request_id)
    client = clients.find_client(platform(), asked.client_id) if asked else None
    if asked is None or client is None:
        return None
    max_age = client.default_max_age if asked.max_age is None else asked.max_age
    again = another or bool(asked.prompts & REAUTHENTICATION)
    return Wish(request_id, asked.acr_values, max_age, again)


def _cookie_name() -> str:
    return "__Host-national" if session.is_secure() else "national"


def _browser() -> str | None:
    """The secret by which a way there belongs to this browser."""
    value = request.cookies.get(_cookie_name(), "")
    return value if session.TOKEN.fullmatch(value) else None


def _onward(code: str, address: str) -> Response:
    page = make_response(render_template("national/onward.html", code=code, location=address))
    page.headers["Refresh"] = f"0; url={address}"
    return page


# --- and back -----------------------------------------------------------------------------------------------


@blueprint.get("/callback")
def callback() -> ResponseReturnValue:
    """The browser is back, once: a login, a second factor, or a page that says why not."""
    browser = _browser()
    state = request.args.get("state", "")
    attempt = sign_in.take_attempt(platform(), state, browser) if browser and state else None
    if browser is None or attempt is None:
        expired = Refusal.of("upstream_expired")
        upstream.record_refusal(expired, origin())
        return _refused(expired, None)
    assertion = sign_in.finish(platform(), attempt, request.args.to_dict(), clock.now())
    if isinstance(assertion, Refusal):
        upstream.record_refusal(assertion, origin())
        return _refused(assertion, attempt.request_id)
    recognised = upstream.recognise(platform(), assertion, origin())
    if isinstance(recognised, Refusal):
        return _refused(recognised, attempt.request_id)
    if recognised.level is None:
        return _ask_for_code(recognised, attempt.request_id)
    return _sign_in(recognised, attempt.request_id)


def _sign_in(recognised: Recognised, request_id: str | None) -> ResponseReturnValue:
    authenticated = upstream.complete(platform(), recognised, origin())
    if isinstance(authenticated, Refusal):
        return revival.offered(authenticated, request_id) or _refused(authenticated, request_id)
    session.sign_in(authenticated)
    if request_id is None:
        return redirect(url_for("user_centre.account"), 303)
    # As on the way there: what brought the browser here may be a form of the other platform, whose policy
    # knows us and not our clients.
    return _onward("arrived", url_for("authorize.resumption", request=request_id))


def _refused(refusal: Refusal, request_id: str | None) -> Response:
    """A calm page with the ways that are left."""
    waiting.note(refusal)
    code, detail = refusal.code, refusal.problems[0].detail
    title, text = UPSTREAM_PAGES[f"{code}:{detail['kind']}" if "kind" in detail else code]
    name = translated(platform().settings.upstream_name)
    page = render_template(
        "national/refused.html",
        code=code,
        title=translated(title).format(upstream=name),
        text=translated(text).format(upstream=name),
        request_id=request_id if request_id and authorization.find(platform(), request_id) else None,
    )
    return make_response(page, STATUSES.get(code, 403))


# --- the second factor --------------------------------------------------------------------------------------


def _ask_for_code(recognised: Recognised, request_id: str | None) -> ResponseReturnValue:
    values = {"recognised": json.dumps(asdict(recognised)), "request": request_id or ""}
    tickets.issue(TICKET, values)
    return redirect(url_for("national.code"), 303)


def _recognised(ticket: Ticket) -> Recognised:
    document: dict[str, Any] = json.loads(ticket.values["recognised"])
    return Recognised(**document | {"amr": tuple(document["amr"])})


@blueprint.route("/code", methods=["GET", "POST"])
@keeps_typed_values
def code() -> ResponseReturnValue:
    """A code to the bound phone, where one factor was all that the other platform asked for."""
    form = UpstreamCodeForm()
    shown = request.method == "GET"
    ticket = tickets.find(TICKET) if shown else tickets.presented(TICKET, form.text("ticket"))
    if ticket is None:
        return _refused(Refusal.of("upstream_expired"), None)
    if shown:
        return _code_page(form, ticket)
    if not form.is_ours():
        return _code_page(form, ticket, 400)
    return _send_code(form, ticket) if request.form.get("action") == "send_code" else _confirm(form, ticket)


def _send_code(form: UpstreamCodeForm, ticket: Ticket) -> ResponseReturnValue:
    refusal = upstream.send_code(platform(), _recognised(ticket), origin())
    if refusal:
        form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    return _code_page(form, ticket, 422 if refusal else 200, sent=refusal is None)


def _confirm(form: UpstreamCodeForm, ticket: Ticket) -> ResponseReturnValue:
    if not form.require("sms_code"):
        return _code_page(form, ticket, 422)
    confirmed = upstream.confirm(platform(), _recognised(ticket), form.text("sms_code"), origin())
    if isinstance(confirmed, Refusal):
        form.refuse(confirmed)
        form.sms_code.data = ""
        return _code_page(form, ticket, 422)
    tickets.take(TICKET)
    return _sign_in(confirmed, ticket.values["request"] or None)


def _code_page(form: UpstreamCodeForm, ticket: Ticket, status: int = 200, *, sent: bool = False) -> Response:
    request_id = ticket.values["request"]
    pending = authorize.pending(request_id) if request_id else None
    form.ticket.data = ticket.name
    phone = upstream.bound_phone(platform(), _recognised(ticket).account_id)
    page = render_template(
        "national/code.html",
        form=form,
        phone=accounts.mask_phone(phone),
        pending=pending,
        sent=sent,
        wait=resend_seconds(),
    )
    return make_response(page, status)


@blueprint.get("/jwks.json")
def jwks() -> ResponseReturnValue:
    """Our keys as the other platform's client: what it verifies our assertions by, and encrypts to."""
    response = jsonify(platform().keyring.client_jwks(clock.now()))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
