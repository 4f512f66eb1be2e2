"""The name under which a file is kept and given out: what its owner called it, without what could deceive."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from clients.smdvs.attachment_kinds import SUFFIXES

MAX_NAME = 120
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(filename: str) -> str:
    """The last part of a path of any system, without control, direction and other invisible characters."""
    last = PurePosixPath(PureWindowsPath(filename).name).name
    seen = "".join(character for character in last if unicodedata.category(character) not in _INVISIBLE)
    return _shortened(unicodedata.normalize("NFC", seen).strip(" ."))


def suits(name: str, content_type: str) -> bool:
    """Whether a name ends as files of that type do."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES[content_type]


def _shortened(name: str) -> str:
    """At most MAX_NAME characters, the ending kept."""
    suffix = PurePosixPath(name).suffix[:10]
    stem = name.removesuffix(suffix)
    return stem[: MAX_NAME - len(suffix)] + suffix
