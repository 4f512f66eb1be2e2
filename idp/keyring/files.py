"""Keys as files: one JWK each, mode 0600, written whole or not at all, encrypted if there is a passphrase."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from base64 import urlsafe_b64decode
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from idp.crypto import random_id
from idp.domain.keys import KeyInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".jwk"
LOCK = ".lock"
TEMPORARY_PREFIX = ".new-"
FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
SHORTEST_PASSPHRASE_BYTES = 14
SECRET_BYTES = 32
RSA_BITS = 2048

# RFC 7517 §7 and appendix C. joserfc opens up to 300,000 rounds; each file costs its rounds at every start,
# and the passphrase is a machine's secret, not one that a person remembers.
JWE_HEADER = {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "cty": "jwk+json", "p2c": 200_000}
FAULTS = (ValueError, KeyError, TypeError, OverflowError, JoseError)
"""What the parts of a file that is no key raise."""

JWE_ALGORITHMS = jwe.JWERegistry(algorithms=["PBES2-HS256+A128KW", "A256GCM"])


class KeyringError(Exception):
    """The keys can't be used; ``code`` says why, ``path`` where. The text holds no secret.

    Codes: ``directory_missing``, ``directory_permissions``, ``file_permissions``, ``key_unreadable``,
    ``passphrase_wrong``, ``passphrase_missing``, ``passphrase_short``, ``key_not_encrypted``,
    ``key_missing``, ``key_ambiguous``, ``key_unknown``, ``key_last``, ``key_not_rotatable``.
    """

    def __init__(self, code: str, path: Path | str) -> None:
        super().__init__(f"{code}: {path}")
        self.code = code
        self.path = Path(path)


SigningKey = ECKey | OKPKey | RSAKey
SIGNING_KEYS: dict[str, type[SigningKey]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
PUBLIC_MEMBERS = ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")
"""What a relying party may see (RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2); named one by one, so that nothing else
gets out.
"""


@dataclass(frozen=True)
class StoredKey:
    """A key as its file tells it: ``use`` is ``sig``, ``enc``, ``field``, ``index`` or ``mac``."""

    use: str
    info: KeyInfo
    path: Path
    jwk: dict[str, Any]
    encrypted: bool

    @cached_property
    def key(self) -> SigningKey | bytes:
        """What the program works with, imported once: a private key, or 32 secret bytes.

        Trying whether the primes of an RSA key are some costs 40 ms; a start doesn't wait for that.
        """
        try:
            return _imported(self.jwk)
        except FAULTS as error:
            raise KeyringError("key_unreadable", self.path) from error

    @cached_property
    def public_jwk(self) -> dict[str, Any]:
        """An asymmetric key as the world may see it."""
        return {name: self.jwk[name] for name in PUBLIC_MEMBERS if name in self.jwk}

    @cached_property
    def public_key(self) -> SigningKey:
        """A key as it verifies; importing it costs nothing worth mentioning."""
        return SIGNING_KEYS[self.jwk["kty"]].import_key(self.public_jwk)


ASYMMETRIC_USES = frozenset({"sig", "enc"})

Entry = tuple[str, int, int, int]
"""What a key file looked like: name, inode, time of change and size."""

Seen = tuple[Entry, ...]
"""What a directory looked like."""


def look(directory: Path) -> Seen:
    """The present look of the directory; it differs after any change to a key file. Nothing is opened."""
    try:
        with os.scandir(directory) as entries:
            found = [(entry.name, entry.stat()) for entry in entries if _is_key(entry.name)]
    except OSError as error:
        raise KeyringError("directory_missing", directory) from error
    return tuple(sorted((name, s.st_ino, s.st_ctime_ns, s.st_size) for name, s in found))


def check_directory(directory: Path) -> None:
    """Refuses a directory in which others could put or take keys."""
    try:
        found = directory.stat()
    except OSError as error:
        raise KeyringError("directory_missing", directory) from error
    if not stat.S_ISDIR(found.st_mode):
        raise KeyringError("directory_missing", directory)
    if found.st_mode & 0o022 or found.st_uid not in {0, os.geteuid()}:
        raise KeyringError("directory_permissions", directory)


def prepare_directory(directory: Path) -> None:
    """Makes the directory, and closes it to others if it is ours: a checkout leaves it open by the umask."""
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    if directory.stat().st_uid == os.geteuid():
        directory.chmod(DIRECTORY_MODE)


def read(path: Path, passphrase: str | None) -> StoredKey:
    """The key in a file; ``KeyringError`` names the file and what is wrong with it."""
    content = _content(path)
    encrypted = not content.lstrip().startswith("{")
    try:
        jwk = json.loads(_opened(content, passphrase, path) if encrypted else content)
        use, algorithm, kid = jwk["use"], jwk["alg"], jwk["kid"]
        if path.name != file_name(jwk):
            raise KeyringError("key_unreadable", path)
        info = KeyInfo(kid, algorithm, datetime.fromtimestamp(jwk["iat"], UTC))
        stored = StoredKey(use, info, path, jwk, encrypted)
        _check(stored)
    except FAULTS as error:
        raise KeyringError("key_unreadable", path) from error
    return stored


def write(directory: Path, jwk: dict[str, Any], passphrase: str | None) -> Path:
    """Puts a key into the directory under its own name, at once: written beside, flushed, renamed."""
    path = directory / file_name(jwk)
    content = json.dumps(jwk)
    if passphrase is not None:
        content = jwe.encrypt_compact(dict(JWE_HEADER), content, _secret(passphrase), registry=JWE_ALGORITHMS)
    temporary = directory / f"{TEMPORARY_PREFIX}{random_id()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync(directory)
    return path


def file_name(jwk: dict[str, Any]) -> str:
    """What the file of a key is called."""
    return f"{jwk['use']}-{jwk['alg']}-{jwk['kid']}{SUFFIX}"


def sync(directory: Path) -> None:
    """Makes a rename or a removal in the directory survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One writer at a time, over all processes; the system frees the lock of a process that dies.

    What a writer that died left behind half-written is removed.
    """
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for leftover in directory.glob(f"{TEMPORARY_PREFIX}*"):
            leftover.unlink()
        yield
    finally:
        os.close(descriptor)


def check_passphrase(passphrase: str | None, directory: Path) -> None:
    """Refuses a passphrase so short that guessing it is cheaper than breaking anything else."""
    if passphrase is not None and len(passphrase.encode()) < SHORTEST_PASSPHRASE_BYTES:
        raise KeyringError("passphrase_short", directory)


def _is_key(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")


def _content(path: Path) -> str:
    try:
        found = path.stat()
        if found.st_mode & 0o077 or found.st_uid not in {0, os.geteuid()}:
            raise KeyringError("file_permissions", path)
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyringError("key_unreadable", path) from error


def _opened(content: str, passphrase: str | None, path: Path) -> bytes:
    """A broken form is ``key_unreadable``; a sound one that doesn't open, ``passphrase_wrong``."""
    if content.count(".") != 4:
        raise KeyringError("key_unreadable", path)
    if passphrase is None:
        raise KeyringError("passphrase_missing", path)
    try:
        opened = jwe.decrypt_compact(content.strip(), _secret(passphrase), registry=JWE_ALGORITHMS)
    except JoseError as error:
        raise KeyringError("passphrase_wrong", path) from error
    return opened.plaintext or b""


def _check(stored: StoredKey) -> None:
    """Refuses with one of ``FAULTS`` what is no key of its use."""
    if (stored.jwk["kty"] == "oct") is (stored.use in ASYMMETRIC_USES):
        raise ValueError("keys that others know the public half of are asymmetric, all others are not")
    if stored.jwk["kty"] == "RSA":
        _check_rsa(stored.jwk)
    else:
        stored.key  # noqa: B018 - as good a check as any, and needed anyhow


def _check_rsa(jwk: dict[str, Any]) -> None:
    """Whether the numbers belong together; that the primes are some is seen when the key is first used."""
    RSAKey.validate_dict_key(jwk)
    n, e, d, p, q = (int.from_bytes(_decoded(jwk[name])) for name in ("n", "e", "d", "p", "q"))
    if n.bit_length() < RSA_BITS or p * q != n or any((d * e - 1) % (prime - 1) for prime in (p, q)):
        raise ValueError("no RSA key")


def _imported(jwk: dict[str, Any]) -> SigningKey | bytes:
    """The key in a form to work with; a wrong, short or public one is one of ``FAULTS``."""
    if jwk["kty"] == "oct":
        secret = _decoded(jwk["k"])
        if len(secret) != SECRET_BYTES:
            raise ValueError("a secret key has 32 bytes")
        return secret
    key = SIGNING_KEYS[jwk["kty"]].import_key(jwk)
    if key.private_key is None:
        raise ValueError("a public key can't sign")
    return key


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _secret(passphrase: str) -> OctKey:
    return OctKey.import_key(passphrase.encode())
