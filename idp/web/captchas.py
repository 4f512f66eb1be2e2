"""The picture with four characters, or the recording of five digits, that shows that a person is there.

A view asks ``is_passed(form)`` before it does what machines must not do in numbers; the macro
``forms.captcha(form)`` draws the rest. Nothing is kept for a captcha until it is answered.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, jsonify, url_for
from flask.typing import ResponseReturnValue

from idp import clock
from idp.crypto import constant_time_equal, mac
from idp.domain import captchas as rules
from idp.domain import throttling as limits
from idp.domain.captchas import Answers
from idp.domain.errors import Refusal
from idp.domain.throttling import Limit
from idp.services import throttling
from idp.web.errors import TooOften
from idp.web.forms import PageForm
from idp.web.pages import pages
from idp.web.session import origin, platform

if TYPE_CHECKING:
    from captcha.audio import AudioCaptcha

ANOTHER = "new_captcha"  # the ``action`` of the button for another picture

blueprint = pages("captchas", __name__, "/captcha")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a form shows: a picture to read, or that one has been read (``solved``)."""

    handle: str
    solved: bool


def register(app: Flask) -> None:
    """Let the macro ask for captchas."""
    app.jinja_env.globals["captcha_of"] = challenge


def is_on() -> bool:
    """Whether this installation asks for captchas."""
    return platform().settings.captcha != "off"


def is_passed(form: PageForm) -> bool:
    """Whether the form's captcha is answered, now or a few times within ten minutes; else the form says so.

    Each captcha takes one answer, right or wrong: of several at once exactly one is looked at.
    """
    if not is_on():
        return True
    handle = form.text("captcha_handle")
    if _is_solved(form, handle):
        return _use(form, handle)
    if not form.text("captcha").strip():
        form.refuse(Refusal.of("required", "captcha"))
        return False
    if not _is_right(handle, form.text("captcha")):
        form.refuse(Refusal.of("captcha_wrong", "captcha"))
        return False
    platform().ephemeral.put(_solved_key(form, handle), b"1", rules.TTL)
    return _use(form, handle)


def challenge(form: PageForm) -> Challenge | None:
    """What the form shows next; None when no captchas are asked for."""
    if not is_on():
        return None
    handle = form.text("captcha_handle")
    if _is_solved(form, handle):
        return Challenge(handle, solved=True)
    return Challenge(_new_handle(), solved=False)


def described(form: PageForm) -> dict[str, object] | None:
    """The same for a script: handle, and where picture and recording are."""
    shown = challenge(form)
    return None if shown is None else {"solved": shown.solved, **_addresses(shown.handle)}


@blueprint.get("/new")
def another() -> ResponseReturnValue:
    """Another captcha for a form that is open in the browser; for scripts."""
    return jsonify(solved=False, **_addresses(_new_handle())), {"Cache-Control": "no-store"}


@blueprint.get("/<handle>.png")
def picture(handle: str) -> ResponseReturnValue:
    """The characters as a picture, drawn anew each time."""
    return _shown(handle, _drawn, "image/png", limits.PICTURES_OF_ADDRESS)


@blueprint.get("/<handle>.wav")
def sound(handle: str) -> ResponseReturnValue:
    """The digits as a recording, for those who can't see the picture."""
    return _shown(handle, _spoken, "audio/wav", limits.RECORDINGS_OF_ADDRESS)


def _shown(handle: str, made: Callable[[Answers], bytes], mimetype: str, limit: Limit) -> Response:
    octets = rules.read_handle(handle, clock.now())
    if octets is None:
        abort(404)
    refusal = throttling.admit(platform(), limit, origin().address)
    if refusal:
        raise TooOften(refusal)
    return Response(made(_answers(octets)), mimetype=mimetype, headers={"Cache-Control": "no-store"})


def _drawn(answers: Answers) -> bytes:
    from captcha.image import ImageCaptcha  # noqa: PLC0415 - Pillow, not before the first picture

    drawn: BytesIO = ImageCaptcha(width=150, height=54, font_sizes=(38, 42)).generate(answers.seen)
    return drawn.getvalue()


def _spoken(answers: Answers) -> bytes:
    return bytes(_speaker().generate(answers.heard))


@cache
def _speaker() -> AudioCaptcha:
    """Keeps the recording of each digit from the first listener on."""
    from captcha.audio import AudioCaptcha  # noqa: PLC0415 - see above

    speaker = AudioCaptcha()
    speaker.load()
    return speaker


def _new_handle() -> str:
    return rules.make_handle(clock.now(), os.urandom(rules.RANDOM_OCTETS))


def _addresses(handle: str) -> dict[str, object]:
    return {
        "handle": handle,
        "picture": url_for("captchas.picture", handle=handle),
        "sound": url_for("captchas.sound", handle=handle),
    }


def _is_right(handle: str, text: str) -> bool:
    """Whether the text is the answer; the captcha is used up with the first text."""
    octets = rules.read_handle(handle, clock.now())
    if octets is None or not platform().ephemeral.claim(f"captcha:answered:{handle}", rules.TTL + rules.SKEW):
        return False
    typed, answers = rules.read_answer(text), _answers(octets)
    seen, heard = (constant_time_equal(answer, typed) for answer in (answers.seen, answers.heard))
    return seen or heard


def _answers(octets: bytes) -> Answers:
    return rules.answers(mac(platform().keyring.mac_key, "captcha", octets))


def _is_solved(form: PageForm, handle: str) -> bool:
    return bool(handle) and platform().ephemeral.get(_solved_key(form, handle)) is not None


def _use(form: PageForm, handle: str) -> bool:
    """Count one more use of a right answer; the last ones are refused, and a new picture is shown."""
    used = platform().ephemeral.hit(f"captcha:uses:{handle}", rules.TTL)
    if used.count <= rules.USES:
        return True
    platform().ephemeral.drop(_solved_key(form, handle))
    form.refuse(Refusal.of("required", "captcha"))
    return False


def _solved_key(form: PageForm, handle: str) -> str:
    """An answer is good for the form it was given in, and no other."""
    return f"captcha:solved:{type(form).__name__}:{handle}"
