"""The language of a page: Chinese is the source, ``_()`` in a template finds the others.

What the client asks with ``ui_locales`` (OIDC Core 3.1.2.1) goes before the person's choice, which a cookie
keeps. What the browser is set to isn't asked (docs/adr/0021).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, get_translations, refresh

from idp.domain.languages import ENGLISH, SOURCE, wanted

LOCALES: Mapping[str, str] = {SOURCE: "zh_Hans_CN", ENGLISH: "en"}
OWN_NAMES: Mapping[str, str] = {SOURCE: "简体中文", ENGLISH: "English"}


def register(app: Flask) -> None:
    """Give templates ``_``, ``ngettext``, and the ``language()`` that they are written in."""
    Babel(app, default_locale=LOCALES[SOURCE], locale_selector=lambda: LOCALES[language()])
    # Chinese stays as it stands: nothing need be looked up. (The extension i18n adds this method.)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=translated, ngettext=_counted, newstyle=True
    )
    app.jinja_env.globals.update(language=language, language_names=OWN_NAMES)


def language() -> str:
    """The tag of the language that this request is answered in; the source's where there is no request."""
    if not has_request_context():
        return SOURCE
    if "language" not in g:
        g.language = _asked() or SOURCE
    return cast(str, g.language)


def prefer(tag: str | None) -> None:
    """Answer in this language, whatever was chosen; None changes nothing."""
    if tag is not None:
        g.language = tag
        refresh()


def translated(text: str) -> str:
    """A text of ours in the language of the request; to be called before values are put into it."""
    if not text or language() == SOURCE:
        return text
    return cast(str, get_translations().ugettext(text))


def cookie_name() -> str:
    """The cookie of the person's choice."""
    return cast(str, current_app.config["LANGUAGE_COOKIE_NAME"])


def _asked() -> str | None:
    """What the address asks (an error page of the protocol has it at hand), or the cookie."""
    asked = request.args.get("ui_locales", "").split()
    return wanted([*asked, request.cookies.get(cookie_name(), "")])


def _counted(singular: str, plural: str, number: int) -> str:
    return cast(str, get_translations().ungettext(singular, plural, number))
