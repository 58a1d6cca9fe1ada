"""What puts a configuration into force, and what keeps it: both directions (RFC 6241 §7.3, §8.3,
§8.4, §8.7).

Does: commit with all parameters of a confirmed one, cancel-commit, discard-changes, copy-config
from one datastore to another. Does not: copy from or to a ``url``, or a configuration that is sent
along: neither is asked for here, and both are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape

from msgspec import Struct

from collector.errors import ProtocolError
from collector.wire.netconf.rpc_parameters import (
    RUNNING,
    STARTUP,
    parameters,
    read_datastore,
    write_datastore,
)
from collector.wire.values import plain, xml

CONFIRM_SECONDS: Final = 600
"""How long a device waits to be confirmed where nobody says otherwise (RFC 6241 §8.4.1)."""


class Commit(Struct, frozen=True):
    """RFC 6241 §8.3.4.1, §8.4.5.1."""

    confirmed: bool = False
    """Whether the device goes back to what it had, unless it is confirmed by another commit."""
    confirm_timeout_seconds: int | None = None
    """Until then, 1 to 2^32 - 1; None: ``CONFIRM_SECONDS``."""
    persist: str | None = None
    """With ``confirmed``: a token; the end of the session is then no reason to go back."""
    persist_id: str | None = None
    """The token of the commit that is confirmed, or prolonged, by this one."""


class CancelCommit(Struct, frozen=True):
    """RFC 6241 §8.4.4.1: back to what was before a confirmed commit."""

    persist_id: str | None = None
    """Its token; None: it had none, and was of this session."""


class DiscardChanges(Struct, frozen=True):
    """RFC 6241 §8.3.4.2."""


class CopyConfig(Struct, frozen=True):
    """RFC 6241 §7.3: one datastore becomes as another."""

    target: str = STARTUP
    source: str = RUNNING


CommitOperation = Commit | CancelCommit | DiscardChanges | CopyConfig


# --------------------------------------------------------------------------- decode
def _read_commit(element: xml.Element) -> Commit:
    found = parameters(element, "confirmed", "confirm-timeout", "persist", "persist-id")
    return Commit(
        "confirmed" in found,
        _timeout(found["confirm-timeout"]) if "confirm-timeout" in found else None,
        found["persist"].text if "persist" in found else None,
        found["persist-id"].text if "persist-id" in found else None,
    )


def _timeout(element: xml.Element) -> int:
    seconds = plain.read_uint(element.text, element.name)
    if not seconds:
        raise ProtocolError(
            "confirm-timeout is 1 at least", tag="invalid-value", path="/commit/confirm-timeout"
        )
    return seconds


def _read_cancel_commit(element: xml.Element) -> CancelCommit:
    found = parameters(element, "persist-id")
    return CancelCommit(found["persist-id"].text if found else None)


def _read_discard_changes(element: xml.Element) -> DiscardChanges:
    parameters(element)
    return DiscardChanges()


def _read_copy_config(element: xml.Element) -> CopyConfig:
    parameters(element, "target", "source")
    return CopyConfig(read_datastore(element, "target"), read_datastore(element, "source"))


COMMIT_READERS: Final[dict[type, Callable[[xml.Element], CommitOperation]]] = {
    Commit: _read_commit,
    CancelCommit: _read_cancel_commit,
    DiscardChanges: _read_discard_changes,
    CopyConfig: _read_copy_config,
}
"""Raise ProtocolError: what to answer with; WireError: a leaf that cannot be read."""


# --------------------------------------------------------------------------- encode
def write_commit(operation: CommitOperation) -> str:
    """What stands inside the operation. Raises UsageError: an unknown datastore."""
    match operation:
        case Commit():
            timeout = operation.confirm_timeout_seconds
            return (
                ("<confirmed/>" if operation.confirmed else "")
                + _leaf("confirm-timeout", None if timeout is None else str(timeout))
                + _leaf("persist", operation.persist)
                + _leaf("persist-id", operation.persist_id)
            )
        case CancelCommit(persist_id):
            return _leaf("persist-id", persist_id)
        case CopyConfig(target, source):
            return write_datastore("target", target) + write_datastore("source", source)
        case _:  # discard-changes has no parameters
            return ""


def _leaf(name: str, value: str | None) -> str:
    return "" if value is None else f"<{name}>{escape(value)}</{name}>"
