from __future__ import annotations

from collections.abc import Callable

import pytest

from idp.domain.audit import AuditEvent
from idp.domain.throttling import HANDLER_APPLICATIONS_OF_ACCOUNT
from idp.services import audit, handlers, outbox
from idp.services.platform import Platform
from tests.people import (
    ORIGIN,
)
from tests.services.authorising import (
    People,
    add_people,
    applied,
    apply,
    code,
    decided,
    phone,
)
from tests.services.conftest import MovableClock


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    return make_platform()


@pytest.fixture
def people(platform: Platform) -> People:
    return add_people(platform)


def test_each_step_is_told_to_the_other_side_by_sms(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    decided(platform, people.maker, view, "revoke")
    decided(platform, people.maker, applied(platform, people.li), "refuse")
    handlers.withdraw(platform, people.li.id, applied(platform, people.li).id, ORIGIN)
    person, enterprise = phone(platform, people.li.id), phone(platform, people.maker.legal_account_id)
    messages = list(reversed(outbox.list_recent_sms(platform)))
    assert [(message.purpose, message.phone) for message in messages] == [
        ("handler_applied", enterprise),
        ("handler_approved", person),
        ("handler_revoked", person),
        ("handler_applied", enterprise),
        ("handler_refused", person),
        ("handler_applied", enterprise),
        ("handler_withdrawn", enterprise),
    ]
    assert "*示例" in messages[0].text
    assert all("示例新能源汽车有限公司" in message.text for message in messages)


def test_each_step_is_in_the_trail(platform: Platform, people: People) -> None:
    view = decided(platform, people.maker, applied(platform, people.li), "approve")
    decided(platform, people.maker, view, "revoke")
    second = decided(platform, people.maker, applied(platform, people.li), "refuse")
    third = applied(platform, people.li)
    handlers.withdraw(platform, people.li.id, third.id, ORIGIN)
    legal = people.maker.legal_account_id
    entries = list(reversed(audit.list_entries(platform)))
    assert [(entry.event, entry.account_id, entry.object_id) for entry in entries] == [
        (AuditEvent.HANDLER_APPLY, people.li.id, view.id),
        (AuditEvent.HANDLER_APPROVE, legal, view.id),
        (AuditEvent.HANDLER_REVOKE, legal, view.id),
        (AuditEvent.HANDLER_APPLY, people.li.id, second.id),
        (AuditEvent.HANDLER_REFUSE, legal, second.id),
        (AuditEvent.HANDLER_APPLY, people.li.id, third.id),
        (AuditEvent.HANDLER_WITHDRAW, people.li.id, third.id),
    ]
    assert {entry.enterprise_id for entry in entries} == {people.maker.id}


def test_nobody_sends_messages_without_end(
    platform: Platform, people: People, moving_clock: MovableClock
) -> None:
    for _ in range(HANDLER_APPLICATIONS_OF_ACCOUNT.most):
        handlers.withdraw(platform, people.li.id, applied(platform, people.li).id, ORIGIN)
    assert code(apply(platform, people.li)) == "too_many_attempts"
    assert applied(platform, people.wang).status == "pending"


def test_without_throttling_nobody_counts(make_platform: Callable[..., Platform], people: People) -> None:
    lifted = make_platform(throttle=False)
    for _ in range(HANDLER_APPLICATIONS_OF_ACCOUNT.most + 1):
        handlers.withdraw(lifted, people.li.id, applied(lifted, people.li).id, ORIGIN)
    assert applied(lifted, people.li).status == "pending"
