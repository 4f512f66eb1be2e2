"""A maker's program at the JSON API, in a line for each call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.clients.documents import report_json
from tests.clients.provider import Person, TestProvider

REPORTS = "/smdvs/api/v1/reports"


@dataclass
class Program:
    """Calls with one token; ``key`` is an Idempotency-Key, ``seen`` the version for If-Match."""

    app: Flask
    token: str

    @classmethod
    def of(cls, app: Flask, provider: TestProvider, person: Person | None = None) -> Program:
        return cls(app, provider.access_token(person))

    def get(self, path: str = "", **headers: str) -> TestResponse:
        return self.app.test_client().get(REPORTS + path, headers=self._headers(headers))

    def post(self, path: str, body: Any, *, key: str | None = None, seen: str | None = None) -> TestResponse:
        headers = {name: value for name, value in (("Idempotency-Key", key), ("If-Match", seen)) if value}
        return self.app.test_client().post(REPORTS + path, json=body, headers=self._headers(headers))

    def report(self, key: str | None = None, **changes: Any) -> str:
        """The number of a new report."""
        answer = self.post("", report_json(**changes), key=key)
        assert answer.status_code == 201, answer.text
        return str(member(answer, "report_no"))

    def supplement(
        self, report_no: str, seen: str | None = '"1"', key: str | None = None, **changes: Any
    ) -> TestResponse:
        body = {"kind": "supplement", "report": report_json(**changes)}
        return self.post(f"/{report_no}/versions", body, seen=seen, key=key)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}


def member(answer: TestResponse, name: str) -> Any:
    """A member of the answer's object."""
    assert answer.json is not None, answer.text
    return answer.json[name]
