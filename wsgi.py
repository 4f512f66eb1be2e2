"""The application as a WSGI server finds it: ``wsgi:app``.

A configuration that can't be served from ends the process here, one line for each fault.
"""

from __future__ import annotations

import gc

gc.disable()  # what is made from here on stays; walking it over and over is a tenth of the start

import os  # noqa: E402
import sys  # noqa: E402

from idp.app import create_app  # noqa: E402
from idp.config import ConfigurationError, Settings  # noqa: E402

try:
    app = create_app(Settings.from_env(os.environ))
except ConfigurationError as error:
    sys.exit(str(error))

# The collector need not walk what is here now, and what a request leaves seldom needs a collector.
gc.freeze()
gc.set_threshold(20_000, 20, 50)
gc.enable()
