"""The list of well-known passwords: one text in memory, read when the first password is chosen.

``deploy/known_passwords.py`` says how it is made. A megabyte is searched in half a millisecond, beside which
an Argon2id hash is an age: a set of a hundred thousand strings would cost ten times the memory for nothing.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Final

from idp.domain import passwords

FILE: Final = Path(__file__).with_name("known_passwords.txt.gz")


def is_well_known(folded: str) -> bool:
    """Whether the list has a password that folds to this."""
    return f"\n{folded}\n" in _folded_list()


@cache
def _folded_list() -> str:
    """Every line folded, which keeps the lines apart."""
    return "\n" + passwords.fold(gzip.decompress(FILE.read_bytes()).decode("ascii"))
