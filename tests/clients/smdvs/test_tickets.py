"""Whose form it is: nobody can write that but us."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from clients.rp import clock
from clients.smdvs import drafts, tickets
from clients.smdvs.lifecycle import Act
from clients.smdvs.tickets import FIRST, TICKET_TTL, Owner, Sheet, Ticket
from tests.clients.conftest import system_of
from tests.clients.provider import ENTERPRISE

TICKET = Ticket(Owner("person-1", ENTERPRISE), FIRST)
LATER = Ticket(TICKET.owner, Sheet(Act.SUPPLEMENT, "SMDVS-20261123-0001"))


@pytest.mark.parametrize("ticket", [TICKET, LATER])
def test_a_ticket_says_again_whose_form_it_is_and_what_for(smdvs: Flask, ticket: Ticket) -> None:
    system, draft_id, now = system_of(smdvs), drafts.new_id(), clock.now()
    text = tickets.issue(system, draft_id, ticket, now)
    assert tickets.read(system, draft_id, text, now) == ticket
    assert "person-1" not in text


def test_a_ticket_is_good_for_its_own_form_and_time(smdvs: Flask) -> None:
    system, draft_id, now = system_of(smdvs), drafts.new_id(), clock.now()
    text = tickets.issue(system, draft_id, TICKET, now)
    assert tickets.read(system, drafts.new_id(), text, now) is None
    assert tickets.read(system, draft_id, text, now + TICKET_TTL - timedelta(seconds=2)) == TICKET
    assert tickets.read(system, draft_id, text, now + TICKET_TTL) is None


@pytest.mark.parametrize("text", ["", "x", "c.", "c.AAAA", "中文", "c." + "A" * 500])
def test_a_ticket_that_is_not_ours_says_nothing(smdvs: Flask, text: str) -> None:
    assert tickets.read(system_of(smdvs), drafts.new_id(), text, clock.now()) is None


def test_a_form_is_found_by_what_it_is_for() -> None:
    assert TICKET.sheet.path == "reports/new"
    assert LATER.sheet.path == "reports/SMDVS-20261123-0001/supplement"
