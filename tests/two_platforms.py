"""Two installations of this product: at one people sign in by their accounts at the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp.domain.upstream import SCOPES
from tests.applications import Applications, free_ports, serving
from tests.journeys.people import DEMO_PASSWORD, Person, scan

ENVIRON = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}
CLIENT_ID = "miit-platform"
LI_PHONE = "19900008001"


@dataclass(frozen=True)
class Platforms:
    """Both: ``national`` answers as ``localhost``, so that a browser keeps their cookies apart."""

    here: Applications
    national: Applications
    national_url: str
    directories: tuple[Path, ...]

    def audit(self) -> list[dict[str, Any]]:
        """The trail here, oldest first."""
        return trail(self.here)


@contextmanager
def two_platforms(here_directory: Path, national_directory: Path) -> Iterator[Platforms]:
    """Both while the block runs, each a client of nobody but as an operator would register it."""
    port, here_port = free_ports(2)
    url = f"http://localhost:{port}"
    of_national = ENVIRON | {"IDP_PORT": str(port), "IDP_ISSUER": url}
    of_here = ENVIRON | {
        "IDP_PORT": str(here_port),
        "IDP_UPSTREAM_ISSUER": url,
        "IDP_UPSTREAM_CLIENT_ID": CLIENT_ID,
    }
    directories = national_directory, here_directory
    with serving(directories[0], of_national) as national, serving(directories[1], of_here) as here:
        national.register(
            {
                "client_id": CLIENT_ID,
                "client_name": "工业和信息化部政务服务平台",
                "redirect_uris": [f"{here.idp_url}/login/national/callback"],
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks_uri": f"{here.idp_url}/login/national/jwks.json",
                "scope": " ".join(SCOPES),
                "id_token_signed_response_alg": "ES256",
                "userinfo_signed_response_alg": "ES256",
                "userinfo_encrypted_response_alg": "ECDH-ES",
                "userinfo_encrypted_response_enc": "A256GCM",
            }
        )
        yield Platforms(here, national, url, directories)


def trail(running: Applications) -> list[dict[str, Any]]:
    """What the audit trail says, oldest first."""
    file = running.idp_environ["IDP_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM audit_events ORDER BY id").fetchall()
    return [dict(row) for row in rows]


def register_li(guest: Person) -> None:
    """李示例 registers where the guest is, as ``li_shili``, and is verified; leaves the guest signed in."""
    guest.register("li_shili", LI_PHONE, DEMO_PASSWORD)
    form = {
        "subject_type": "natural_person",
        "real_name": "李示例",
        "document_type": "id_card",
        "document_number": "990101199001010027",
        "address": "示例市演示区样板路3号",
        "valid_from": "2020-01-01",
        "permanent": "y",
    }
    page = guest.open("/account/verification?subject_type=natural_person")
    page = guest.submit(page, "action=submit", form, files={"document_scan": scan()})
    assert "已实名认证" in page.text, page.text
