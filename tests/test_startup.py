"""What a worker of the server loads before its first request, and what waits until a request needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LATER = ("alembic", "mako", "PIL", "pypdf", "captcha", "requests", "urllib3", "email_validator", "redis")

LOADED = """
import json, sys
import wsgi
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
PRELOADED = """
import json, os, sys, threading
descriptors = set(os.listdir("/proc/self/fd"))
from deploy.preloaded import preload
from idp.config import Settings
preload(Settings.from_env(os.environ))
opened = set(os.listdir("/proc/self/fd")) - descriptors
threads = threading.active_count()
before = {name.partition(".")[0] for name in sys.modules}
made = os.path.exists(os.environ["IDP_KEYS_DIR"])
import wsgi
after = {name.partition(".")[0] for name in sys.modules} - before
print(json.dumps({"opened": sorted(opened), "threads": threads, "made": made, "after": sorted(after)}))
"""


def _run(program: str, directory: Path, **more: str) -> Any:
    """What a fresh process with a new installation's settings prints, as JSON."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    environ |= {
        "IDP_ENV": "development",
        "IDP_SECRET_KEY": "0123456789abcdef" * 3,
        "IDP_DATABASE_URL": f"sqlite:///{directory / 'idp.sqlite3'}",
        "IDP_KEYS_DIR": str(directory / "keys"),
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environ | more, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_worker_starts_without_what_few_requests_need(tmp_path: Path) -> None:
    loaded = _run(LOADED, tmp_path)
    assert "idp" in loaded
    assert not set(LATER) & set(loaded)


@pytest.mark.parametrize(
    "stores",
    [
        {},
        {
            "IDP_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:9/x",
            "IDP_REDIS_URL": "redis://127.0.0.1:9",
        },
    ],
    ids=["embedded", "servers"],
)
def test_the_process_above_the_workers_loads_all_they_load_and_opens_nothing(
    tmp_path: Path, stores: dict[str, str]
) -> None:
    preloaded = _run(PRELOADED, tmp_path, **stores)
    assert preloaded == {"opened": [], "threads": 1, "made": False, "after": ["wsgi"]}
