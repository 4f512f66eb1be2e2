"""What a browser sees after a sign-out: the frames by which clients learn of it, and the way on."""

from __future__ import annotations

from flask import make_response, redirect, render_template
from werkzeug.wrappers import Response

from idp.services import frontchannel
from idp.web.security import allow_frames
from idp.web.session import platform

PATIENCE_SECONDS = 3  # for frames that don't load; app.js goes on earlier when all have


def leave(sid: str | None, location: str | None) -> Response:
    """Tell the clients of the session that has ended, if there was one; then on to ``location``, else stay on
    a page that says so.
    """
    page = frames_page(sid, location) if sid is not None else None
    if page is not None:
        return page
    if location is not None:
        return redirect(location, 303)
    return make_response(render_template("authorize/logged_out.html", stayed=False))


def frames_page(sid: str, location: str | None) -> Response | None:
    """The page with a hidden frame for each client (Front-Channel Logout 1.0 §3); None when there is none.

    Without JavaScript the browser goes on a moment after the frames have loaded, or by the button.
    """
    frames = frontchannel.list_frames(platform(), sid)
    if not frames:
        return None
    allow_frames(frames)
    if location is None:
        return make_response(render_template("authorize/logged_out.html", stayed=False, frames=frames))
    page = make_response(render_template("authorize/leaving.html", location=location, frames=frames))
    page.headers["Refresh"] = f"{PATIENCE_SECONDS}; url={location}"
    return page
