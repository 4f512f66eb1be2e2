"""How often something may be done, and who is counted for it: a table of named limits.

A limit counts an ``account``, a ``phone``, an ``address`` or a pair of them. What is counted is what was
typed, or where it came from, or who is signed in; never what was found, which would tell whether it is there.
Limits of sign-in and of text messages to one phone (contract: 5 failures, 10 a day) are in ``accounts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from idp.domain import accounts

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` ``within`` a time that begins with the first; beyond, ``refusal`` at ``field``."""

    name: str
    counted: tuple[str, ...]
    most: int
    within: timedelta
    refusal: str
    field: str | None = None

    @property
    def of_an_address(self) -> bool:
        """Whether an address is counted; on a developer's machine everybody has the same."""
        return "address" in self.counted


SMS_OF_ADDRESS: Final = Limit(
    "sms",
    ("address",),
    accounts.SMS_PER_ADDRESS,
    accounts.SMS_ADDRESS_WINDOW,
    "sms_address_limit",
    "sms_code",
)
# For all purposes together: what one purpose allows a day, three times.
SMS_OF_PAIR: Final = Limit("sms", ("phone", "address"), 30, DAY, "sms_daily_limit", "sms_code")
REGISTRATIONS_OF_ADDRESS: Final = Limit(
    "registration",
    ("address",),
    accounts.REGISTRATIONS_PER_ADDRESS,
    accounts.REGISTRATION_WINDOW,
    "registration_limit",
)
# Beginning to recover an account: by what was typed to name it, by address, by both.
RECOVERIES_OF_ACCOUNT: Final = Limit("recovery", ("account",), 10, DAY, "recovery_limit")
RECOVERIES_OF_ADDRESS: Final = Limit("recovery", ("address",), 30, HOUR, "recovery_limit")
RECOVERIES_OF_PAIR: Final = Limit("recovery", ("account", "address"), 5, HOUR, "recovery_limit")
REAL_NAME_OF_ACCOUNT: Final = Limit("real-name", ("account",), 20, DAY, "too_many_attempts")
# Each sends the enterprise a message: nobody may send them without end.
HANDLER_APPLICATIONS_OF_ACCOUNT: Final = Limit("handler", ("account",), 20, DAY, "too_many_attempts")
# So does an invitation, to a phone that may be a stranger's.
INVITATIONS_OF_ACCOUNT: Final = Limit("invitation", ("account",), 30, DAY, "too_many_attempts")
INVITATIONS_OF_PHONE: Final = Limit("invitation", ("phone",), 5, DAY, "too_many_attempts", "phone")
UPLOADS_OF_ACCOUNT: Final = Limit("upload", ("account",), 60, HOUR, "upload_limit")
UPLOADS_OF_ADDRESS: Final = Limit("upload", ("address",), 300, HOUR, "upload_limit")
UPLOADED_BYTES_OF_ACCOUNT: Final = Limit("uploaded-bytes", ("account",), 150 * MEGABYTE, HOUR, "upload_limit")
UPLOADED_BYTES_OF_ADDRESS: Final = Limit("uploaded-bytes", ("address",), 600 * MEGABYTE, HOUR, "upload_limit")
PICTURES_OF_ADDRESS: Final = Limit("captcha-picture", ("address",), 600, HOUR, "captcha_limit")
# A recording takes a sixth of a second to make.
RECORDINGS_OF_ADDRESS: Final = Limit("captcha-recording", ("address",), 120, HOUR, "captcha_limit")
# Each beginning costs the other platform a call; an address may be a whole office's.
UPSTREAM_OF_ADDRESS: Final = Limit("upstream", ("address",), 600, HOUR, "upstream_limit")
# Each reads everything that is kept of a person.
EXPORTS_OF_ACCOUNT: Final = Limit("export", ("account",), 5, DAY, "export_limit")

LIMITS: Final = (
    SMS_OF_ADDRESS,
    SMS_OF_PAIR,
    REGISTRATIONS_OF_ADDRESS,
    RECOVERIES_OF_ACCOUNT,
    RECOVERIES_OF_ADDRESS,
    RECOVERIES_OF_PAIR,
    REAL_NAME_OF_ACCOUNT,
    HANDLER_APPLICATIONS_OF_ACCOUNT,
    INVITATIONS_OF_ACCOUNT,
    INVITATIONS_OF_PHONE,
    UPLOADS_OF_ACCOUNT,
    UPLOADS_OF_ADDRESS,
    UPLOADED_BYTES_OF_ACCOUNT,
    UPLOADED_BYTES_OF_ADDRESS,
    PICTURES_OF_ADDRESS,
    RECORDINGS_OF_ADDRESS,
    UPSTREAM_OF_ADDRESS,
    EXPORTS_OF_ACCOUNT,
)
