"""The certificates of clients: what a registration may say of them,
and which certificate bears the registered name (RFC 8705 §2.1.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from idp.config import Settings
from idp.domain.client_checks import problem
from idp.domain.clients import CERTIFICATE_METHODS, Client
from idp.domain.errors import Problem

_DESCRIPTORS: Final = {
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "SN": NameOID.SURNAME,
    "givenName": NameOID.GIVEN_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "title": NameOID.TITLE,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}
_ATTRIBUTES: Final = {
    spelling: oid
    for name, oid in _DESCRIPTORS.items()
    for spelling in (name, name.lower(), name.upper())  # a descriptor has no case (RFC 4512 §1.4)
}


def problems_of(settings: Settings, metadata: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with validated ``metadata`` as far as certificates go: nothing that is not there can be
    asked for, and a name that no certificate can bear is a slip of the pen.
    """
    problems = []
    if not settings.mutual_tls and metadata["token_endpoint_auth_method"] in CERTIFICATE_METHODS:
        problems.append(problem("token_endpoint_auth_method", "this provider takes no client certificates"))
    if not settings.mutual_tls and metadata.get("tls_client_certificate_bound_access_tokens"):
        reason = "this provider takes no client certificates"
        problems.append(problem("tls_client_certificate_bound_access_tokens", reason))
    subject, address = metadata.get("tls_client_auth_subject_dn"), metadata.get("tls_client_auth_san_ip")
    if subject is not None and not _distinguished_name(subject):
        problems.append(problem("tls_client_auth_subject_dn", "must be a distinguished name (RFC 4514)"))
    if address is not None and _address(address) is None:
        problems.append(problem("tls_client_auth_san_ip", "must be an IPv4 or IPv6 address"))
    return tuple(problems)


def bears_name(client: Client, certificate: x509.Certificate) -> bool:
    """Whether ``certificate`` bears the one name that the client registered; who issued it is not asked."""
    try:
        return any(
            registered is not None and bears(certificate, registered)
            for registered, bears in (
                (client.tls_client_auth_subject_dn, _has_subject),
                (client.tls_client_auth_san_dns, _has_dns),
                (client.tls_client_auth_san_uri, _has_uri),
                (client.tls_client_auth_san_ip, _has_ip),
                (client.tls_client_auth_san_email, _has_email),
            )
        )
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False  # the certificate's names can't be read


def _has_subject(certificate: x509.Certificate, registered: str) -> bool:
    """Compared as names, not as texts: escapes and the order within a set don't count, values do."""
    name = _distinguished_name(registered)
    return bool(name) and certificate.subject == name


def _distinguished_name(text: str) -> x509.Name | None:
    try:
        return x509.Name.from_rfc4514_string(text, _ATTRIBUTES)
    except ValueError:
        return None


def _has_dns(certificate: x509.Certificate, registered: str) -> bool:
    """Without regard to case (RFC 4343); a wildcard is a name like another and stands for none."""
    return registered.lower() in [name.lower() for name in _alternative_names(certificate, x509.DNSName)]


def _has_uri(certificate: x509.Certificate, registered: str) -> bool:
    return registered in _alternative_names(certificate, x509.UniformResourceIdentifier)


def _has_ip(certificate: x509.Certificate, registered: str) -> bool:
    """Compared as addresses, not as texts."""
    address = _address(registered)
    return address is not None and address in _alternative_names(certificate, x509.IPAddress)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _has_email(certificate: x509.Certificate, registered: str) -> bool:
    """Without regard to the case of the host alone (RFC 5280 §7.5)."""
    names = _alternative_names(certificate, x509.RFC822Name)
    return _mailbox(registered) in [_mailbox(name) for name in names]


def _mailbox(text: str) -> tuple[str, str]:
    local, _, host = text.rpartition("@")
    return local, host.lower()


def _alternative_names(certificate: x509.Certificate, kind: type[Any]) -> list[Any]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value.get_values_for_type(kind))
