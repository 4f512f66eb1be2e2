"""The demonstration's accounts, enterprises, authorisations and client; development only.

Each step looks whether its result is there and does only what is missing, so that loading again changes
nothing, a load cut short is completed by the next, and two at once don't disturb each other. What people did
with the demonstration meanwhile (a revoked handler, a changed password) stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.crypto import random_id
from idp.domain.audit import AuditEvent, internal_origin
from idp.domain.errors import Refusal
from idp.domain.signal_streams import PUSH, Delivery, Stream
from idp.domain.submissions import LegalPerson, NaturalPerson, Subject
from idp.services import accounts, audit, clients, handlers, identities, registration, signal_streams
from idp.services.demonstration_registry import BATTERIES, CARS, PERSON_OF_ACCOUNT
from idp.services.handlers import HandlerApplicationForm
from idp.services.platform import Platform
from idp.services.registration import AccountView
from idp.storage import accounts as rows
from idp.storage.database import reading, transaction

PASSWORD: Final = "Demo#2026pass"
ORIGIN: Final = internal_origin("demonstration")
CLIENT_ID: Final = "smdvs"
MATTER: Final = "nev-accident-report"
REGULATOR: Final = "regulator"
ADDRESS: Final = "示例市示例区示例路1号"


class NotForProductionError(Exception):
    """Accounts whose password everybody knows have no place in production."""


@dataclass(frozen=True, slots=True)
class _Member:
    """One demonstration account: what it stands for, and for which enterprises it handles."""

    login_name: str
    phone: str
    enterprise: Mapping[str, str] | None = None
    handles: tuple[Mapping[str, str], ...] = ()
    awaits: tuple[Mapping[str, str], ...] = ()
    administrator: bool = False
    roles: tuple[str, ...] = ()


MEMBERS: Final = (
    _Member("demo_legal", "19900000001", enterprise=CARS),
    _Member("demo_legal_2", "19900000002", enterprise=BATTERIES),
    _Member("demo_handler", "19900000003", handles=(CARS,)),
    _Member("demo_multi", "19900000004", handles=(CARS, BATTERIES)),
    _Member("demo_pending", "19900000005", awaits=(CARS,)),
    _Member("demo_person", "19900000006"),
    _Member("demo_admin", "19900000007", administrator=True),
    _Member("demo_regulator", "19900000008", roles=(REGULATOR,)),
)


def load(
    platform: Platform, smdvs_url: str, smdvs_jwks: Mapping[str, Any], smdvs_events: str | None = None
) -> None:
    """Load everything. ``smdvs_url`` is where smdvs answers, without path; ``smdvs_jwks`` its public keys;
    ``smdvs_events`` the authorization header for pushing events to it, without which none are.

    Raises NotForProductionError elsewhere than in development.
    """
    if not platform.settings.development:
        raise NotForProductionError("the demonstration accounts are for development only")
    _load_client(platform, smdvs_url.rstrip("/"), smdvs_jwks)
    if smdvs_events is not None:
        _load_stream(platform, Delivery(PUSH, f"{smdvs_url.rstrip('/')}/smdvs/events", smdvs_events))
    for member in MEMBERS:
        account_id = _load_account(platform, member)
        _load_identity(platform, member, account_id)
        _load_rights(platform, member, account_id)
        for enterprise in (*member.handles, *member.awaits):
            _load_authorization(platform, account_id, enterprise, approved=enterprise in member.handles)


def present_accounts() -> list[str]:
    """The demonstration login names that exist here; production must not have any."""
    with reading() as session:
        return [m.login_name for m in MEMBERS if rows.find_account_id(session, m.login_name) is not None]


def smdvs_metadata(smdvs_url: str, smdvs_jwks: Mapping[str, Any]) -> dict[str, Any]:
    """Smdvs's registration (RFC 7591, claims.md). Regulators act for no enterprise, so none is required."""
    return {
        "client_id": CLIENT_ID,
        "profile": "fapi2",
        "client_name": "新能源汽车事故上报平台",
        "client_uri": f"{smdvs_url}/smdvs/",
        "redirect_uris": [f"{smdvs_url}/smdvs/callback"],
        "post_logout_redirect_uris": [f"{smdvs_url}/smdvs/"],
        "backchannel_logout_uri": f"{smdvs_url}/smdvs/backchannel-logout",
        "backchannel_logout_session_required": True,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": dict(smdvs_jwks),
        "id_token_signed_response_alg": "ES256",
        "scope": "openid profile phone enterprise handler roles accident_report:submit accident_report:read",
        "matters": [MATTER],
        "roles": [REGULATOR],
        "resources": [f"{smdvs_url}/smdvs/api/v1"],
        "require_enterprise": False,
    }


def _load_client(platform: Platform, smdvs_url: str, smdvs_jwks: Mapping[str, Any]) -> None:
    """Register smdvs, or let its registration follow where it answers and what its keys are now."""
    metadata = smdvs_metadata(smdvs_url, smdvs_jwks)
    present = clients.find_registration(platform, CLIENT_ID)
    moving = (
        "profile",
        "redirect_uris",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "resources",
        "jwks",
    )
    if present and all(present.metadata.get(name) == metadata[name] for name in moving):
        return
    outcome = clients.register(platform, metadata, ORIGIN, replace=present is not None)
    if isinstance(outcome, Refusal) and outcome.code != "client_id_taken":
        raise ValueError(f"smdvs can't be registered: {outcome.problems}")


def _load_stream(platform: Platform, delivery: Delivery) -> None:
    """Register smdvs's event stream, or let it follow where smdvs answers; a paused one stays paused."""
    if signal_streams.delivers_by(platform, CLIENT_ID, delivery):
        return
    present = signal_streams.find_stream(CLIENT_ID)
    document: dict[str, Any] = {"delivery": asdict(delivery)}
    if present is None:
        outcome = signal_streams.create(platform, CLIENT_ID, document, ORIGIN)
    else:
        document["stream_id"] = present.stream_id
        outcome = signal_streams.update(platform, CLIENT_ID, document, ORIGIN)
    if not isinstance(outcome, Stream) and outcome.code != "stream_exists":
        raise ValueError(f"smdvs's event stream can't be registered: {outcome.problems}")


def _load_account(platform: Platform, member: _Member) -> str:
    present = accounts.find_account_id(platform, member.login_name)
    if present is not None:
        return present
    account = AccountView(random_id(), member.login_name, member.phone, f"{member.login_name}@example.com")
    outcome = registration.create_account(platform, account, platform.passwords.hash(PASSWORD), ORIGIN)
    if isinstance(outcome, AccountView):
        return outcome.account_id
    quicker = accounts.find_account_id(platform, member.login_name)
    if quicker is None:
        raise ValueError(f"{member.login_name} can't be made: {outcome.code}")
    return quicker


def _load_identity(platform: Platform, member: _Member, account_id: str) -> None:
    """What 实名认证 leaves behind, without scans: these people have none."""
    subject = _subject(member)
    if subject is None:
        return
    try:
        with transaction() as session:
            account = rows.find_account(session, account_id)
            if account is None or account.verification_status != "unverified":
                return
            enterprise_id = identities.give(session, platform.keyring.fields, account, subject, clock.now())
            audit.record(
                session,
                AuditEvent.REAL_NAME_APPROVE,
                ORIGIN,
                account_id=account_id,
                enterprise_id=enterprise_id,
            )
    except IntegrityError:
        return  # another load has just done it


def _subject(member: _Member) -> Subject | None:
    if member.enterprise is not None:
        return LegalPerson(
            organization_type="limited_company",
            legal_person_type="enterprise",
            address=ADDRESS,
            **member.enterprise,
        )
    person = PERSON_OF_ACCOUNT.get(member.login_name)
    if person is None:
        return None
    return NaturalPerson(address=ADDRESS, valid_from=date(2020, 1, 1), valid_until=None, **person)


def _load_rights(platform: Platform, member: _Member, account_id: str) -> None:
    if member.administrator:
        accounts.set_platform_role(platform, account_id, "administrator", True, ORIGIN)
    for role in member.roles:
        accounts.set_role(platform, account_id, CLIENT_ID, role, True, ORIGIN)


def _load_authorization(
    platform: Platform, account_id: str, enterprise: Mapping[str, str], *, approved: bool
) -> None:
    """Apply, and let the enterprise approve; an authorisation that has gone on since is left as it is."""
    code = enterprise["enterprise_credit_code"]
    if not _authorizations(platform, account_id, code):
        form = HandlerApplicationForm(enterprise["enterprise_name"], code, (MATTER,), None)
        handlers.apply(platform, account_id, form, ORIGIN)
    mine = _authorizations(platform, account_id, code)
    if approved and len(mine) == 1 and mine[0].status == "pending":
        handlers.decide(platform, _legal_account(platform, enterprise), mine[0].id, "approve", ORIGIN)


def _authorizations(platform: Platform, account_id: str, code: str) -> list[handlers.HandlerView]:
    mine = handlers.list_of_account(platform, account_id)
    return [authorization for authorization in mine if authorization.enterprise_credit_code == code]


def _legal_account(platform: Platform, enterprise: Mapping[str, str]) -> str:
    login_name = next(m.login_name for m in MEMBERS if m.enterprise is enterprise)
    account_id = accounts.find_account_id(platform, login_name)
    if account_id is None:
        raise LookupError(login_name)
    return account_id
