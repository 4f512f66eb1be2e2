"""搜索: over the services, the blocks' pages, the help answers, the notices and one's own 办件."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from idp.domain import progress, search
from idp.services import proceedings, systems
from idp.services.proceedings import Proceeding
from idp.services.systems import SystemView
from idp.web.languages import translated as _
from idp.web.messages import name
from idp.web.messages.answers import ANSWERS
from idp.web.messages.blocks import BLOCKS, HOT_TERMS, Block
from idp.web.messages.bulletins import BULLETINS
from idp.web.pages import pages
from idp.web.session import current_login, platform

blueprint: Blueprint = pages("search", __name__)


@dataclass(frozen=True, slots=True)
class Found:
    """One result: where it leads, its title, a line about it, and of what ``kind`` it is."""

    kind: str
    title: str
    line: str
    address: str


@blueprint.get("/search")
def index() -> ResponseReturnValue:
    """The results, or plainly that there are none and what to do instead."""
    query = request.args.get("q", "").strip()[: search.LONGEST_QUERY]
    code = progress.find_progress_code(query)
    results = [] if code else found(query)
    return render_template(
        "search.html",
        query=query,
        code=code,
        proceeding=_own(code) if code else None,
        report_number=progress.is_report_number(query),
        results=results,
        hot_terms=HOT_TERMS,
    )


def found(query: str) -> list[Found]:
    """What this platform has about it, the best first."""
    by_key = {f"{number}": result for number, result in enumerate(_everything())}
    texts = [search.Text(key, result.title, words) for key, (result, words) in by_key.items()]
    return [by_key[key][0] for key in search.find(texts, query)]


def block_address(block: Block) -> str:
    """The page of a block."""
    if block.endpoint == "home.block":
        return url_for("home.block", code=block.code)
    return url_for(block.endpoint)


def page_at(path: str) -> str | None:
    """The address of one of our pages by its path, None if there is no such page."""
    try:
        endpoint, values = current_app.url_map.bind("").match(path, "GET")
    except HTTPException:
        return None
    return url_for(endpoint, **values)


def _own(code: str) -> Proceeding | None:
    """The signed-in person's own 办件 of this code; nobody's else is looked at."""
    login = current_login()
    mine = proceedings.list_of_account(platform(), login.account_id) if login else []
    return next((proceeding for proceeding in mine if proceeding.code == code), None)


def _everything() -> Iterator[tuple[Found, str]]:
    """Each thing that can be found, with further words to find it by."""
    for system in systems.list_connected(platform()):
        yield _of_system(system), " ".join([*system.matters, *(name("matter", m) for m in system.matters)])
    for block in BLOCKS:
        texts = [_(text) for text in (*block.here, *block.do, *block.words)]
        yield Found("block", _(block.name), _(block.summary), block_address(block)), " ".join(texts)
    for answer in ANSWERS:
        address = url_for("home.guide", _anchor=answer.code)
        body = " ".join([*(_(text) for text in answer.text), _(answer.words)])
        yield Found("answer", _(answer.question), _(answer.text[0]), address), body
    for bulletin in BULLETINS:
        address = url_for("notices.show", code=bulletin.code)
        yield (
            Found("notice", _(bulletin.title), _(bulletin.text[0]), address),
            " ".join(_(text) for text in bulletin.text),
        )


def _of_system(system: SystemView) -> Found:
    matters = _("、").join(name("matter", matter) for matter in system.matters)
    return Found("system", system.name, matters, system.address or "")
