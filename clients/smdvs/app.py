"""The Flask application of smdvs: blueprints, limits, headers, and what happens when something goes wrong."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import flask_bootstrap
from flask import Blueprint, Flask, Response, jsonify, make_response, redirect, request
from werkzeug.exceptions import HTTPException

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable
from clients.smdvs import (
    api,
    attachment_forms,
    attachment_pages,
    browser,
    deadline_words,
    dev_pages,
    draft_pages,
    export_pages,
    form_pages,
    forms,
    labels,
    late,
    messages,
    pages,
    print_pages,
    problems,
    report_pages,
    review_pages,
    sessions,
    statistics_pages,
    system,
    uploads,
    value_words,
    void_pages,
)
from clients.smdvs.config import Settings
from clients.smdvs.countdown import Countdown
from clients.smdvs.deadline_policies import policy_of
from clients.smdvs.lifecycle import Act
from clients.smdvs.requirements import required_in
from clients.smdvs.storage.database import DatabaseUnavailable

MAX_BODY_BYTES = 256 * 1024
STATIC_SECONDS = 86400
API_PREFIX = "/smdvs/api/"

logger = logging.getLogger(__name__)

_PAGE_TEXTS = {
    404: ("没有这个页面", "地址可能不完整，请从首页进入。"),
    405: ("不能这样访问", "请从首页进入，按页面上的按钮操作。"),
    413: ("内容过大", "提交的内容超过了 256 KB，请精简后重新提交。"),
}


def create_app(settings: Settings) -> Flask:
    """The application; its database must have been migrated (``python -m clients.smdvs.migrate``)."""
    app = Flask(__name__, static_url_path="/smdvs/static")
    app.request_class = uploads.Request
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["smdvs"] = built = system.build(settings)
    built.rp.init_app(app)
    for module in (
        browser,
        report_pages,
        review_pages,
        void_pages,
        statistics_pages,
        export_pages,
        print_pages,
        draft_pages,
        form_pages,
        attachment_pages,
        api,
        dev_pages,
    ):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(_bootstrap())
    app.add_url_rule("/smdvs/healthz", view_func=_healthz)
    app.add_url_rule("/", "root", lambda: redirect(pages.HOME))
    _prepare_templates(app, settings)
    _prepare_answers(app, settings)
    return app


def _bootstrap() -> Blueprint:
    """Bootstrap's files under our own path: the extension's would lie outside /smdvs/."""
    folder = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
    return Blueprint(
        "bootstrap", __name__, static_folder=str(folder), static_url_path="/smdvs/static/bootstrap"
    )


def _healthz() -> Response:
    """The process is up; says nothing about the provider, which may come later."""
    return jsonify({"status": "ok"})


def _prepare_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals |= {
        "label": labels.label,
        "labels": labels.LABELS,
        "names": labels.FIELDS,
        "field_label": messages.field_label,
        "fault_text": messages.fault_text,
        "required_in": lambda act: required_in(Act(act)),
        "countdown_of": lambda due_at: Countdown(due_at, clock.now()),
        "detailed_late": lambda row: late.detailed(row, clock.now()),
        "late_in_hindsight": late.in_hindsight,
        "deadline_class_words": deadline_words.class_words,
        "policy": policy_of(settings.deadline_policy),
        "issuer": settings.issuer.rstrip("/"),
        "value_words": value_words.value_words,
        "files_in": attachment_forms.files_in,
        "files_of": attachment_forms.files_of,
        "file_size": attachment_forms.size_words,
        "person_of": lambda row: sessions.person(app.extensions["smdvs"], row),
    }
    app.jinja_env.filters["moment"] = value_words.moment


def _prepare_answers(app: Flask, settings: Settings) -> None:
    app.after_request(lambda response: _with_headers(response, settings))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(forms.BadFormError, _bad_form)
    app.register_error_handler(ProviderUnavailable, _provider_unavailable)
    app.register_error_handler(DatabaseUnavailable, _database_unavailable)


def _with_headers(response: Response, settings: Settings) -> Response:
    # Signing out posts to us and is then redirected to the provider: browsers ask form-action about that too.
    parts = urlsplit(settings.issuer)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action 'self' {parts.scheme}://{parts.netloc}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if settings.https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:  # abort(response)
        return make_response(error.response)
    code = error.code or 500
    title, text = _PAGE_TEXTS.get(code, ("请求没有完成", "请返回首页后重试。"))
    if request.path.startswith(API_PREFIX):
        response = problems.problem(code, error.name.lower().replace(" ", "_"), text)
    else:
        response = pages.message(title, text, code)
    if code == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _bad_form(error: forms.BadFormError) -> Response:
    return pages.message("提交的内容无法读取", messages.BODY_FAULTS[error.code] + "。", 400)


def _provider_unavailable(error: ProviderUnavailable) -> Response:
    logger.warning("provider unavailable: %s", error)
    if request.path.startswith(API_PREFIX):
        response = problems.problem(503, "provider_unavailable", messages.UNAVAILABLE)
    else:
        response = pages.unavailable()
    response.headers["Retry-After"] = "5"
    return response


def _database_unavailable(error: DatabaseUnavailable) -> Response:
    logger.error("database unavailable: %s", error.orig)
    text = messages.BUSY
    if request.path.startswith(API_PREFIX):
        return problems.problem(503, "database_unavailable", text)
    return pages.message("系统繁忙", text + "。", 503)
