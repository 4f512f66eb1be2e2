"""The picture with four characters that has to be read before a submission."""

from __future__ import annotations

import secrets
from datetime import timedelta
from io import BytesIO

from idp.crypto import constant_time_equal, random_id
from idp.web.session import platform

CAPTCHA_TTL = timedelta(minutes=10)
ALPHABET = "34678ABCDEFHJKMNPRTUWXY"  # nothing that reads like something else
LENGTH = 4


def is_on() -> bool:
    """Whether this installation asks for captchas."""
    return platform().settings.captcha != "off"


def make() -> str:
    """A new captcha; its handle goes into the form and into the picture's address."""
    handle = random_id()
    answer = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    platform().ephemeral.put(_key(handle), answer.encode("ascii"), CAPTCHA_TTL)
    return handle


def picture(handle: str) -> bytes | None:
    """The captcha as PNG, drawn anew each time; None when it has been answered or has expired."""
    answer = platform().ephemeral.get(_key(handle))
    if answer is None:
        return None
    from captcha.image import ImageCaptcha  # noqa: PLC0415 - Pillow, not before the first picture

    drawn: BytesIO = ImageCaptcha(width=150, height=54, font_sizes=(38, 42)).generate(answer.decode("ascii"))
    return drawn.getvalue()


def is_answered(handle: str, text: str) -> bool:
    """Whether the text is what the picture shows; each captcha takes one answer."""
    answer = platform().ephemeral.take(_key(handle)) if handle else None
    return answer is not None and constant_time_equal(answer, text.strip().upper().encode("utf-8", "replace"))


def _key(handle: str) -> str:
    return f"captcha:{handle}"
