"""The languages of the pages: Chinese is the source, ``_()`` in a template finds the others."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel

SOURCE = "zh_Hans_CN"


def register(app: Flask) -> None:
    """Give templates ``_`` and ``ngettext``."""
    Babel(app, default_locale=SOURCE)
