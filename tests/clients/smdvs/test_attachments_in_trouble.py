"""Uploads while the disk is full and while processes are killed: whole or not at all, and smdvs goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text

from clients.rp import clock
from clients.smdvs import attachments
from clients.smdvs.attachment_kinds import MEGABYTE
from clients.smdvs.attachments import Kept
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner
from tests.applications import ROOT
from tests.clients.conftest import Browser, make_settings, running, system_of
from tests.clients.files import multipart, picture
from tests.clients.provider import ENTERPRISE, TestProvider

OWNER = Owner("person-1", ENTERPRISE)
FORM = "a" * 22
DISK = 8 * MEGABYTE
PHOTO = picture("JPEG")

# Uploads one file after the other until it is killed; a line for each that was acknowledged.
UPLOADER = """
import os, sys
from clients.rp import clock
from clients.smdvs import attachments, system
from clients.smdvs.attachments import Upload
from clients.smdvs.config import Settings
from clients.smdvs.tickets import Owner
from tests.clients.files import picture
made, owner = system.build(Settings.from_env(os.environ)), Owner("person-1", sys.argv[1])
while True:
    content = picture("JPEG") + os.urandom(4_000_000)
    kept = attachments.keep_upload(
        made, owner, None, Upload("a.jpg", content), "other", clock.now()
    )
    print(kept.id, flush=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes; where nobody may mount one, an ordinary directory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    yield disk
    if mounted:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def full_smdvs(small_disk: Path, tmp_path: Path, provider: TestProvider) -> Iterator[Flask]:
    """smdvs whose database has no more than DISK."""
    yield from running(
        make_settings(f"sqlite:///{small_disk / 'smdvs.sqlite3'}", tmp_path, provider), provider
    )


def files_and_pieces(system: System) -> tuple[int, int, int]:
    """Files, their pieces, and the pieces that they should have."""
    with system.database.reading() as session:
        files, wanted = session.execute(
            text("SELECT count(*), coalesce(sum(chunks), 0) FROM attachments")
        ).one()
        pieces = session.execute(text("SELECT count(*) FROM attachment_chunks")).scalar_one()
    return files, pieces, wanted


@pytest.mark.parametrize("limit", ["disk", "pages"])
def test_on_a_full_disk_an_upload_is_refused_whole_and_smdvs_goes_on(
    full_smdvs: Flask, provider: TestProvider, limit: str
) -> None:
    system = system_of(full_smdvs)
    if limit == "pages":
        system.database.engine.dispose()
        event.listen(
            system.database.engine,
            "connect",
            lambda connection, _: connection.execute(f"PRAGMA max_page_count = {DISK // 2 // 4096}"),
        )
    browser = Browser(full_smdvs.test_client(), provider)
    browser.sign_in()
    form = browser.form(attachment_kind="site_photo")
    where = f"/smdvs/drafts/{form['draft']}/attachments"
    large = browser.http.post(where, **multipart(form, ("a.jpg", PHOTO + os.urandom(DISK))))
    assert large.status_code in (503, 507), large.text
    assert large.json is not None
    assert "没有保存" in large.json["text"]
    assert files_and_pieces(system) == (0, 0, 0)
    small = browser.http.post(where, **multipart(form, ("b.jpg", PHOTO)))
    assert small.status_code == 201, small.text
    (kept,) = attachments.of_draft(system, OWNER, form["draft"], clock.now())
    assert b"".join(attachments.content(system, kept)) == PHOTO
    assert browser.http.post("/smdvs/reports/new", data=form).status_code == 303


def test_the_form_without_a_script_says_so_too_and_loses_nothing(
    full_smdvs: Flask, provider: TestProvider
) -> None:
    browser = Browser(full_smdvs.test_client(), provider)
    browser.sign_in()
    form = browser.form(attachment_kind="site_photo", action="attach", narrative="写了一半的经过")
    answer = browser.http.post(
        "/smdvs/reports/new", **multipart(form, ("a.jpg", PHOTO + os.urandom(2 * DISK)))
    )
    assert answer.status_code in (422, 503)
    assert "没有保存" in answer.text
    assert "写了一半的经过" in answer.text


def test_a_killed_upload_leaves_nothing_and_an_acknowledged_one_everything(
    smdvs: Flask, provider: TestProvider
) -> None:
    system, chance = system_of(smdvs), random.Random(7)  # noqa: S311 - when to kill
    acknowledged = [kept_id for _ in range(4) for kept_id in uploads_until_killed(system, chance)]
    files, pieces, wanted = files_and_pieces(system)
    assert pieces == wanted
    assert files >= len(acknowledged) > 0
    for kept_id in acknowledged:
        kept = attachments.find_own(system, OWNER, kept_id, clock.now())
        assert isinstance(kept, Kept)
        assert sum(len(piece) for piece in attachments.content(system, kept)) == kept.size


def uploads_until_killed(system: System, chance: random.Random) -> list[str]:
    settings = system.settings
    environ = os.environ | {
        "SMDVS_ISSUER": settings.issuer,
        "SMDVS_PUBLIC_URL": settings.public_url,
        "SMDVS_DATABASE_URL": settings.database_url,
        "SMDVS_SECRET_KEY": settings.secret_key,
        "SMDVS_KEYS_DIR": str(settings.keys_dir),
        "SMDVS_ENV": settings.env,
        "SMDVS_SMS": settings.sms,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", UPLOADER, ENTERPRISE],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as told:
        first = told.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.wait()
        return [line.strip() for line in (first, *told) if line.endswith("\n")]
