"""Real X.509 certificates for the tests: of an authority, self-signed, of any validity and name."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

from idp import clock

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    """A certificate with its private key."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate as the TLS handshake carries it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def escaped(self) -> str:
        """The certificate as nginx writes it in ``$ssl_client_escaped_cert``."""
        return quote(self.pem, safe="")

    @property
    def structured(self) -> str:
        """The certificate as RFC 9440 §2.1 writes it in ``Client-Cert``."""
        return f":{b64encode(self.der).decode()}:"

    def jwk(self, *, chain: bool = False, **more: Any) -> dict[str, Any]:
        """The public key, with the certificate in ``x5c`` if asked for."""
        bare = ECKey.import_key(self.key.public_key().public_bytes(*_PUBLIC)).as_dict(private=False)
        return dict(bare) | ({"x5c": [b64encode(self.der).decode()]} if chain else {}) | more

    def save(self, folder: Path, name: str) -> Path:
        """Key and certificate in one file, as ``ssl`` loads them."""
        path = folder / f"{name}.pem"
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(key + self.pem.encode())
        return path


_PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def common_name(text: str) -> x509.Name:
    """A name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(
    subject: x509.Name,
    issuer: Identity | None = None,
    *,
    names: Iterable[x509.GeneralName] = (),
    key: PrivateKey | None = None,
    starts: datetime | None = None,
    ends: datetime | None = None,
    authority: bool = False,
) -> Identity:
    """A certificate that ``issuer`` signs, or its own key; valid from an hour ago for a day."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.certificate.subject if issuer else subject
    now = clock.now()
    builder = (
        x509.CertificateBuilder(signer, subject, own.public_key(), x509.random_serial_number())
        .not_valid_before(starts or now - timedelta(hours=1))
        .not_valid_after(ends or now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if authority:
        builder = builder.add_extension(_signs_certificates(), critical=True)
    alternatives = list(names)
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return Identity(own, builder.sign(issuer.key if issuer else own, hashes.SHA256()))


def _signs_certificates() -> x509.KeyUsage:
    others = (
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, **dict.fromkeys(others, False)
    )


def asks_for_certificates(server: Path, authority: Identity) -> ssl.SSLContext:
    """A server's TLS that lets clients in without a certificate, and verifies one that is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
