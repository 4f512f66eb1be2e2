"""Drafts: the list of one's own, opening and deleting one, and what the form's script saves."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, redirect, request

from clients.rp import clock
from clients.smdvs import cookies, deadline_words, doors, drafts, form_answers, forms, messages, pages, papers
from clients.smdvs.cookies import system
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.drafts import Draft
from clients.smdvs.lifecycle import Act
from clients.smdvs.tickets import Owner
from clients.smdvs.value_words import moment

blueprint = Blueprint("draft_pages", __name__, url_prefix="/smdvs")


@blueprint.get("/drafts")
def list_drafts() -> Response:
    """草稿箱: one's own, the one written last first."""
    row = doors.session_or_login("drafts")
    owner = _owner()
    found = [(draft, _hint(draft)) for draft in drafts.list_of(system(), owner)]
    return pages.render("drafts.html", session=row, drafts=found, deleted="deleted" in request.args)


@blueprint.get("/drafts/<draft_id>")
def open_draft(draft_id: str) -> Response:
    """To the form that the draft is of; for anybody else's draft the answer is the same as for none."""
    row = doors.session_or_login(f"draft-{draft_id}" if drafts.DRAFT_ID.fullmatch(draft_id) else "drafts")
    draft = drafts.find(system(), _owner(), draft_id)
    if draft is None and drafts.enterprise_of(system(), row.sub, draft_id) is not None:
        text = "这份草稿是您代表另一家企业填写的。请退出后重新登录，选择那家企业再打开。"
        return pages.message("请切换企业", text, 409)
    if draft is None or draft.fields is None:
        return _absent()
    return make_response(redirect(f"{pages.HOME}{draft.sheet.path}?draft={draft_id}", 303))


@blueprint.post("/drafts/<draft_id>/delete")
def delete_draft(draft_id: str) -> Response:
    """Ask, then throw it away."""
    fields = forms.parse(request.content_type, request.get_data())
    row = doors.session_or_login("drafts")
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return pages.message("没有删除", "页面已过期，请返回草稿箱后重试。", 400)
    owner = _owner()
    draft = drafts.find(system(), owner, draft_id)
    if draft is None:
        return _absent()
    if fields.get("confirm") != "yes":
        return pages.render("draft_delete.html", session=row, draft=draft)
    drafts.delete(system(), owner, draft_id)
    return make_response(redirect(f"{pages.HOME}drafts?deleted", 303))


@blueprint.post("/drafts/<draft_id>")
def save_draft(draft_id: str) -> Response:
    """What the form's script sends: JSON with the revision that was written, or a text that says why not.

    As with the form itself the ticket says whose it is, so that what is typed outlives the session.
    """
    fields = forms.parse(request.content_type, request.get_data())
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return _answer(400, code="csrf", text="页面已过期，内容尚未保存，请按“保存草稿”")
    row, now = doors.find_session(), clock.now()
    paper = papers.sent(system(), draft_id, fields, row, now)
    if paper is None:
        return _answer(401, code="session_ended", text=messages.SESSION_ENDED)
    keeping = form_answers.keep_in_place(paper, now)
    if keeping.kept is None:
        code = keeping.refused.value if keeping.refused is not None else "session_ended"
        text = messages.DRAFT_REFUSED.get(code, messages.SESSION_ENDED)
        return _answer(keeping.status if keeping.refused else 401, code=code, text=text)
    text = f"草稿已保存 {moment(keeping.kept.saved_at)}"
    if row is None:
        text += "；登录已失效，提交前需要重新登录"
    return _answer(200, revision=keeping.kept.revision, text=text)


def _owner() -> Owner:
    """Whose drafts; answers with the refusal page for who can't report."""
    row = doors.find_session()
    if row is None:
        raise RuntimeError("asked for after the session was there")
    reporter = doors.entitled_or_shut(row)
    return Owner(reporter.sub, reporter.enterprise_credit_code)


def _hint(draft: Draft) -> deadline_words.Hint | None:
    if draft.row.kind != Act.INITIAL or draft.fields is None:
        return None
    measure = Measure(system().settings.deadline_policy, Due.INITIAL)
    return deadline_words.hint(draft.fields, measure, clock.now())


def _absent() -> Response:
    return pages.message("没有这份草稿", "草稿不存在、已提交、已删除或已过期，或不属于您。", 404)


def _answer(status: int, **members: object) -> Response:
    response = jsonify(members)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
