"""Text messages: their texts, and the ways they leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import requests

from clients.smdvs.config import Settings

SIGNATURE: Final = "【新能源汽车事故上报】"
CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 7.0

# What a text says is known to anybody who sees the phone: a number of a report, a time, and nothing else.
_TEXTS: Final[Mapping[str, str]] = {
    "detailed_half": "事故上报{report_no}的详报应于{due}前提交，时限已过半，请抓紧调查并登录提交。",
    "detailed_24h": "事故上报{report_no}的详报将于{due}截止，剩余不足24小时，请登录提交。",
    "detailed_4h": "事故上报{report_no}的详报将于{due}截止，剩余不足4小时，请立即登录提交。",
    "detailed_overdue": "事故上报{report_no}的详报已于{due}逾期，请立即登录提交并说明原因，逾期仍会接收。",
    "returned": "事故上报{report_no}已被退回补正，请登录查看原因，修改后重新提交详报。",
    "draft_4h": "您有一份尚未提交的事故快报草稿，将于{due}截止，剩余不足4小时，请登录提交。",
    "draft_1h": "您有一份尚未提交的事故快报草稿，将于{due}截止，剩余不足1小时，请立即登录提交。",
    "draft_overdue": "您有一份尚未提交的事故快报草稿，已于{due}超过时限，请立即登录提交，迟报仍会接收。",
}
KINDS: Final = frozenset(_TEXTS)


def text(kind: str, parameters: Mapping[str, str]) -> str:
    """The whole message; KeyError for an unknown kind or a missing parameter."""
    return SIGNATURE + _TEXTS[kind].format_map(parameters)


class SmsError(Exception):
    """The gateway did not take the message. The text says why without naming the phone; worth another try."""


class Gateway(Protocol):
    """Something that sends one message to one phone, or raises SmsError."""

    def send(self, phone: str, message: str, reference: str) -> None:
        """Send it; the same ``reference`` again is the same message again."""


class HttpGateway:
    """An operator's gateway, as the platform's: a POST of ``{"phone", "text", "reference"}`` as JSON with a
    bearer token. Any 2xx means that it was taken; ``reference`` lets the gateway drop a repetition.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        # Neither .netrc nor proxy variables of the environment may change who is called and as whom.
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, phone: str, message: str, reference: str) -> None:
        """One POST, bounded in time, never redirected; what the gateway says beyond its status isn't read."""
        body = {"phone": phone, "text": message, "reference": reference}
        try:
            with self._session.post(
                self._url,
                json=body,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
        except requests.RequestException as error:
            # Only the name: the message of an exception may hold the address, and an address its secrets.
            raise SmsError(type(error).__name__) from None
        if not 200 <= status < 300:
            raise SmsError(f"answered {status}")


class DevelopmentOutbox:
    """Development: the row in the outbox is the message, read at ``/smdvs/dev/outbox``; it never leaves."""

    def send(self, phone: str, message: str, reference: str) -> None:
        """Nothing: there is no way from here to a telephone."""


def gateway(settings: Settings) -> Gateway:
    """The gateway that the settings name."""
    if settings.sms == "http" and settings.sms_url and settings.sms_token:
        return HttpGateway(settings.sms_url, settings.sms_token)
    return DevelopmentOutbox()
