"""How both applications are served: granian, several processes, few threads.

One blocking thread a process is the fastest for an application that computes; one that waits for other
servers (smdvs asks the provider, the provider another platform) gets more. The provider's workers are forked
with its modules imported.
"""

from __future__ import annotations

import sys

PROVIDER = "wsgi:app"


def granian(
    target: str, port: int, *, host: str = "127.0.0.1", workers: int = 2, threads: int = 1
) -> list[str]:
    """The command that serves the WSGI application ``module:name`` over HTTP/1.1."""
    program = "deploy.preloaded" if target == PROVIDER else "granian"
    return [
        *(sys.executable, "-m", program, "--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--workers-kill-timeout", "5"),
        target,
    ]
