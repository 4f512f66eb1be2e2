"""The verbs on Redis (6.2 or newer): one command, one round trip each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from idp.ephemeral import EphemeralUnavailable, Hit, milliseconds, stored_name

SOCKET_TIMEOUT_SECONDS = 2.0

# Sent whole each time: hashing its two hundred bytes costs Redis less than a lost script costs us.
# Counting and starting the window must be one step: a count left without expiry would lock out for ever.
COUNT = """\
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    return {count, tonumber(ARGV[1])}
end
return {count, redis.call('PTTL', KEYS[1])}
"""


class RedisEphemeral:
    """Keeps the contract of ``Ephemeral`` on the server at ``url`` (``redis://``, ``rediss://``, ``unix://``).

    Connections are pooled and made anew by themselves after the server was away. A command is tried once
    more on a fresh connection: a verb that then counts or claims twice errs on the safe side.
    """

    def __init__(self, url: str, prefix: str = "idp:") -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        self._prefix = prefix

    def put(self, key: str, value: bytes, ttl: timedelta) -> None:
        """SET … PX; a time that isn't positive leaves nothing."""
        if (lifetime := milliseconds(ttl)) > 0:
            self._command("SET", self._name(key), value, "PX", lifetime)
        else:
            self.drop(key)

    def get(self, key: str) -> bytes | None:
        """GET."""
        value: bytes | None = self._command("GET", self._name(key))
        return value

    def take(self, key: str) -> bytes | None:
        """GETDEL."""
        value: bytes | None = self._command("GETDEL", self._name(key))
        return value

    def claim(self, key: str, ttl: timedelta) -> bool:
        """SET … NX PX."""
        lifetime = max(milliseconds(ttl), 1)
        return bool(self._command("SET", self._name(key), b"", "NX", "PX", lifetime))

    def hit(self, key: str, window: timedelta, amount: int = 1) -> Hit:
        """One script: INCRBY, and PEXPIRE on the first."""
        window_ms = max(milliseconds(window), 1)
        count, resets_in_ms = self._command("EVAL", COUNT, 1, self._name(key), window_ms, amount)
        return Hit(count, timedelta(milliseconds=max(resets_in_ms, 0)))

    def drop(self, key: str) -> None:
        """DEL."""
        self._command("DEL", self._name(key))

    def check(self) -> None:
        """For readiness: ``EphemeralUnavailable`` when the server doesn't answer."""
        self._command("PING")

    def close(self) -> None:
        """Give the connections back to the system."""
        self._redis.close()

    def _name(self, key: str) -> str:
        return self._prefix + stored_name(key)

    def _command(self, *parts: str | bytes | int) -> Any:
        try:
            # redis-py gives execute_command no types.
            return self._redis.execute_command(*parts)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            raise EphemeralUnavailable from error
