"""The application as a WSGI server finds it: ``wsgi:app``.

A configuration that can't be served from ends the process here, one line for each fault.
"""

from __future__ import annotations

import os
import sys

from idp.app import create_app
from idp.config import ConfigurationError, Settings

try:
    app = create_app(Settings.from_env(os.environ))
except ConfigurationError as error:
    sys.exit(str(error))
