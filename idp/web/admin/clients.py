"""/admin/clients: registering relying parties, their secrets, and switching them off."""

from __future__ import annotations

from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain import interoperable_json
from idp.domain.errors import Refusal
from idp.services import client_registration, clients
from idp.services.clients import RegisteredClient
from idp.web import kept
from idp.web.admin.console import admin_pages
from idp.web.forms import ClientForm, InitialAccessForm
from idp.web.messages import notify, notify_refusal
from idp.web.pages import keeps_typed_values
from idp.web.session import origin, platform, require_administrator

TEXTS = (
    "client_id",
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "jwks_uri",
    "application_type",
    "profile",
    "token_endpoint_auth_method",
    "id_token_signed_response_alg",
    "access_token_signed_response_alg",
)
LISTS = ("redirect_uris", "post_logout_redirect_uris", "roles", "resources")
DOCUMENTS = ("jwks", "further")
LONGEST_DOCUMENT = 100_000
INITIAL_ACCESS = "initial_access_token"
LONGEST_NUMBER = 10

blueprint = admin_pages("clients", __name__, "/admin/clients")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Every registered client; an initial access token right after it was issued."""
    token = kept.take(request.args.get("token", ""), INITIAL_ACCESS).get("token")
    return _index_page(InitialAccessForm(uses="1", ttl="86400"), token=token)


@blueprint.post("")
@keeps_typed_values
def issue_initial_access_token() -> ResponseReturnValue:
    """Leave for clients to register themselves (RFC 7591)."""
    form = InitialAccessForm()
    if not form.is_ours():
        return _index_page(form, 400)
    actor = require_administrator().account_id
    uses, ttl = _number(form.text("uses")), _number(form.text("ttl"))
    result = client_registration.issue_initial_access_token(uses, ttl, origin(), actor)
    if isinstance(result, Refusal):
        form.refuse(result)
        return _index_page(form, 422)
    notify("initial_access_token_issued")
    handle = kept.keep({"token": result}, INITIAL_ACCESS)
    return redirect(url_for("clients.index", token=handle, _anchor="registration"), 303)


def _number(text: str) -> int:
    """Zero for what is no number within reason."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER else 0


def _index_page(
    form: InitialAccessForm, status: int = 200, *, token: str | None = None
) -> ResponseReturnValue:
    page = render_template(
        "admin/clients.html",
        clients=clients.list_clients(platform()),
        form=form,
        token=token,
        endpoint=f"{platform().settings.issuer}/oauth/register",
    )
    return make_response(page, status)


@blueprint.route("/new", methods=["GET", "POST"])
@keeps_typed_values
def new() -> ResponseReturnValue:
    """Register a client."""
    form = ClientForm(grant_types=["authorization_code"], scope="openid profile enterprise handler")
    if request.method == "GET":
        return _form_page(form)
    if not form.is_ours():
        return _form_page(form, 400)
    metadata = _metadata(form)
    actor = require_administrator().account_id
    result = (
        metadata if isinstance(metadata, Refusal) else clients.register(platform(), metadata, origin(), actor)
    )
    if isinstance(result, Refusal):
        form.refuse(result)
        return _form_page(form, 422)
    notify("client_registered")
    return _show_with_secret(result)


@blueprint.get("/<client_id>")
def show(client_id: str) -> ResponseReturnValue:
    """One client: its registration, what its developers need, and its secret right after it was made."""
    client = clients.find_registration(platform(), client_id)
    if client is None:
        abort(404)
    secret = kept.take(request.args.get("secret", ""), _secret_of(client_id)).get("client_secret")
    return render_template(
        "admin/client.html", client=client, client_secret=secret, issuer=platform().settings.issuer
    )


@blueprint.post("/<client_id>")
def change(client_id: str) -> ResponseReturnValue:
    """Disable, enable, or give a new secret."""
    actor = require_administrator().account_id
    if request.form.get("action") == "rotate_secret":
        return _rotate_secret(client_id, actor)
    disabling = request.form.get("action") == "disable"
    act = clients.disable if disabling else clients.enable
    refusal = act(platform(), client_id, origin(), actor)
    if refusal:
        abort(404)
    notify("client_disabled" if disabling else "client_enabled")
    return redirect(url_for("clients.show", client_id=client_id), 303)


def _rotate_secret(client_id: str, actor: str) -> ResponseReturnValue:
    result = clients.rotate_secret(platform(), client_id, origin(), actor)
    if isinstance(result, Refusal):
        notify_refusal(result)
        return redirect(url_for("clients.index"), 303)
    notify("secret_rotated")
    return _show_with_secret(result)


def _show_with_secret(client: RegisteredClient) -> ResponseReturnValue:
    """On to the client's page, which shows the secret once: reloading it shows it no more."""
    handle = None
    if client.client_secret:
        handle = kept.keep({"client_secret": client.client_secret}, _secret_of(client.client_id))
    return redirect(url_for("clients.show", client_id=client.client_id, secret=handle), 303)


def _secret_of(client_id: str) -> str:
    return f"client_secret:{client_id}"


def _form_page(form: ClientForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("admin/client_new.html", form=form), status)


def _metadata(form: ClientForm) -> dict[str, Any] | Refusal:
    """The form as RFC 7591 metadata; what was left empty is left out."""
    metadata: dict[str, Any] = {name: form.text(name).strip() for name in TEXTS if form.text(name).strip()}
    metadata |= {name: form.text(name).split() for name in LISTS if form.text(name).split()}
    metadata["grant_types"] = list(form.grant_types.data or ())
    metadata["response_types"] = ["code"] if "authorization_code" in metadata["grant_types"] else []
    metadata["scope"] = " ".join(form.text("scope").split())
    metadata["matters"] = list(form.matters.data or ())
    metadata["require_enterprise"] = bool(form.require_enterprise.data)
    if form.text("default_acr_values"):
        metadata["default_acr_values"] = [form.text("default_acr_values")]
    return _with_documents(metadata, form)


def _with_documents(metadata: dict[str, Any], form: ClientForm) -> dict[str, Any] | Refusal:
    """With the key set and the members that have no field of their own; what has one is typed there."""
    jwks, further = (_document(form.text(name)) for name in DOCUMENTS)
    if jwks is None:
        return Refusal.of("json_invalid", "jwks")
    if not isinstance(further, dict):
        return Refusal.of("json_invalid", "further")
    return further | metadata | ({"jwks": jwks} if jwks else {})


def _document(text: str) -> Any:
    """What was typed, nothing as an empty object; None when it is no JSON."""
    return interoperable_json.parse(text, LONGEST_DOCUMENT) if text.strip() else {}
