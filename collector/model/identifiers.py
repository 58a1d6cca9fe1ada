"""SIDs of YANG items as plain values, and texts that are more than text.

Does: hold what ``.sid`` files say, by number and by name. Does not: read files (``schema.sid``),
nor octets (``wire.encodings``).

Spec: RFC 9595 (SIDs and ``.sid`` files), RFC 9254 §3.2 and §9.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

SID_MAX: Final = (1 << 63) - 1
"""SIDs are 1 to this; 0 says that there is none (RFC 9254 §3.2)."""


class SidTable:
    """What is known of SIDs; not changed once made.

    A schema-node path is that of RFC 9595: ``/module:node/node/other-module:node``.
    """

    __slots__ = ("identities", "identity_sids", "nodes", "paths", "sids")

    def __init__(self, paths: Mapping[int, str], identities: Mapping[int, str]) -> None:
        """Args:
        paths: SID -> schema-node path of a data node, a notification or a structure.
        identities: SID -> ``module:identity``.
        """
        self.paths: dict[int, str] = dict(paths)
        self.identities: dict[int, str] = dict(identities)
        self.nodes: dict[int, tuple[str, str]] = {
            sid: _last_node(path) for sid, path in self.paths.items()
        }
        """SID -> module and local name."""
        self.sids: dict[str, int] = {path: sid for sid, path in self.paths.items()}
        """Schema-node path -> SID."""
        self.identity_sids: dict[str, int] = {name: sid for sid, name in self.identities.items()}
        """``module:identity`` -> SID."""

    def __bool__(self) -> bool:
        return bool(self.paths or self.identities)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SidTable):
            return NotImplemented
        return self.paths == other.paths and self.identities == other.identities

    __hash__ = None  # type: ignore[assignment]  # two tables are compared, never looked up


def _last_node(path: str) -> tuple[str, str]:
    head, _, last = path.rpartition("/")
    module, colon, local = last.rpartition(":")
    if not colon:  # that of the nearest node above that says one
        module = head.rpartition(":")[0].rpartition("/")[2]
    return module, local


NO_SIDS: Final = SidTable({}, {})
"""No ``.sid`` file."""


class TypedText(str):
    """The text of a value whose encoding says its YANG type, as the tags of RFC 9254 §9.3 do."""

    __slots__ = ("raw", "type")

    type: str
    """``bits``, ``enumeration``, ``identityref`` or ``instance-identifier``."""
    raw: object
    """What was tagged, where it was no text: a SID, or a SID and keys; else None."""

    def __new__(cls, text: str, kind: str, raw: object = None) -> TypedText:
        self = super().__new__(cls, text)
        self.type, self.raw = kind, raw
        return self


class PrefixedText(str):
    """A text of XML whose prefixes stand for namespaces: an identity, a path."""

    namespaces: dict[str, str]
    """prefix -> namespace."""

    def __new__(cls, text: str, namespaces: Mapping[str, str]) -> Self:
        self = super().__new__(cls, text)
        self.namespaces = dict(namespaces)
        return self
