"""One of every kind of account, signed in at a browser, and the objects that belong to some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask
from sqlalchemy import MetaData, select

from idp import clock
from idp.domain.audit import internal_origin
from idp.domain.errors import Refusal
from idp.domain.phone_changes import Application
from idp.services import (
    agreements,
    authentication,
    clients,
    consents,
    handler_escalations,
    handlers,
    phone_change_applications,
)
from idp.services.authentication import Authenticated
from idp.services.handler_escalations import EscalationForm
from idp.services.handlers import HandlerApplicationForm
from idp.services.platform import Platform
from idp.services.scans import CheckedScan, Scan
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import RealNameApplication, Upload
from idp.storage.handler_escalations import HandlerEvidence
from idp.storage.outbox import OutboxMessage
from tests.oauth.conftest import SeparateRequests
from tests.oauth.people import MATTER, People
from tests.web.visitor import LEGAL, Visitor, picture

ORIGIN: Final = internal_origin("test")
KINDS: Final = (
    "nobody",
    "frozen",
    "unverified",
    "natural_person",
    "handler",
    "other_handler",
    "legal_person",
    "other_legal_person",
    "administrator",
    "regulator",
    "submitter",
)
CLIENT: Final = {
    "client_id": "smdvs",
    "client_name": "示例业务系统",
    "client_uri": "https://rp.example.test/",
    "redirect_uris": ["https://rp.example.test/callback"],
    "matters": [MATTER],
    "roles": ["regulator"],
}
PASSING: Final = {"ephemeral", "alembic_version", "audit_events", "audit_log"}
"""Tables that a refused request may write to: counters and the trail."""
SEEN: Final = {"last_seen_at", "auth_time"}
"""Columns that any request of a signed-in person may move."""


@dataclass
class World:
    """``people`` by kind, ``accounts`` their ids, ``objects`` what the table's rows speak of."""

    app: Flask
    people: dict[str, Visitor] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)

    def path(self, rule: str) -> str:
        """The address of a rule, its places filled in with objects."""
        rule = rule.replace("/bootstrap/static/<path:filename>", "/bootstrap/static/css/bootstrap.min.css")
        for name, value in self.objects.items():
            rule = rule.replace(f"<{name}>", value).replace(f"<path:{name}>", value)
        return rule

    def fields(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Fields of a form, ``{name}`` standing for an object."""
        return {key: value.format_map(self.objects) for key, value in fields.items()}


def world(app: Flask) -> World:
    """Every kind of account of KINDS; the enterprise of ``legal_person`` is that of ``handler``."""
    app.test_client_class = SeparateRequests
    made = World(app)
    platform: Platform = app.extensions["idp"]
    with app.app_context():
        assert not isinstance(clients.register(platform, CLIENT, ORIGIN), Refusal)
        people = People(platform)
        _add_accounts(made, people)
        _add_objects(made, platform, people)
        for account_id in made.accounts.values():
            agreements.accept(account_id, ORIGIN)
        for kind in KINDS:
            made.people[kind] = _at_browser(app, platform, made.accounts.get(kind))
        people.freeze(made.accounts["frozen"])
        made.objects["session"] = _session_of(made, platform, "handler")
    return made


def _add_accounts(made: World, people: People) -> None:
    one, other = people.legal_person(0), people.legal_person(1)
    made.accounts |= {"legal_person": one.account_id, "other_legal_person": other.account_id}
    made.accounts |= {kind: people.person(real_name="李示例") for kind in KINDS[3:6]}
    made.accounts |= {"frozen": people.person(), "unverified": people.person(verified=False)}
    made.accounts |= {"administrator": people.person(platform_role="administrator")}
    made.accounts |= {"regulator": people.person(), "submitter": people.person(verified=False)}
    people.give_role(made.accounts["regulator"], "smdvs", "regulator")
    made.objects["in_force"] = people.handler(made.accounts["handler"], one.enterprise_id)
    people.handler(made.accounts["other_handler"], other.enterprise_id)
    made.objects |= {"credit_code": one.enterprise_credit_code, "enterprise_id": one.enterprise_id}


def _add_objects(made: World, platform: Platform, people: People) -> None:
    """An application of ``natural_person``, a consent of ``handler``, a submission with its scan."""
    one = made.objects
    form = HandlerApplicationForm("示例新能源汽车有限公司", one["credit_code"], (MATTER,), None)
    applied = handlers.apply(platform, made.accounts["natural_person"], form, ORIGIN)
    assert not isinstance(applied, Refusal)
    one["escalation_id"], one["evidence_id"] = _escalated(
        platform, made.accounts["natural_person"], applied.id
    )
    consents.remember(
        made.accounts["handler"], "smdvs", one["enterprise_id"], frozenset({"openid", "phone"}), ORIGIN
    )
    submitter = _at_browser(made.app, platform, made.accounts["submitter"])
    assert submitter.verify(LEGAL | {"explanation": "登记信息未更新"}, manual="1").status_code == 303
    with transaction() as session:
        review = session.scalars(select(RealNameApplication)).one()
        upload = session.scalars(select(Upload)).first()
        message = session.scalars(select(OutboxMessage)).first()
        assert upload is not None
        assert message is not None
        message.delivered_at, message.attempts = None, 9
        made.objects |= {"application": applied.id, "review_id": review.id, "upload_id": upload.id}
        made.objects["message"] = str(message.id)
    made.objects |= {"client_id": "smdvs", "account_id": made.accounts["regulator"]}
    made.objects["phone_change_id"] = _lost_phone(platform, made.accounts["regulator"])
    made.objects["authorization_id"] = made.objects["in_force"]
    made.objects |= {"held_id": "none", "login_name": _login_name(made.accounts["handler"])}
    made.objects |= {"filename": "theme.css", "handle": "none", "code": "code-safety"}


def _lost_phone(platform: Platform, account_id: str) -> str:
    """An application for another phone, as its rows."""
    fields, application = platform.keyring.fields, Application("regulator", "李示例", "9", "手机遗失")
    scan = CheckedScan("document_scan", "image/png", b"a picture")
    row = phone_change_applications.row_of(fields, account_id, application, scan, "19900009999")
    with transaction() as session:
        session.add(row)
    return row.id


def _escalated(platform: Platform, account_id: str, authorization_id: str) -> tuple[str, str]:
    """The platform is asked to decide an application in the enterprise's place; escalation and evidence."""
    form = EscalationForm(
        "phone_lost", "手机号已停用", Scan("evidence_scan", "letter.png", picture().getvalue())
    )
    escalation_id = handler_escalations.submit(platform, account_id, authorization_id, form, ORIGIN)
    assert isinstance(escalation_id, str), escalation_id
    with reading() as session:
        return escalation_id, session.scalars(select(HandlerEvidence.id)).one()


def _at_browser(app: Flask, platform: Platform, account_id: str | None) -> Visitor:
    """Somebody signed in just now, made without Argon2id and SMS; without an account, nobody."""
    visitor = Visitor(app)
    if account_id is not None:
        seen = int(clock.now().timestamp())
        authenticated = Authenticated(account_id, "urn:gsp:acr:2fa", ("pwd", "sms", "mfa"), seen)
        token, _ = authentication.open_login(platform, authenticated, ORIGIN, replaces=None)
        visitor.http.set_cookie("login", token)
    return visitor


def _session_of(made: World, platform: Platform, kind: str) -> str:
    cookie = made.people[kind].http.get_cookie("login")
    assert cookie is not None
    login = authentication.find_login(platform, cookie.value)
    assert login is not None
    return login.sid


def _login_name(account_id: str) -> str:
    with reading() as session:
        return session.get_one(Account, account_id).login_name


def everything(world: World) -> dict[str, list[Any]]:
    """Every row that a refused request must leave as it is."""
    with world.app.app_context(), reading() as session:
        metadata = MetaData()
        metadata.reflect(session.connection())
        return {
            table.name: sorted(
                str(row)
                for row in session.execute(
                    select(*(column for column in table.columns if column.name not in SEEN))
                )
            )
            for table in metadata.sorted_tables
            if table.name not in PASSING
        }
