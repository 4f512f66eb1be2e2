"""The pages of an authorization request: sign-in (account.py), acting enterprise, consent; and its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp import clock
from idp.domain import assurance
from idp.domain.clients import Client, origin_of
from idp.domain.interaction import (
    Acting,
    Agree,
    ChooseEnterprise,
    Consent,
    Fail,
    LogIn,
    Respond,
    Step,
    StepUp,
    TurnAway,
)
from idp.oauth import authorization, device
from idp.oauth.answers import Answer
from idp.oauth.authorization_request import AuthorizationRequest
from idp.services import clients, consents
from idp.services.authentication import LoginView
from idp.web import languages, session
from idp.web.errors import error_page
from idp.web.messages import shared_data
from idp.web.pages import pages
from idp.web.security import allow_client
from idp.web.session import platform

blueprint = pages("authorize", __name__, "/interaction")

DENIED = ("access_denied", "The person refused")


@dataclass(frozen=True, slots=True)
class PendingView:
    """What the pages say of the request that waits: who asks, and where its answer will go (None: to a device
    that is waiting for it).
    """

    request_id: str
    client_name: str
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    login_hint: str | None
    redirect_origin: str | None
    wants_stronger: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored request, its client, and the step that it waits for."""

    request_id: str
    request: AuthorizationRequest
    client: Client
    step: Step

    def view(self) -> PendingView:
        """As pages show it; the page may lead to the client, and show its logo."""
        view = _view(self.request_id, self.request, self.client)
        allow_client(view.redirect_origin, view.logo_uri)
        return view


def _find(request_id: str) -> tuple[AuthorizationRequest, Client] | None:
    """The stored request and its client; None when it is unknown, answered or too old.

    Its pages are shown in the language that the client wishes for.
    """
    waiting = authorization.find(platform(), request_id)
    client = clients.find_client(platform(), waiting.client_id) if waiting else None
    languages.prefer(waiting.language if waiting else None)
    return None if waiting is None or client is None else (waiting, client)


def pending(request_id: str) -> PendingView | None:
    """The stored request as pages show it; None when it is unknown, answered or too old."""
    found = _find(request_id)
    return None if found is None else _view(request_id, *found)


def allow_answer(request_id: str | None) -> None:
    """Let this page's form lead on to the client, if a request of one waits (form-action holds for
    redirects too).
    """
    view = pending(request_id) if request_id else None
    if view is not None:
        allow_client(view.redirect_origin, None)


def _view(request_id: str, waiting: AuthorizationRequest, client: Client) -> PendingView:
    return PendingView(
        request_id=request_id,
        client_name=client.client_name,
        client_uri=client.client_uri,
        logo_uri=client.logo_uri,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        login_hint=waiting.login_hint,
        redirect_origin=None if waiting.device_id else origin_of(waiting.redirect_uri),
        wants_stronger=assurance.is_strong(waiting.acr_values),
    )


def resume(request_id: str) -> ResponseReturnValue:
    """Go on with a stored request after a page; the next page, or its answer."""
    waiting = authorization.find(platform(), request_id)
    return error_page("request_expired", 400) if waiting is None else proceed(waiting, request_id)


def cancel(request_id: str) -> ResponseReturnValue:
    """Answer the client that the person refused."""
    found = _find(request_id)
    if found is None or not authorization.use_up(platform(), found[0], request_id):
        return error_page("request_expired", 400)
    waiting, client = found
    if waiting.device_id is not None:
        return device_answered(device.deny(platform(), waiting, clock.now()), "denied")
    return deliver(authorization.refuse(platform(), client, waiting, *DENIED))


def device_answered(told: bool, outcome: str) -> ResponseReturnValue:
    """The last page of a device's request: the person goes back to the device."""
    if not told:
        return error_page("device_gone", 400)
    return make_response(render_template("device/done.html", outcome=outcome))


def proceed(waiting: AuthorizationRequest, request_id: str | None = None) -> ResponseReturnValue:
    """Decide what is next for a request, new (``request_id`` None) or stored, and do it."""
    languages.prefer(waiting.language)
    client = clients.find_client(platform(), waiting.client_id)
    if client is None:
        return error_page("request_expired", 400)
    login = session.current_login()
    step = authorization.decide(platform(), waiting, client, login, clock.now())
    if isinstance(step, Respond | Fail):
        return _answer(waiting, request_id, client, login, step)
    return redirect(_page_of(waiting, step, request_id or authorization.store(platform(), waiting)), 303)


def _page_of(waiting: AuthorizationRequest, step: Step, request_id: str) -> str:
    if waiting.device_id is not None and isinstance(step, Consent):
        return url_for("device.device", request=request_id)
    pages_of_steps = {
        LogIn: "account.login",
        StepUp: "account.login",
        Agree: "agreements.index",
        ChooseEnterprise: "authorize.enterprise",
        Consent: "authorize.consent",
        TurnAway: "authorize.turned_away",
    }
    return url_for(pages_of_steps[type(step)], request=request_id)


def _answer(
    waiting: AuthorizationRequest,
    request_id: str | None,
    client: Client,
    login: LoginView | None,
    step: Respond | Fail,
) -> ResponseReturnValue:
    """The one answer of a request, which is used up first, so that two clicks get one code."""
    if not authorization.use_up(platform(), waiting, request_id):
        return error_page("request_expired", 400)
    if waiting.device_id is not None:
        return _answer_device(waiting, client, login, step)
    if isinstance(step, Fail) or login is None:
        error = step if isinstance(step, Fail) else Fail("login_required", "The person is not signed in")
        return deliver(authorization.refuse(platform(), client, waiting, error.error, error.description))
    now = clock.now()
    return deliver(authorization.respond(platform(), waiting, client, login, step.acting, now))


def _answer_device(
    waiting: AuthorizationRequest, client: Client, login: LoginView | None, step: Respond | Fail
) -> ResponseReturnValue:
    """Approved by the consent that came before, or refused for the person."""
    now = clock.now()
    if isinstance(step, Fail) or login is None:
        return device_answered(device.deny(platform(), waiting, now), "denied")
    return device_answered(device.approve(platform(), waiting, client, login, step.acting, now), "approved")


def deliver(answer: Answer) -> ResponseReturnValue:
    """Send the answer to the client as its response_mode says (RFC 6749 §4.1.2,
    Form Post Response Mode 2).
    """
    if answer.delivery == "query":
        return redirect(answer.location, 303)
    allow_client(origin_of(answer.redirect_uri), None)
    return make_response(render_template("authorize/form_post.html", answer=answer))


def waiting_for(step_type: type[Step]) -> Waiting | Response:
    """The request of this page, if this is the page it waits for; else where to go instead."""
    request_id = request.values.get("request", "")
    found = _find(request_id)
    if found is None:
        return error_page("request_expired", 400)
    if request.form.get("decision") == "deny":
        return make_response(cancel(request_id))  # a refusal holds, also when the page is needed no more
    waiting, client = found
    step = authorization.decide(platform(), waiting, client, session.current_login(), clock.now())
    if not isinstance(step, step_type):
        return make_response(proceed(waiting, request_id))
    return Waiting(request_id, waiting, client, step)


@blueprint.get("/resume")
def resumption() -> ResponseReturnValue:
    """Where a request from another site goes on, with the browser's cookies."""
    return resume(request.args.get("request", ""))


@blueprint.route("/enterprise", methods=["GET", "POST"])
def enterprise() -> ResponseReturnValue:
    """切换企业 within a request: which enterprise this grant acts for."""
    waiting = waiting_for(ChooseEnterprise)
    if isinstance(waiting, Response):
        return waiting
    if request.method == "GET":
        return _enterprise_page(waiting)
    return _choose(waiting, request.form.get("enterprise"))


def _choose(waiting: Waiting, chosen: str | None) -> ResponseReturnValue:
    if chosen is None or chosen not in _offered(waiting.step):
        return _enterprise_page(waiting, "enterprise_required", 422)
    answered = replace(waiting.request, enterprise=chosen)
    authorization.save(platform(), waiting.request_id, answered)
    return proceed(answered, waiting.request_id)


def _offered(step: Step) -> set[str]:
    """The values that the page has radio buttons for."""
    if not isinstance(step, ChooseEnterprise):
        return set()
    oneself = {""} if step.may_act_as_self else set()
    return oneself | {acting.enterprise_credit_code for acting in step.candidates}


def _enterprise_page(waiting: Waiting, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "authorize/enterprise.html", pending=waiting.view(), step=waiting.step, problem=problem
    )
    return make_response(page, status)


@blueprint.route("/consent", methods=["GET", "POST"])
def consent() -> ResponseReturnValue:
    """What the client will know, for which enterprise; allow or deny."""
    waiting = waiting_for(Consent)
    if isinstance(waiting, Response):
        return waiting
    if request.form.get("decision") == "allow":
        return allow(waiting)
    data = shared_data(consented_scopes(waiting))
    page = render_template(
        "authorize/consent.html", pending=waiting.view(), acting=acting_of(waiting.step), data=data
    )
    return make_response(page, 200 if request.method == "GET" else 422)


def allow(waiting: Waiting) -> ResponseReturnValue:
    """Remember the consent and go on."""
    login = session.current_login()
    if login is not None:
        acting = acting_of(waiting.step)
        enterprise_id = acting.enterprise_id if acting else None
        scopes = consented_scopes(waiting)
        consents.remember(
            login.account_id, waiting.request.client_id, enterprise_id, scopes, session.origin()
        )
    return proceed(replace(waiting.request, consented=True), waiting.request_id)


def acting_of(step: Step) -> Acting | None:
    """For whom a consent is asked."""
    return step.acting if isinstance(step, Consent) else None


def consented_scopes(waiting: Waiting) -> frozenset[str]:
    """What the person is asked to agree to."""
    return waiting.request.scopes | waiting.request.requested.scopes


@blueprint.route("/turned-away", methods=["GET", "POST"])
def turned_away() -> ResponseReturnValue:
    """The client serves enterprises only: how to become a handler, and the way back."""
    waiting = waiting_for(TurnAway)
    if isinstance(waiting, Response):
        return waiting
    if request.method == "POST":
        return cancel(waiting.request_id)
    return make_response(render_template("authorize/turned_away.html", pending=waiting.view()), 403)
