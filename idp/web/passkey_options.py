"""What the script of passkeys asks for before the browser's own dialogue: a fresh challenge, as JSON."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify
from flask.typing import ResponseReturnValue

from idp.services import passkeys
from idp.web.pages import pages
from idp.web.session import platform, require_login
from idp.web.step_up import require_change_of_factors

blueprint = pages("passkey_options", __name__)


@blueprint.post("/login/passkey")
def to_sign_in() -> ResponseReturnValue:
    """For the sign-in: any passkey of this platform."""
    _only_if_offered()
    return _answer(passkeys.login_options(platform()))


@blueprint.post("/account/confirm/passkey")
def to_confirm() -> ResponseReturnValue:
    """For showing a factor again: a passkey of this account."""
    login = require_login()
    _only_if_offered()
    return _answer(passkeys.confirmation_options(platform(), login))


@blueprint.post("/account/security/passkeys/options")
def to_register() -> ResponseReturnValue:
    """For one more passkey."""
    login = require_login()
    require_change_of_factors(login)
    _only_if_offered()
    return _answer(passkeys.registration_options(platform(), login))


def _only_if_offered() -> None:
    if not passkeys.is_offered(platform()):
        abort(404)


def _answer(options: dict[str, Any]) -> ResponseReturnValue:
    return jsonify(options), {"Cache-Control": "no-store"}
