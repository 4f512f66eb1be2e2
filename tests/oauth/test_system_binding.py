"""系统绑定: what an account uses, and the end of it reaching tokens, sessions and the system itself."""

from __future__ import annotations

from sqlalchemy import func, select

from idp.services import systems
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.database import reading
from idp.storage.outbox import OutboxMessage
from tests.oauth.browser import ORIGIN, Browser
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People


def entries(event: str) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(Entry.event == event)) or 0


def messages(kind: str) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(OutboxMessage.kind == kind)) or 0


@both_backends
def test_a_system_that_was_used_is_bound_and_says_what_it_learns(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    (bound,) = systems.list_bound(platform, scene.account_id)
    assert (bound.system.client_id, bound.system.name) == (scene.rp.client_id, "测试业务系统")
    assert bound.in_force
    assert bound.last_used_at is not None
    assert {consent.enterprise_name for consent in bound.consents} == {"示例新能源汽车有限公司"}


@both_backends
def test_unbinding_ends_tokens_and_consent_and_is_recorded(scene: Scene, platform: Platform) -> None:
    tokens = scene.tokens()
    assert systems.unbind(platform, scene.account_id, scene.rp.client_id, ORIGIN)
    assert scene.rp.refresh(tokens.refresh_token).status_code == 400
    assert scene.rp.introspect(tokens.access_token) == {"active": False}
    assert systems.list_bound(platform, scene.account_id) == []
    assert entries("consent:withdraw") == 1
    assert not systems.unbind(platform, scene.account_id, scene.rp.client_id, ORIGIN)
    assert entries("consent:withdraw") == 1


def test_the_system_is_told(
    register: RegisterClient, people: People, browser: Browser, platform: Platform
) -> None:
    rp = register(backchannel_logout_uri="https://rp.example/out")
    account_id = people.person()
    browser.sign_in(account_id)
    browser.allow(rp, account_id)
    rp.redeem(browser.code_for(rp, scope="openid"))
    assert systems.unbind(platform, account_id, rp.client_id, ORIGIN)
    assert messages("backchannel_logout") == 1


def test_another_account_or_an_unknown_system_changes_nothing(
    scene: Scene, people: People, platform: Platform
) -> None:
    tokens = scene.tokens()
    stranger = people.person()
    assert systems.list_bound(platform, stranger) == []
    for client_id in (scene.rp.client_id, "no-such-client", "", "x" * 200):
        assert not systems.unbind(platform, stranger, client_id, ORIGIN)
    assert scene.rp.introspect(tokens.access_token)["active"]
    assert entries("consent:withdraw") == 0


def test_a_system_begins_where_its_registration_says(register: RegisterClient, platform: Platform) -> None:
    register(client_name="甲", initiate_login_uri="https://rp.example/start?a=b")
    register(client_name="乙", client_uri="https://rp.example/home")
    register(client_name="丙")
    addresses = {system.name: system.address for system in systems.list_connected(platform)}
    assert addresses == {
        "甲": "https://rp.example/start?a=b&iss=http%3A%2F%2F127.0.0.1%3A5000",
        "乙": "https://rp.example/home",
    }
