"""办件进度编码: a short code for each thing a person has asked of the platform, to be read out and typed."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from idp.domain.identifiers import canonical

PREFIXES: Final = {"real_name": "SM", "handler": "JB"}
"""By kind of matter: 实名认证 and 经办人申请."""
DIGITS: Final = 10
_CODE: Final = re.compile(r"(?:SM|JB)[0-9]{10}", re.ASCII)
_REPORT_NO: Final = re.compile(r"SMDVS-[0-9A-Z-]{1,40}", re.ASCII)


def progress_code(kind: str, object_id: str) -> str:
    """``JB0123456789``: made from the object's id, so that nothing has to be kept, and telling nothing of it.

    It is compared only with the codes of one person's own matters: a guessed one finds nothing.
    """
    digest = hashlib.sha256(f"{kind}:{object_id}".encode()).digest()
    return f"{PREFIXES[kind]}{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}d}"


def find_progress_code(text: str) -> str | None:
    """A code as typed: small letters, full-width characters, spaces and hyphens are understood."""
    code = canonical(text).replace("-", "")
    return code if _CODE.fullmatch(code) else None


def is_report_number(text: str) -> bool:
    """Whether it looks like the number of an accident report, which the reporting system keeps."""
    return _REPORT_NO.fullmatch(canonical(text)) is not None
