"""The DTLS side of ``ServerTls``: the same files and rules, for OpenSSL's datagram methods.

Does: make pyOpenSSL contexts out of the present certificates, a new one when these change; cookies
that need no memory; say why a handshake failed. Does not: run handshakes (``dtls_session``).

Rules: DTLS 1.2 and nothing older, forward secrecy and authenticated encryption only (RFC 9325), no
resumption, no renegotiation. A cookie is a keyed hash of address and port (RFC 6347 §4.2.1); the
key changes every few minutes and the one before it is still good.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from collector.receivers.tls import certificates
from collector.receivers.tls.server import ServerTls, refusal_of_reason

DTLS_1_2: Final = 0xFEFD
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_NO_RENEGOTIATION: Final = 1 << 30
"""SSL_OP_NO_RENEGOTIATION, which pyOpenSSL has no name for."""
_CIPHER_SERVER_PREFERENCE: Final = 1 << 22
_VERIFY: Final = {
    "required": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
    "optional": SSL.VERIFY_PEER,
    "none": SSL.VERIFY_NONE,
}


class Handshaker:
    """What a connection is told of its peer, and what it tells of a certificate; its app data."""

    __slots__ = ("code", "hello", "peer")

    def __init__(self) -> None:
        self.peer = b""
        """Whom the cookie is for."""
        self.hello = 0
        """Hash of the ClientHello, by which a copy of it is known."""
        self.code = 0
        """X509_V_ERR_* of the first fault in the certificates shown."""


class Cookies:
    """Cookies that any of them can be checked by, without remembering whom they were given to."""

    def __init__(self) -> None:
        self._keys = [secrets.token_bytes(32)]

    def change_key(self) -> None:
        """Cookies of the key before the present one are no longer good."""
        self._keys = [secrets.token_bytes(32), self._keys[0]]

    def cookie(self, peer: bytes) -> bytes:
        """For one peer."""
        return self._made(self._keys[0], peer)

    def is_good(self, peer: bytes, cookie: bytes) -> bool:
        """Was it given to that peer, lately?"""
        return any(hmac.compare_digest(self._made(key, peer), cookie) for key in self._keys)

    @staticmethod
    def _made(key: bytes, peer: bytes) -> bytes:
        return hmac.digest(key, peer, hashlib.sha256)


class DtlsContexts:
    """The context for new sessions."""

    def __init__(self, tls: ServerTls) -> None:
        """``tls``: loaded."""
        self.cookies = Cookies()
        self._tls = tls
        self._generation = 0
        self._context: SSL.Context | None = None

    @property
    def context(self) -> SSL.Context:
        """With the certificates that are in force now; another object when they changed."""
        if self._context is None or self._generation != self._tls.generation:
            self._context, self._generation = self._made(), self._tls.generation
        return self._context

    def _made(self) -> SSL.Context:
        material = self._tls.material
        context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        context.set_min_proto_version(DTLS_1_2)
        context.set_cipher_list(_CIPHERS)
        context.set_options(
            SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_QUERY_MTU
            | _NO_RENEGOTIATION | _CIPHER_SERVER_PREFERENCE
        )  # fmt: skip
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        own, *chain = x509.load_pem_x509_certificates(material.certificate)
        context.use_certificate(own)
        for one in chain:
            context.add_extra_chain_cert(one)
        key: Any = load_pem_private_key(material.key, None)  # a kind that ``ssl`` took already
        context.use_privatekey(key)
        self._admit(context, material.client_ca)
        context.set_cookie_generate_callback(self._cookie)
        context.set_cookie_verify_callback(self._is_good)
        return context

    def _admit(self, context: SSL.Context, authorities: bytes | None) -> None:
        wanted = self._tls.files.client_certificates
        context.set_verify(_VERIFY[wanted], _verified)
        if authorities is None:
            return
        store = context.get_cert_store()
        assert store is not None
        for authority in x509.load_pem_x509_certificates(authorities):
            store.add_cert(crypto.X509.from_cryptography(authority))
            context.add_client_ca(authority)
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # what is in the file is trusted

    def _cookie(self, connection: SSL.Connection) -> bytes:
        return self.cookies.cookie(connection.get_app_data().peer)

    def _is_good(self, connection: SSL.Connection, cookie: bytes) -> bool:
        return self.cookies.is_good(connection.get_app_data().peer, cookie)


def _verified(
    connection: SSL.Connection, certificate: crypto.X509, code: int, depth: int, good: int
) -> bool:
    """OpenSSL has looked at one certificate of the chain."""
    told: Handshaker = connection.get_app_data()
    if not good and not told.code:
        told.code = code
    return bool(good)


def refusal_of(error: SSL.Error, told: Handshaker) -> tuple[str, str]:
    """Reason word and sentence for a handshake that failed."""
    if told.code:
        reason = certificates.reason_of_code(told.code)
        return reason, certificates.SENTENCES[reason]
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reason = queue[0][2] if queue else ""
    return refusal_of_reason(reason.upper().replace(" ", "_").replace("/", "_"))
