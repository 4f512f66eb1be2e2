"""Where a page may lead back to: paths of our own, never another site."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 600
_OWN: Final = re.compile(r"/(?![/\\])[A-Za-z0-9._~/-]*(\?[A-Za-z0-9._~=&%-]*)?", re.ASCII)


def find_own_path(text: str) -> str | None:
    """The path with its query, if that is all it is; None for anything a browser could take elsewhere."""
    return text if len(text) <= LONGEST and _OWN.fullmatch(text) else None
