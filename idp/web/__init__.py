"""Pages and forms: what a person sees of the platform."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_bootstrap import Bootstrap5

from idp.web import (
    account,
    agreements,
    authorize,
    captchas,
    deletion,
    dev,
    device,
    enterprise,
    errors,
    factors,
    finding,
    handler_applications,
    handler_escalations,
    handler_invitations,
    handler_reviews,
    health,
    home,
    language_switch,
    languages,
    lost_phone,
    messages,
    national,
    notices,
    pages,
    passkey_options,
    password_expired,
    paths,
    personal_data,
    phone,
    progress,
    protocol,
    recovery,
    representative,
    revival,
    scan_files,
    search,
    security,
    session,
    sessions,
    step_up,
    systems,
    user_centre,
    verification,
    waiting,
)
from idp.web.admin import (
    accounts,
    audit,
    clients,
    console,
    deliveries,
    enterprises,
    keys,
    phone_changes,
    reviews,
)
from idp.web.admin import handler_escalations as escalation_reviews

FORM_BYTES = 64 * 1024
STATIC_SECONDS = 3600
CSRF_LIFETIME = timedelta(hours=8)
BLUEPRINTS = (
    home.blueprint,
    language_switch.blueprint,
    search.blueprint,
    notices.blueprint,
    progress.blueprint,
    account.blueprint,
    password_expired.blueprint,
    recovery.blueprint,
    finding.blueprint,
    national.blueprint,
    revival.blueprint,
    phone.blueprint,
    lost_phone.blueprint,
    user_centre.blueprint,
    personal_data.blueprint,
    agreements.blueprint,
    deletion.blueprint,
    step_up.blueprint,
    factors.blueprint,
    passkey_options.blueprint,
    sessions.blueprint,
    systems.blueprint,
    verification.blueprint,
    captchas.blueprint,
    handler_applications.blueprint,
    enterprise.blueprint,
    handler_reviews.blueprint,
    representative.blueprint,
    enterprises.blueprint,
    handler_escalations.blueprint,
    escalation_reviews.blueprint,
    handler_invitations.blueprint,
    authorize.blueprint,
    device.blueprint,
    protocol.blueprint,
    protocol.question,
    health.blueprint,
    dev.blueprint,
    console.blueprint,
    clients.blueprint,
    accounts.blueprint,
    reviews.blueprint,
    phone_changes.blueprint,
    audit.blueprint,
    keys.blueprint,
    deliveries.blueprint,
)


def register(app: Flask) -> None:
    """Give the application its pages; ``app.extensions["idp"]`` holds the Platform already."""
    _configure(app)
    app.request_class = scan_files.PageRequest
    Bootstrap5(app)
    pages.csrf.init_app(app)
    for module in (languages, language_switch, security, session, errors, messages, paths, captchas, waiting):
        module.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def _configure(app: Flask) -> None:
    settings = app.extensions["idp"].settings
    secure = settings.issuer.startswith("https://")
    app.config.update(
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_SECONDS,
        MAX_CONTENT_LENGTH=FORM_BYTES,
        SESSION_COOKIE_NAME="__Host-page" if secure else "page",
        LANGUAGE_COOKIE_NAME="__Host-language" if secure else "language",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Pages are checked by their blueprints (pages.py); protocol endpoints take no such value.
        WTF_CSRF_CHECK_DEFAULT=False,
        # Pages send no Referer (Referrer-Policy), so there is none to check.
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=int(CSRF_LIFETIME.total_seconds()),
        WTF_I18N_ENABLED=False,
    )
