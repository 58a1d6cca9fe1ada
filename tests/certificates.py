"""Authorities and certificates for tests, good ones and all kinds of bad ones.

Keys are P-256, which takes a millisecond. Nothing here is ever trusted outside a test's folder.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


class Issued(NamedTuple):
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def files(self) -> tuple[str, str]:
        """As ``load_cert_chain`` takes them."""
        return str(self.certificate), str(self.key)


class Authority:
    """Signs certificates and writes them into a folder."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        certificate = (
            _builder(subject, subject, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{_file_name(name)}-ca.pem"
        """The authority's own certificate."""
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        dns: Sequence[str] = (),
        uris: Sequence[str] = (),
        addresses: Sequence[str] = (),
        common_name: str | None = None,
        days: tuple[float, float] = (-1, 1),
        client: bool = True,
        server: bool = True,
    ) -> Issued:
        """A certificate called like its files.

        Args:
            name: of the files, and the common name where none is given.
            dns, uris, addresses: names in the subjectAltName.
            common_name: of the subject; "" for none.
            days: from when to when it is valid, counted from now.
            client, server: extended key usage.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name if common_name is None else common_name)
        builder = _builder(subject, _subject(self.name), key.public_key(), days)
        alternatives: list[x509.GeneralName] = [
            *map(x509.DNSName, dns),
            *map(x509.UniformResourceIdentifier, uris),
            *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses),
        ]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        usages = [
            usage
            for wanted, usage in (
                (client, ExtendedKeyUsageOID.CLIENT_AUTH), (server, ExtendedKeyUsageOID.SERVER_AUTH)
            )
            if wanted
        ]  # fmt: skip
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return self.write(name, certificate, key)

    def write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> Issued:
        """Put both into files, the key for us alone."""
        issued = Issued(
            self.folder / f"{_file_name(name)}.pem", self.folder / f"{_file_name(name)}.key"
        )
        issued.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        issued.key.chmod(0o600)
        return issued


class Certified(NamedTuple):
    """An authority, a collector and publishers that trust it."""

    authority: Authority
    collector: Issued
    publisher: Issued

    def sections(self, **more: object) -> dict[str, object]:
        """Keys of a receiver's section."""
        return {
            "enabled": True,
            "port": 0,
            "certificate_file": str(self.collector.certificate),
            "key_file": str(self.collector.key),
            "client_ca_file": str(self.authority.file),
        } | more

    def scenario(self) -> str:
        """The table of TLS in a scenario of the simulator."""
        return (
            f"[receiver.tls]\nca = '{self.authority.file}'\n"
            f"certificate = '{self.publisher.certificate}'\nkey = '{self.publisher.key}'\n"
        )


@functools.cache
def certified(folder: Path) -> Certified:
    """The same for each call with a folder; the collector is at 127.0.0.1."""
    authority = Authority(folder / "certificates")
    collector = authority.issue("collector", dns=["collector.example"], addresses=["127.0.0.1"])
    return Certified(authority, collector, authority.issue("publisher", dns=["publisher.example"]))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    days: tuple[float, float] = (-1, 1),
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
