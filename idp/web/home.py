"""平台首页 and the pages that explain: the four steps, the blocks, 在线帮助, 运行情况, 无障碍."""

from __future__ import annotations

from flask import abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from idp import clock
from idp.domain import search as texts
from idp.domain.agreements import CURRENT
from idp.services import handlers, systems
from idp.services.authentication import LoginView
from idp.web.health import unready
from idp.web.languages import translated
from idp.web.messages.answers import ANSWERS, CHAPTERS, PHONES, Answer
from idp.web.messages.blocks import BLOCKS, BLOCKS_BY_CODE, HOT_TERMS
from idp.web.messages.bulletins import BULLETINS
from idp.web.pages import pages
from idp.web.search import block_address, page_at
from idp.web.session import current_login, platform
from idp.web.steps import Step, steps

LATEST = 3
WITH_SYSTEMS = frozenset({"permits", "declarations"})

blueprint = pages("home", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """平台首页."""
    return render_template(
        "home.html",
        steps=steps_of(current_login()),
        blocks=BLOCKS,
        block_address=block_address,
        hot_terms=HOT_TERMS,
        bulletins=BULLETINS[:LATEST],
        systems=systems.list_connected(platform()),
    )


@blueprint.get("/services/<code>")
def block(code: str) -> ResponseReturnValue:
    """What a block is, what is done here and what elsewhere."""
    found = BLOCKS_BY_CODE.get(code)
    if found is None or found.endpoint != "home.block":
        abort(404)
    entered = systems.list_connected(platform()) if code in WITH_SYSTEMS else []
    return render_template("services/block.html", block=found, systems=entered)


@blueprint.get("/services/infographics")
def infographic() -> ResponseReturnValue:
    """一图读懂: from registering to reporting, who does what."""
    return render_template("services/infographic.html")


@blueprint.get("/help")
def guide() -> ResponseReturnValue:
    """在线帮助: questions with their answers, those about ``q`` if something was asked."""
    query = request.args.get("q", "").strip()[: texts.LONGEST_QUERY]
    return render_template(
        "help.html",
        chapters=CHAPTERS,
        phones=PHONES,
        query=query,
        answers=_answers(query),
        page_at=page_at,
    )


@blueprint.get("/status")
def status() -> ResponseReturnValue:
    """运行情况: what /readyz knows, in words."""
    reasons = unready()
    page = render_template("services/status.html", reasons=reasons, checked_at=clock.now())
    return make_response(page, 503 if reasons else 200)


@blueprint.get("/accessibility")
def accessibility() -> ResponseReturnValue:
    """无障碍声明."""
    return render_template("accessibility.html")


@blueprint.get("/terms")
def terms() -> ResponseReturnValue:
    """用户服务协议 and 隐私政策."""
    return render_template("terms.html", versions=CURRENT, scan_days=platform().settings.scan_retention_days)


def steps_of(login: LoginView | None) -> list[Step]:
    """The step bar of this person; looks up what they may act for."""
    can_act = login is not None and bool(
        handlers.acting_candidates(platform(), login.account_id, clock.now())
    )
    return steps(login, can_act=can_act)


def _answers(query: str) -> list[Answer]:
    """The answers to what was asked, the best first."""
    by_code = {answer.code: answer for answer in ANSWERS}
    searched = [
        texts.Text(a.code, translated(a.question), " ".join([*map(translated, a.text), translated(a.words)]))
        for a in ANSWERS
    ]
    return [by_code[code] for code in texts.find(searched, query)]
