"""实名认证 and 人工实名认证."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.agreements import CURRENT, IDENTITY, was_shown
from idp.domain.errors import Refusal
from idp.services import agreements, held_scans, real_name, reviews
from idp.services.applications import Submission
from idp.services.authentication import LoginView
from idp.services.scans import Scan
from idp.web import captchas, session
from idp.web.forms import LegalPersonForm, NaturalPersonForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages, takes_uploads
from idp.web.scan_files import scan_response
from idp.web.session import origin, platform, require_login

FORMS = {"natural_person": NaturalPersonForm, "legal_person": LegalPersonForm}
SCANS = {"natural_person": ("document_scan",), "legal_person": ("document_scan", "licence_scan")}
NOT_FIELDS = frozenset({"csrf_token", "captcha", "captcha_handle", "document_scan", "licence_scan"})
BY_HAND = "manual"  # the ``action`` that makes a form that was refused one for a reviewer

blueprint = pages("verification", __name__, "/account/verification")

VerificationForm = NaturalPersonForm | LegalPersonForm


@blueprint.route("", methods=["GET", "POST"])
@takes_uploads
@keeps_typed_values
def verification() -> ResponseReturnValue:
    """The offer, the form of one kind of person, or where the last submission stands."""
    login = require_login()
    subject_type = request.form.get("subject_type") or request.args.get("subject_type") or ""
    if login.verification_status in {"verified", "pending"} or subject_type not in FORMS:
        return _state_page(login)
    form: VerificationForm = FORMS[subject_type]()
    if request.method == "GET":
        return _form_page(form, subject_type, login)
    if not form.is_ours():
        return _form_page(form, subject_type, login, 400)
    return _act(form, subject_type, login)


@blueprint.get("/uploads/<upload_id>")
def upload(upload_id: str) -> ResponseReturnValue:
    """A scan of one's own submission, while it is kept."""
    found = reviews.get_own_upload(platform(), upload_id, require_login().account_id, origin())
    if isinstance(found, Refusal):
        abort(404)
    return scan_response(found.content, found.content_type, found.id)


@blueprint.get("/held/<held_id>")
def held(held_id: str) -> ResponseReturnValue:
    """A scan that waits for its form to be sent again."""
    found = held_scans.get_held(platform(), held_id, require_login().account_id, origin())
    if isinstance(found, Refusal):
        abort(404)
    return scan_response(found.content, found.content_type, held_id)


def _act(form: VerificationForm, subject_type: str, login: LoginView) -> ResponseReturnValue:
    submission = Submission(
        subject_type=subject_type, fields=_fields(form), scans=_scans(subject_type), manual=_is_manual()
    )
    later = request.form.get("action") in {captchas.ANOTHER, BY_HAND}
    if later or (isinstance(form, NaturalPersonForm) and not captchas.is_passed(form)):
        _hold_files(form, submission, login)
        return _form_page(form, subject_type, login, 422 if form.problem_texts else 200)
    if was_shown(request.form.get("identity_consent_shown", "")):
        agreements.consent_to_identity(login.account_id, origin())
    return _submit(form, submission, login)


def _hold_files(form: VerificationForm, submission: Submission, login: LoginView) -> None:
    """Whatever else is to be done first: the files needn't be picked again."""
    refusal = real_name.hold(platform(), login.account_id, submission, origin())
    if refusal:
        form.refuse(refusal)


def _submit(form: VerificationForm, submission: Submission, login: LoginView) -> ResponseReturnValue:
    outcome = real_name.submit(platform(), login.account_id, submission, origin())
    if isinstance(outcome, Refusal):
        form.refuse(outcome)
        mismatch = outcome.code == "registry_mismatch"
        return _form_page(form, submission.subject_type, login, 422, mismatch=mismatch)
    if outcome.status == "approved":
        session.renew_token()
    notify("verified" if outcome.status == "approved" else "verification_submitted")
    return redirect(url_for("verification.verification"), 303)


def _fields(form: VerificationForm) -> dict[str, str]:
    """Every field as sent: the domain reads them."""
    names = [field.name for field in form if field.name not in NOT_FIELDS]
    return {name: request.form.get(name, "") for name in names}


def _scans(subject_type: str) -> tuple[Scan, ...]:
    chosen = ((purpose, request.files.get(purpose)) for purpose in SCANS[subject_type])
    return tuple(
        Scan(purpose, file.filename, file.read())
        for purpose, file in chosen
        if file is not None and file.filename
    )


def _is_manual() -> bool:
    if request.form.get("action") == BY_HAND:
        return True
    return (request.form.get("manual") or request.args.get("manual")) == "1"


def _state_page(login: LoginView) -> ResponseReturnValue:
    return render_template(
        "user_centre/verification.html",
        review=reviews.latest(platform(), login.account_id),
        uploads=reviews.list_own_uploads(platform(), login.account_id),
        manual=_is_manual(),
    )


def _form_page(
    form: VerificationForm,
    subject_type: str,
    login: LoginView,
    status: int = 200,
    *,
    mismatch: bool = False,
) -> ResponseReturnValue:
    page = render_template(
        f"user_centre/{subject_type}.html",
        form=form,
        subject_type=subject_type,
        held=held_scans.list_held(platform(), login.account_id, subject_type),
        manual=_is_manual(),
        mismatch=mismatch,
        identity_version=CURRENT[IDENTITY],
    )
    return make_response(page, status)
