"""``/smdvs/events`` is the kit's receiver of security events (RFC 8935).

``python -m clients.smdvs.events`` prints the ``authorization_header`` that the stream is registered with.
"""

from __future__ import annotations

import os
import sys

from clients.rp.flask.relying_party import events_authorization
from clients.smdvs.config import ConfigError, Settings


def authorization_header(settings: Settings) -> str:
    """What the provider shows with each call, derived from the secret key and as good as it."""
    return events_authorization(settings.secret_key)


def main() -> int:
    """Print the header."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(authorization_header(settings) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
