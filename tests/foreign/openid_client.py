"""``openid-client`` from npm in a Node.js process of its own, asked by the line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests import npm
from tests.applications import Applications
from tests.foreign.sites import MATTER, SCOPE, Landing, let_in
from tests.journeys.people import Page, Person

SOURCE = Path(__file__).with_name("openid-client")
FILES = ("package.json", "package-lock.json", "client.mjs")


class Refused(Exception):
    """The library refused an answer, or passes on an error of the provider."""

    def __init__(self, explained: Mapping[str, Any]) -> None:
        super().__init__(json.dumps(explained, ensure_ascii=False))


@dataclass(frozen=True)
class Program:
    """The running program, by its standard input and output; commands as in ``client.mjs``."""

    told: IO[str]
    says: IO[str]

    def ask(self, command: str, **given: object) -> Any:
        """The result of a command. Raises Refused."""
        self.begin(command, **given)
        return self.result()

    def begin(self, command: str, **given: object) -> None:
        """Start a command whose result is asked for later."""
        self.told.write(json.dumps({"command": command, **given}) + "\n")
        self.told.flush()

    def result(self) -> Any:
        """The result of the command begun. Raises Refused."""
        line = self.says.readline()
        assert line, "the program has ended"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]


@contextmanager
def running() -> Iterator[Program]:
    """A process of its own while the block runs."""
    with subprocess.Popen(
        [npm.program("node"), "client.mjs"],
        cwd=npm.installed(SOURCE, FILES),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Program(process.stdin, process.stdout)
        finally:
            process.terminate()


@dataclass(frozen=True)
class OpenIdClient:
    """A client of ``platform`` built on it; ``landing`` is where the person's browser comes back to."""

    platform: Applications
    program: Program
    landing: Landing

    def register(self, *, jarm: bool = False, bound: str | None = None, **metadata: Any) -> dict[str, Any]:
        """Register, and read the provider's metadata; the registration.

        ``jarm``: every answer comes signed; ``bound``: prove possession of a key of this algorithm (DPoP).
        """
        client = self.platform.register(
            {
                "client_name": "示例外部系统",
                "redirect_uris": [f"{self.landing.url}/callback"],
                "post_logout_redirect_uris": [f"{self.landing.url}/bye"],
                "grant_types": ["authorization_code", "refresh_token"],
                "scope": SCOPE,
                "matters": [MATTER],
                **metadata,
            }
        )
        self.discover(client, jarm=jarm, bound=bound)
        return client

    def discover(self, client: Mapping[str, Any], **options: Any) -> None:
        """Read the provider's metadata, as this client. ``options`` as for ``register``."""
        self.program.ask("discover", issuer=self.platform.idp_url, client=client, **options)

    def key(self, algorithm: str) -> dict[str, Any]:
        """What a registration says for a client with a key of its own."""
        jwks = self.program.ask("keys", alg=algorithm)
        return {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": algorithm,
            "jwks": jwks,
        }

    def url(self, by: str = "query", **parameters: str) -> str:
        """Where the person goes to sign in; the request travels ``by`` query, par, jar or signedPar."""
        asked = {"redirect_uri": f"{self.landing.url}/callback", "scope": SCOPE, **parameters}
        return str(self.program.ask("authorize", by=by, parameters=asked))

    def answer(self, page: Page) -> dict[str, Any]:
        """The tokens, after the person came back. Raises Refused."""
        tokens: dict[str, Any] = self.program.ask("callback", url=page.url, form=self.landing.form)
        return tokens

    def tokens(self, person: Person, by: str = "query", **parameters: str) -> dict[str, Any]:
        """The tokens of a sign-in with everything on the way."""
        return self.answer(let_in(person, self.url(by, **parameters)))

    def introspect(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """RFC 7662."""
        introspection: dict[str, Any] = self.program.ask("introspect", token=tokens["access_token"])
        return introspection

    def userinfo(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """OIDC Core 5.3."""
        userinfo: dict[str, Any] = self.program.ask(
            "userinfo", token=tokens["access_token"], sub=tokens["claims"]["sub"]
        )
        return userinfo

    def refresh(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """RFC 6749 §6."""
        refreshed: dict[str, Any] = self.program.ask("refresh", token=tokens["refresh_token"])
        return refreshed
