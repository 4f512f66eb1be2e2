"""The application as a WSGI server finds it: ``wsgi:app``.

A configuration that can't be served from ends the process here, one line for each fault.
"""

from __future__ import annotations

import gc

gc.disable()  # what is made from here on stays; walking it over and over is a tenth of the start

# Imports after a statement: it has to come before them.
import os  # noqa: E402
import sys  # noqa: E402

from idp.app import create_app  # noqa: E402
from idp.config import ConfigurationError, Settings  # noqa: E402

try:
    app = create_app(Settings.from_env(os.environ))
except ConfigurationError as error:
    sys.exit(str(error))

# The collector need not walk what is here now. Rarer runs than these save no time that can be measured,
# and what waits for them costs memory: at 20,000 it is 13 MiB a worker.
gc.freeze()
gc.set_threshold(3_000, 10, 20)
gc.enable()
