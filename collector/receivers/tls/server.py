"""TLS of the receivers: what we show, whom we admit, and new certificates without a restart.

Does: read certificate, key and authorities; make the server context of ``ssl`` and hand out the PEM
octets to libraries that have their own TLS (gRPC, DTLS); notice new files (``look``, cheap enough
for every second) and read them again on demand (``reload``); say why a handshake failed.
Does not: open sockets or run handshakes (``stream``).

Rules: TLS 1.2 at least, forward secrecy and authenticated encryption only (RFC 9325). No session is
resumed and none renegotiated: whoever connects is verified by the authorities of that moment. New
files that cannot be used leave the old ones in force, which is said once for each change. Who is
connected stays connected. A private key never gets into a message or a log.
"""

from __future__ import annotations

import logging
import os
import ssl
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from collector.config import TlsServerSettings
from collector.errors import ConfigError
from collector.receivers.refusals import Refusals
from collector.receivers.tls import certificates

_LARGEST_FILE: Final = 4 << 20
"""Octets of a file in PEM (ours): room for all public authorities."""
_CIPHERS_OF_1_2: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Those of TLS 1.3 are all fine (RFC 9325 §4.2)."""
_DEMANDS: Final = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}

_log = logging.getLogger(__name__)


class TlsMaterial(Struct, frozen=True):
    """What the files hold, PEM."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None

    def __repr__(self) -> str:
        return "TlsMaterial(...)"  # a key has no place in a log


class ServerTls:
    """The present certificates of one receiver; ``load`` before anything else."""

    def __init__(
        self,
        files: TlsServerSettings,
        *,
        section: str,
        alpn: Sequence[str] = (),
        refusals: Refusals,
    ) -> None:
        """
        Args:
            files: where they are and what is demanded.
            section: of the configuration, for messages, as in ``https_notif``.
            alpn: application protocols that we speak, the best first (RFC 7301).
            refusals: where handshakes that failed are counted.
        """
        self.files = files
        self.refusals = refusals
        self.generation = 0
        """Times that certificates were taken over, the first included."""
        self.expiry = 0
        """When the certificate that we show expires, seconds since 1970."""
        self._section = section
        self._alpn = list(alpn)
        self._context: ssl.SSLContext | None = None
        self._material: TlsMaterial | None = None
        self._stamps: tuple[object, ...] = ()

    @property
    def context(self) -> ssl.SSLContext:
        """For new connections; ask again for each."""
        assert self._context is not None, "load() comes first"
        return self._context

    @property
    def material(self) -> TlsMaterial:
        """For libraries with a TLS of their own."""
        assert self._material is not None, "load() comes first"
        return self._material

    def load(self) -> None:
        """Read everything, at the start. Raises ConfigError naming the key."""
        stamps = self._look_at_files()
        self._take_over(*self._read())
        self._stamps = stamps

    def look(self) -> bool:
        """Read again what changed since the last look; whether new certificates are in force."""
        return self._look_at_files() != self._stamps and self.reload()

    def reload(self) -> bool:
        """Read everything again; whether the files could be used."""
        stamps = self._look_at_files()
        try:
            read = self._read()
        except ConfigError as error:
            if stamps != self._stamps:
                _log.error("%s; the certificates from before stay in force.", error)
            self._stamps = stamps
            return False
        self._stamps = stamps
        if read[0] != self._material:
            self._take_over(*read)
            _log.warning("%s: new certificates are in force for new connections.", self._section)
        return True

    def _take_over(self, material: TlsMaterial, context: ssl.SSLContext) -> None:
        self._material, self._context = material, context
        self.generation += 1
        self.expiry = self._expiry_of(material)
        if self.expiry < time.time():
            path = self.files.certificate_file
            _log.error("%s: the certificate in %s has expired.", self._section, path)

    def admit(self, name: str, peer: str) -> bool:
        """Whether a client with a verified certificate of that name ("": it showed none) may come
        in; if not, that is counted and said."""
        if name or self.files.client_certificates == "optional":
            allowed = not name or certificates.is_allowed(name, self.files.client_names)
            reason = certificates.NAME_NOT_ALLOWED
        else:
            allowed = self.files.client_certificates == "none"
            reason = certificates.NO_CLIENT_CERTIFICATE
        if not allowed:
            shown = f' ("{name}")' if name else ""
            self.refuse(reason, peer, certificates.SENTENCES[reason] + shown)
        return allowed

    def refuse(self, reason: str, peer: str, sentence: str) -> None:
        """Count a connection from ``peer`` that did not come about, and say why."""
        self.refusals.add(reason, f"refused {peer}: {sentence}")

    # ------------------------------------------------------------------ files
    def _look_at_files(self) -> tuple[object, ...]:
        """What changes when a file is written or replaced."""
        found: list[object] = []
        for path in (
            self.files.certificate_file, self.files.key_file, self.files.client_ca_file
        ):  # fmt: skip
            try:
                seen = os.stat(path) if path else None
            except OSError as error:
                found.append(error.errno)
            else:
                found.append(seen and (seen.st_mtime_ns, seen.st_size, seen.st_ino, seen.st_mode))
        return tuple(found)

    def _read(self) -> tuple[TlsMaterial, ssl.SSLContext]:
        """Both views of the same files. Raises ConfigError."""
        files = self.files
        authorities = None
        if files.client_certificates != "none" and files.client_ca_file is not None:
            authorities = self._content("client_ca_file")
        material = TlsMaterial(
            self._content("certificate_file"),
            self._content("key_file", private=True),
            authorities,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS_OF_1_2)
        context.options |= (
            ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
            | ssl.OP_NO_TICKET
        )  # fmt: skip
        context.num_tickets = 0
        context.verify_mode = _DEMANDS[files.client_certificates]
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what is in the file is trusted
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        self._load_authorities(context, authorities)
        self._load_certificate(context, material.key)
        self._expiry_of(material)
        return material, context

    def _expiry_of(self, material: TlsMaterial) -> int:
        try:
            return certificates.expiry_of(material.certificate)
        except ValueError:  # OpenSSL takes more, as its own form TRUSTED CERTIFICATE
            why = "begins with no certificate that all can read"
            raise self._fault("certificate_file", why, "-----BEGIN CERTIFICATE-----") from None

    def _load_authorities(self, context: ssl.SSLContext, authorities: bytes | None) -> None:
        if authorities is None:
            return
        try:
            context.load_verify_locations(cadata=authorities.decode("ascii", "replace"))
        except (ssl.SSLError, ValueError):
            raise self._fault(
                "client_ca_file", "holds no certificate", "certificates in PEM"
            ) from None

    def _load_certificate(self, context: ssl.SSLContext, key_octets: bytes) -> None:
        try:
            # without a password OpenSSL would ask for one on the terminal
            context.load_cert_chain(
                self._path("certificate_file"), self._path("key_file"), password=lambda: ""
            )
        except ssl.SSLError as error:
            reason = error.reason or ""
            if "MISMATCH" in reason:
                key, why = "key_file", "is not the key of the certificate"
            elif b"ENCRYPTED" in key_octets:
                key, why = "key_file", "is protected by a passphrase, which nobody here could type"
            else:
                key, why = "certificate_file", "and key_file are not a certificate with its key"
            raise self._fault(key, why, "a certificate and its private key in PEM") from None
        except (OSError, ValueError) as error:
            raise self._fault("certificate_file", f"cannot be read: {error}", "PEM") from None

    def _content(self, key: str, *, private: bool = False) -> bytes:
        path = self._path(key)
        try:
            mode = os.stat(path).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe without a writer blocks
                raise self._fault(key, "is no regular file", "a file in PEM")
            content = _start_of(path)
        except OSError as error:
            raise self._fault(key, f"cannot be read: {error.strerror}", "a file in PEM") from None
        if private and mode & 0o007:
            raise self._fault(key, "can be read by all users", f"chmod o= {path}")
        if len(content) > _LARGEST_FILE or b"-----BEGIN " not in content:
            raise self._fault(key, "is not in PEM", "a file in PEM")
        return content

    def _path(self, key: str) -> str:
        """That of the configuration; it demands the two that every receiver needs."""
        return getattr(self.files, key) or ""

    def _fault(self, key: str, why: str, allowed: str) -> ConfigError:
        return ConfigError(
            f"{self._path(key)} {why}", key=f"{self._section}.{key}", allowed=allowed
        )


def _start_of(path: str) -> bytes:
    """Of a file, one octet more than it may have at most. Raises OSError."""
    with Path(path).open("rb") as file:
        return file.read(_LARGEST_FILE + 1)


# --------------------------------------------------------------------------- why not
_OF_REASON: Final[dict[str, tuple[str, str]]] = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        certificates.NO_CLIENT_CERTIFICATE,
        certificates.SENTENCES[certificates.NO_CLIENT_CERTIFICATE],
    ),
    "HTTP_REQUEST": ("no-tls", "it speaks plain HTTP"),
    "HTTPS_PROXY_REQUEST": ("no-tls", "it speaks plain HTTP to a proxy"),
    "WRONG_VERSION_NUMBER": ("no-tls", "it does not speak TLS"),
    "UNSUPPORTED_PROTOCOL": ("old-tls", "it offers nothing newer than TLS 1.1"),
    "VERSION_TOO_LOW": ("old-tls", "it offers nothing newer than TLS 1.1"),
    "NO_SHARED_CIPHER": ("no-shared-cipher", "it offers no cipher that is safe enough"),
    "NO_SUITABLE_KEY_SHARE": ("no-shared-cipher", "it offers no key exchange that we know"),
    "NO_SUITABLE_SIGNATURE_ALGORITHM": (
        "no-shared-cipher",
        "it offers no signature algorithm of our certificate",
    ),
}


def refusal_of(error: Exception) -> tuple[str, str]:
    """Reason word and sentence for a handshake that failed.

    Args:
        error: what ``ssl`` raised; EOFError or OSError for a connection that went away.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = certificates.reason_of_code(error.verify_code)
        detail = f" ({error.verify_message})" if reason == certificates.BAD_CERTIFICATE else ""
        return reason, certificates.SENTENCES[reason] + detail
    if isinstance(error, TimeoutError):
        return "handshake-timeout", "it did not finish the TLS handshake in time"
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError):
        return "broken-off", "it broke the TLS handshake off"
    return refusal_of_reason(error.reason or "")


def refusal_of_reason(reason: str) -> tuple[str, str]:
    """Reason word and sentence for what OpenSSL calls a failure, as in ``NO_SHARED_CIPHER``."""
    if "ALERT" in reason:
        word = reason.rpartition("ALERT_")[2].lower().replace("_", " ")
        return "refused-by-peer", f"it does not accept what we show (alert: {word})"
    known = _OF_REASON.get(reason)
    if known is not None:
        return known
    words = reason.lower().replace("_", " ") or "no reason"
    return "handshake-failed", f"the TLS handshake failed ({words})"
