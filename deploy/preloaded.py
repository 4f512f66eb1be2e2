"""granian for the provider, its modules imported once, before the workers are forked.

Workers then share what they import, half of their memory, and the machine imports once, not once a worker.
Nothing is opened here, no key, no connection, no thread: each worker makes an application of its own.
A worker started later runs the code of this process; new code needs a new process, not granian's SIGHUP.
"""

from __future__ import annotations

import gc

gc.disable()  # modules are being made, not rubbish: walking them over and over is a tenth of the start

# Imports after a statement: it has to come before them.
import importlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

from granian.cli import entrypoint  # noqa: E402
from sqlalchemy import make_url  # noqa: E402
from sqlalchemy.orm import configure_mappers  # noqa: E402

from idp import app  # noqa: E402, F401 - everything a worker needs whatever its settings
from idp.config import ConfigurationError, Settings  # noqa: E402


def preload(settings: Settings) -> None:
    """Import the drivers of the stores that these settings name, and let the rows know each other."""
    make_url(settings.database_url).get_dialect().import_dbapi()
    if settings.redis_url is not None:
        importlib.import_module("idp.ephemeral.redis")
    configure_mappers()


def main() -> None:
    """Serve as granian's arguments say; a configuration that can't be served from ends the process here."""
    try:
        preload(Settings.from_env(os.environ))
    except ConfigurationError as error:
        sys.exit(str(error))
    gc.freeze()  # the collectors of the workers leave these objects alone, so that their pages stay shared
    gc.enable()
    entrypoint()  # type: ignore[no-untyped-call] # granian gives its command no types


if __name__ == "__main__":
    main()
