from __future__ import annotations

import re
from dataclasses import replace

import pytest

from idp.domain.clients import Client
from idp.services.platform import Platform
from idp.services.subjects import sub_of

PUBLIC = Client(client_id="a", client_name="A", redirect_uris=("https://a.example/cb",))
PAIRWISE = replace(PUBLIC, subject_type="pairwise")
OTHER_SECTOR = replace(PAIRWISE, client_id="b", redirect_uris=("https://b.example/cb",))


def test_a_public_subject_is_the_account(platform: Platform) -> None:
    assert sub_of(platform, PUBLIC, "account-1") == "account-1"


@pytest.mark.checklist(71, 112)
def test_a_pairwise_subject_is_one_of_its_own_in_each_sector(platform: Platform) -> None:
    accounts = [sub_of(platform, PAIRWISE, f"account-{n}") for n in range(3)]
    elsewhere = [sub_of(platform, OTHER_SECTOR, f"account-{n}") for n in range(3)]
    assert len({*accounts, *elsewhere}) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", sub) for sub in accounts)


@pytest.mark.checklist(71, 112)
def test_clients_of_one_sector_know_an_account_by_one_name(platform: Platform) -> None:
    sister = replace(PAIRWISE, client_id="b", redirect_uris=("https://A.example:8443/other",))
    by_document = replace(OTHER_SECTOR, sector_identifier_uri="https://a.example/sector.json")
    names = {sub_of(platform, client, "account-1") for client in (PAIRWISE, sister, by_document)}
    assert len(names) == 1
    assert names == {sub_of(platform, PAIRWISE, "account-1")}


def test_another_platform_gives_other_names(platform: Platform) -> None:
    name = sub_of(platform, PAIRWISE, "account-1")
    assert name != sub_of(replace(platform, keyring=_OtherKeyring()), PAIRWISE, "account-1")  # type: ignore[arg-type]


class _OtherKeyring:
    mac_key = b"another key of another platform."
