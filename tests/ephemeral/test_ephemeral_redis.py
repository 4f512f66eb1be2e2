from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from idp.ephemeral import EphemeralUnavailable
from idp.ephemeral.redis import RedisEphemeral

MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.server


class Server:
    """A Redis of this test's own, to be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(redis.RedisError), redis.Redis.from_url(self.url) as connection:
                connection.ping()
                return
            time.sleep(0.02)
        pytest.fail("redis-server does not start")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:  # a socket's path has at most 107 bytes
        made = Server(Path(directory))
        made.start()
        yield made
        made.kill()


@pytest.fixture
def ephemeral(server: Server) -> Iterator[RedisEphemeral]:
    made = RedisEphemeral(server.url)
    yield made
    made.close()


def test_a_lost_redis_is_an_error_answer_and_comes_back_by_itself(
    server: Server, ephemeral: RedisEphemeral
) -> None:
    ephemeral.put("k", b"x", MINUTE)
    server.kill()
    for _ in range(2):
        with pytest.raises(EphemeralUnavailable):
            ephemeral.get("k")
    with pytest.raises(EphemeralUnavailable):
        ephemeral.hit("h", MINUTE)
    with pytest.raises(EphemeralUnavailable):
        ephemeral.check()
    server.start()
    ephemeral.check()
    assert ephemeral.get("k") is None
    assert ephemeral.hit("h", MINUTE).count == 1


def test_a_restart_between_two_verbs_goes_unnoticed(server: Server, ephemeral: RedisEphemeral) -> None:
    assert ephemeral.hit("h", MINUTE).count == 1
    server.kill()
    server.start()
    assert ephemeral.hit("h", MINUTE).count == 1


def test_a_redis_that_hangs_is_given_up(
    server: Server, ephemeral: RedisEphemeral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.ephemeral.redis.SOCKET_TIMEOUT_SECONDS", 0.1)
    impatient = RedisEphemeral(server.url)
    impatient.put("k", b"x", MINUTE)
    server.signal(signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(EphemeralUnavailable):
        impatient.get("k")
    assert time.monotonic() - started < 2
    server.signal(signal.SIGCONT)
    assert impatient.get("k") == b"x"
    impatient.close()


def test_keys_stand_under_a_prefix_of_their_own(server: Server) -> None:
    one, other = RedisEphemeral(server.url, "one:"), RedisEphemeral(server.url, "other:")
    one.put("k", b"x", MINUTE)
    assert other.get("k") is None
    with redis.Redis.from_url(server.url) as connection:
        assert connection.keys() == [b"one:k"]
    one.close()
    other.close()


def test_nothing_is_left_in_redis_without_an_end(server: Server, ephemeral: RedisEphemeral) -> None:
    ephemeral.put("value", b"x", MINUTE)
    ephemeral.claim("claim", MINUTE)
    ephemeral.hit("hit", MINUTE)
    ephemeral.hit("hit", MINUTE)
    with redis.Redis.from_url(server.url) as connection:
        left = [connection.pttl(f"idp:{key}") for key in ("value", "claim", "hit")]
    assert all(isinstance(milliseconds, int) and 59_000 < milliseconds <= 60_000 for milliseconds in left)
