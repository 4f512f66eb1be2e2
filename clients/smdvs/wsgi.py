"""What a WSGI server loads: ``clients.smdvs.wsgi:app``.
Refuses to start on a faulty environment, naming every fault.
"""

from __future__ import annotations

import os
import sys

from clients.smdvs.app import create_app
from clients.smdvs.config import ConfigError, Settings

try:
    app = create_app(Settings.from_env(os.environ))
except ConfigError as error:
    sys.exit(str(error))
