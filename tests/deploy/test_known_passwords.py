from __future__ import annotations

import gzip

from deploy import known_passwords
from idp.domain import passwords
from idp.services.known_passwords import FILE, is_well_known


def test_the_bundled_list_is_what_its_script_makes() -> None:
    assert known_passwords.TARGET == FILE
    bundled = gzip.decompress(FILE.read_bytes()).decode("ascii").splitlines()
    assert bundled == known_passwords.known_passwords()
    assert 50_000 < len(bundled) < 150_000


def test_each_entry_would_pass_the_rules_of_composition() -> None:
    assert all(map(known_passwords.keeps_the_rules, known_passwords.known_passwords()))


def test_what_people_build_first_is_in_it() -> None:
    for password in ("Admin@123", "P@ssw0rd1", "Password123!", "1qaz@WSX3edc", "Woaini1314!", "Zhang@123456"):
        assert is_well_known(passwords.fold(password)), password
    for password in ("Demo#2026pass", "T7#kqPw2vL9"):
        assert not is_well_known(passwords.fold(password)), password
