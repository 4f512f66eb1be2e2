"""The TLS settings that deploy/ gives a proxy, tried on a real one."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import common_name, issue

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {directory}/server.pem;
        ssl_certificate_key {directory}/server.pem;
        include {root}/deploy/nginx-tls.conf;
        return 204;
    }}
}}
"""
WEAK = "ALL:@SECLEVEL=0"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A proxy with our settings."""
    directory = tmp_path_factory.mktemp("nginx")
    issue(common_name("localhost")).save(directory, "server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    file = directory / "nginx.conf"
    file.write_text(CONFIGURATION.format(directory=directory, port=number, root=ROOT))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with subprocess.Popen([program, "-c", str(file), "-p", str(directory)]) as process:
        try:
            _wait_for(number)
            yield number
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not answer")


def shaken(port: int, version: ssl.TLSVersion, ciphers: str = WEAK) -> str | None:
    """The cipher that client and proxy agree on; None when they don't."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain) as encrypted,
        ):
            agreed = encrypted.cipher()
            return agreed[0] if agreed else None
    except (ssl.SSLError, ConnectionResetError):
        return None


@pytest.mark.checklist(108)
def test_the_newest_version_is_spoken(port: int) -> None:
    assert shaken(port, ssl.TLSVersion.TLSv1_3) is not None


@pytest.mark.checklist(108)
@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
def test_the_version_before_is_spoken_with_forward_secrecy_and_gcm(port: int, cipher: str) -> None:
    assert shaken(port, ssl.TLSVersion.TLSv1_2, cipher) == cipher


@pytest.mark.checklist(108)
@pytest.mark.parametrize(
    "cipher",
    [
        "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
        "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "AES128-GCM-SHA256:@SECLEVEL=0",
        "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-CCM",
        "aNULL:@SECLEVEL=0",
    ],
)
def test_nothing_weaker_or_other_is(port: int, cipher: str) -> None:
    assert shaken(port, ssl.TLSVersion.TLSv1_2, cipher) is None


@pytest.mark.checklist(108)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(port: int, version: ssl.TLSVersion) -> None:
    assert shaken(port, version) is None
