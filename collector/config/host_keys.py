"""Host keys pinned in the configuration: text -> what is compared.

Does: read public keys (OpenSSH's one-line form) and SHA256 fingerprints. Does not: any
cryptography; a pin is the fingerprint, as ``ssh-keygen -l`` prints it, and where known its type.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

KEY_TYPES = (
    "ssh-ed25519", "ssh-ed448", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521", "ssh-rsa",
)  # fmt: skip
"""Types of host keys that can be pinned (RFC 4253 §6.6, RFC 5656, RFC 8709)."""
ALLOWED = '"ssh-ed25519 AAAA..", as in a .pub file or from ssh-keyscan, or "SHA256:.."'
_PREFIX = "SHA256:"
_DIGEST_OCTETS = 32


class PinnedKeys(Struct, frozen=True):
    """The keys that one device may show."""

    fingerprints: frozenset[str]
    """``SHA256:`` and the digest in base64 without padding."""
    types: tuple[str, ...] = ()
    """Of ``KEY_TYPES``; empty when one of them is not known."""


def pinned_keys(texts: Iterable[str]) -> PinnedKeys | None:
    """The pins of a device; None where it has none.

    Raises:
        ValueError: one is neither a public key nor a fingerprint.
    """
    pins = [_pin(text) for text in texts]
    if not pins:
        return None
    types = {kind for kind, _ in pins}
    known = () if None in types else tuple(kind for kind in KEY_TYPES if kind in types)
    return PinnedKeys(frozenset(fingerprint for _, fingerprint in pins), known)


def _pin(text: str) -> tuple[str | None, str]:
    """(type, fingerprint). Raises ValueError."""
    words = text.split()
    if len(words) == 1 and words[0].startswith(_PREFIX):
        return None, _fingerprint(words[0])
    for kind, blob in pairwise(words):  # a name in front, a comment behind
        if kind in KEY_TYPES:
            return kind, _digest(kind, blob)
    raise ValueError("neither a public key nor a fingerprint")


def _fingerprint(word: str) -> str:
    digest = word.removeprefix(_PREFIX).rstrip("=")
    if len(_decoded(digest + "=" * (-len(digest) % 4))) != _DIGEST_OCTETS:
        raise ValueError("not the fingerprint of a key")
    return _PREFIX + digest


def _digest(kind: str, text: str) -> str:
    """The fingerprint of a key blob, which begins with its type (RFC 4253 §6.6)."""
    blob, name = _decoded(text), kind.encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError(f"not a key of type {kind}")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return _PREFIX + digest.rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
