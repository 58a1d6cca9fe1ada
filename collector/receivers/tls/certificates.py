"""The name in a publisher's certificate, and why a certificate was not accepted.

Does: find the one name by which a verified certificate is known, from the values that ``ssl`` gives
and from the octets that other libraries give, and turn OpenSSL's verdicts into reason words and
sentences. Does not: verify anything.

Rules: the name is the first dNSName of the subjectAltName, else its first URI, else its first
iPAddress, else the common name of the subject (RFC 9525 names them in that order of worth; a common
name alone is what old devices have). A name that cannot be printed is written with escapes, so that
two names never look alike.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from collector.model import CERTIFICATE_SESSION

_LONGEST_NAME: Final = 256
"""Letters of a name that are kept (ours); DNS allows 253."""

NO_CLIENT_CERTIFICATE: Final = "no-client-certificate"
NAME_NOT_ALLOWED: Final = "name-not-allowed"
BAD_CERTIFICATE: Final = "bad-certificate"

_OF_CODE: Final[Mapping[int, str]] = {
    2: "unknown-authority",
    7: "unknown-authority",  # an authority of the same name has another key
    9: "certificate-not-yet-valid",
    10: "expired-certificate",
    18: "unknown-authority",  # self-signed
    19: "unknown-authority",
    20: "unknown-authority",
    21: "unknown-authority",
    23: "revoked-certificate",
    24: "unknown-authority",  # signed by something that is no authority
    26: "wrong-purpose",
    27: "unknown-authority",
}
"""X509_V_ERR_* of OpenSSL -> reason."""
SENTENCES: Final[Mapping[str, str]] = {
    "unknown-authority": "its certificate is not signed by an authority in client_ca_file",
    "certificate-not-yet-valid": "its certificate is not valid yet; is one of the clocks wrong?",
    "expired-certificate": "its certificate has expired",
    "revoked-certificate": "its certificate was revoked",
    "wrong-purpose": "its certificate is not meant for clients (extended key usage)",
    BAD_CERTIFICATE: "its certificate cannot be accepted",
    NO_CLIENT_CERTIFICATE: "it shows no certificate and client_certificates is required",
    NAME_NOT_ALLOWED: "the name in its certificate is not in client_names",
}
"""Reason -> why, to follow "refused ADDRESS: "."""


def reason_of_code(code: int) -> str:
    """The reason word of a verification error of OpenSSL (X509_V_ERR_*)."""
    return _OF_CODE.get(code, BAD_CERTIFICATE)


def session_of(name: str) -> str:
    """What goes into the column ``session`` for a verified certificate of that name."""
    return CERTIFICATE_SESSION + name if name else ""


def is_allowed(name: str, allowed: Sequence[str]) -> bool:
    """Whether ``allowed`` is empty, has the name, or ``*.domain`` of which it is one label below.

    Letters compare without regard to case, as in DNS.
    """
    if not allowed:
        return True
    folded = name.lower()
    _, dot, domain = folded.partition(".")
    wildcard = f"*.{domain}" if dot else ""
    return any(one.lower() in (folded, wildcard) for one in allowed if one)


def name_of_peercert(certificate: Mapping[str, Any] | None) -> str:
    """The name in what ``ssl`` tells of a verified certificate (``getpeercert()``); "" if none."""
    if not certificate:
        return ""
    names = certificate.get("subjectAltName", ())
    of = {kind: [value for one, value in names if one == kind] for kind, _ in names}
    common = [
        value
        for relative in certificate.get("subject", ())
        for kind, value in relative
        if kind == "commonName"
    ]
    return best_name(of.get("DNS", ()), of.get("URI", ()), of.get("IP Address", ()), common)


def name_of_octets(certificate: bytes) -> str:
    """The name in a verified certificate in DER or PEM; "" where it has none.

    Raises:
        ValueError: the octets are no certificate.
    """
    from cryptography import x509  # takes a while to import, and not every transport needs it

    load = x509.load_pem_x509_certificate if b"-----BEGIN" in certificate[:64] else (
        x509.load_der_x509_certificate
    )  # fmt: skip
    read = load(certificate)
    found = read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    common = [str(one.value) for one in found]
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return best_name((), (), (), common)
    return best_name(
        names.get_values_for_type(x509.DNSName),
        names.get_values_for_type(x509.UniformResourceIdentifier),
        map(str, names.get_values_for_type(x509.IPAddress)),
        common,
    )


def expiry_of(certificate: bytes) -> int:
    """When a certificate in PEM expires, seconds since 1970; of a chain the first one.

    Raises:
        ValueError: the octets are no certificate.
    """
    from cryptography import x509

    return int(x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp())


def best_name(
    dns: Iterable[str], uris: Iterable[str], addresses: Iterable[str], common: Iterable[str]
) -> str:
    """The first name there is, in the order of the module text; "" without any."""
    for names, spell in ((dns, str.lower), (uris, str), (addresses, _address), (common, str)):
        for name in names:
            spelled = spell(name.strip())
            if spelled:
                return _printable(spelled)
    return ""


def _address(text: str) -> str:
    """``ssl`` writes out all of an IPv6 address."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _printable(name: str) -> str:
    if not name.isprintable():
        name = name.encode("unicode_escape").decode()
    return name[:_LONGEST_NAME]
