"""绑定手机号 when the old phone is lost: the new number first, then the application for a reviewer."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.agreements import CURRENT, IDENTITY, was_shown
from idp.services import phone_change_applications, phone_changes
from idp.services.scans import Scan
from idp.web import captchas, tickets
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.pages import keeps_typed_values, pages, takes_uploads
from idp.web.phone import checked_number, send_code_to_new
from idp.web.recovery_forms import LostPhoneForm, NewPhoneForm
from idp.web.session import origin, platform
from idp.web.tickets import Ticket

USE = "lost_phone"
FIELDS = ("identifier", "real_name", "document_number", "explanation")

blueprint = pages("lost_phone", __name__, "/change-phone/lost")


@blueprint.route("", methods=["GET", "POST"])
@keeps_typed_values
def new_number() -> ResponseReturnValue:
    """The new number, and the code to it."""
    form = NewPhoneForm()
    if request.method == "GET":
        return _number_page(form)
    if not form.is_ours():
        return _number_page(form, 400)
    match request.form.get("action"):
        case captchas.ANOTHER:
            return _number_page(form)
        case "send_code":
            return _send_code(form)
        case _:
            return _prove_number(form)


def _send_code(form: NewPhoneForm) -> ResponseReturnValue:
    sent = send_code_to_new(form)
    if asked_by_script():
        return code_answer(form)
    return _number_page(form, 200 if sent else 422, sent=sent)


def _prove_number(form: NewPhoneForm) -> ResponseReturnValue:
    number = checked_number(form)
    if number is None:
        return _number_page(form, 422)
    refusal = phone_changes.redeem(platform(), number, form.text("sms_code"))
    if refusal is not None:
        form.refuse(refusal)
        return _number_page(form, 422)
    tickets.issue(USE, {"phone": number})
    return redirect(url_for("lost_phone.application"), 303)


def _number_page(form: NewPhoneForm, status: int = 200, *, sent: bool = False) -> ResponseReturnValue:
    page = render_template("account/lost_phone.html", form=form, sent=sent, wait=resend_seconds())
    return make_response(page, status)


@blueprint.route("/application", methods=["GET", "POST"])
@takes_uploads
@keeps_typed_values
def application() -> ResponseReturnValue:
    """Who it is, the document, and what happened to the old phone."""
    form = LostPhoneForm()
    ticket = tickets.find(USE) if request.method == "GET" else tickets.presented(USE, form.text("ticket"))
    if ticket is None:
        return redirect(url_for("lost_phone.new_number"), 303)
    if request.method == "GET":
        return _application_page(form, ticket)
    if not form.is_ours():
        return _application_page(form, ticket, 400)
    return _apply(form, ticket)


def _apply(form: LostPhoneForm, ticket: Ticket) -> ResponseReturnValue:
    refusal = phone_change_applications.apply(
        platform(),
        {name: form.text(name) for name in FIELDS},
        _scan(),
        form.text("password"),
        ticket.values["phone"],
        origin(),
        consented=was_shown(request.form.get("identity_consent_shown", "")),
    )
    if refusal is not None:
        form.refuse(refusal)
        return _application_page(form, ticket, 422)
    tickets.take(USE)
    return make_response(render_template("account/lost_phone_applied.html"))


def _scan() -> Scan:
    file = request.files.get("document_scan")
    return Scan("document_scan", file.filename or "", file.read()) if file else Scan("document_scan", "", b"")


def _application_page(form: LostPhoneForm, ticket: Ticket, status: int = 200) -> ResponseReturnValue:
    form.ticket.data = ticket.name
    page = render_template(
        "account/lost_phone_application.html",
        form=form,
        phone=ticket.values["phone"],
        identity_version=CURRENT[IDENTITY],
    )
    return make_response(page, status)
