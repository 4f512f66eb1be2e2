"""The application as a WSGI server finds it: ``wsgi:app``.

A configuration that can't be served from ends the process here, one line for each fault.
"""

from __future__ import annotations

import gc
import os
import sys

from idp.app import create_app
from idp.config import ConfigurationError, Settings

try:
    app = create_app(Settings.from_env(os.environ))
except ConfigurationError as error:
    sys.exit(str(error))

# What is here now stays: the collector need not walk it, and what a request leaves seldom needs a collector.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
