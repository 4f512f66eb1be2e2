"""What a person typed and must not be shown again, kept sealed for a few minutes.

Without JavaScript 获取验证码 sends the whole form: the password box of the page that comes back is empty,
since a page never holds a password. A random handle in a hidden field stands for what was typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from idp.crypto import DecryptionError, random_token
from idp.web.session import platform

KEPT_TTL = timedelta(minutes=5)
CONTEXT = "ephemeral.kept"


def keep(values: Mapping[str, str], bound_to: str) -> str:
    """Seal the values and return their handle; they open only together with ``bound_to``."""
    handle = random_token()
    sealed = platform().keyring.fields.encrypt(json.dumps(dict(values)), _context(bound_to))
    platform().ephemeral.put(_key(handle), sealed.encode("ascii"), KEPT_TTL)
    return handle


def kept(handle: str, bound_to: str) -> Mapping[str, str]:
    """The values behind the handle, still kept; empty when there are none, or for another ``bound_to``."""
    return _opened(platform().ephemeral.get(_key(handle)) if handle else None, bound_to)


def take(handle: str, bound_to: str) -> Mapping[str, str]:
    """The same, the last time."""
    return _opened(platform().ephemeral.take(_key(handle)) if handle else None, bound_to)


def drop(handle: str) -> None:
    """Forget what the handle stands for."""
    if handle:
        platform().ephemeral.drop(_key(handle))


def _opened(sealed: bytes | None, bound_to: str) -> Mapping[str, str]:
    if sealed is None:
        return {}
    try:
        text = platform().keyring.fields.decrypt(sealed.decode("ascii"), _context(bound_to))
    except DecryptionError:
        return {}
    return cast(Mapping[str, str], json.loads(text))


def _key(handle: str) -> str:
    return f"kept:{handle}"


def _context(bound_to: str) -> str:
    return f"{CONTEXT}:{bound_to}"
