"""rpc-error of NETCONF <-> ``ProtocolError`` (RFC 6241 §4.3, RFC 8640 §7, RFC 8641 §4.4).

Does: tag, identity and hints both ways, with the error-tag and module that each identity has.
Does not: decide what to refuse.

Rules for reading: identity from ``error-app-tag``, else from a ``reason`` in ``error-info``, under
any container name (RFC 8641 prints others than its module); misprints of the RFCs are put right;
the message is one printable line.
Rules for writing: ``error-app-tag`` is ``module-name:identity``; hints go into the container that
fits operation and target; the reason is not said twice (RFC 8640 §7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import ProtocolError
from collector.wire.values import names, xml
from collector.wire.values.plain import VerbatimText

_INVALID: Final = "invalid-value"
_NOT_SUPPORTED: Final = "operation-not-supported"

ERROR_TAGS: Final[dict[str, tuple[str, str]]] = {
    "dscp-unavailable": (names.SN, _INVALID),
    "encoding-unsupported": (names.SN, _INVALID),
    "filter-unsupported": (names.SN, _INVALID),
    "insufficient-resources": (names.SN, "resource-denied"),
    "no-such-subscription": (names.SN, _INVALID),
    "replay-unsupported": (names.SN, _NOT_SUPPORTED),
    "cant-exclude": (names.YP, _NOT_SUPPORTED),
    "datastore-not-subscribable": (names.YP, _INVALID),
    "no-such-subscription-resync": (names.YP, _INVALID),
    "on-change-unsupported": (names.YP, _NOT_SUPPORTED),
    "on-change-sync-unsupported": (names.YP, _NOT_SUPPORTED),
    "period-unsupported": (names.YP, _INVALID),
    "update-too-big": (names.YP, "too-big"),
    "sync-too-big": (names.YP, "too-big"),
    "unchanging-selection": (names.YP, "operation-failed"),
    "unsupported-max-segment-size": (names.UDP_TRANSPORT, _INVALID),
    "revision-unsupported": (names.REVISION, _INVALID),
    "version-unsupported": (names.REVISION, _INVALID),
    "incompatible-revision-and-version": (names.REVISION, _INVALID),
}
"""identity -> (module that defines it, error-tag that goes with it: RFC 8640 §7)."""

_LONGEST_MESSAGE: Final = 1000
"""Characters of an error-message that are kept; ours."""
_TYPES: Final = {
    "data-exists": "application",
    "data-missing": "application",
    "malformed-message": "rpc",
}
"""error-tag -> the one error-type that it has; most have several (RFC 6241 §A)."""
_OF_TAGS: Final = frozenset(("bad-attribute", "bad-element", "bad-namespace"))
"""What goes with the error-tags of RFC 6241 §A, right into error-info."""
_MISPRINTS: Final = {
    "cant-include": "cant-exclude",  # RFC 8650 §3.3
    "synchronization-size": "sync-too-big",  # RFC 8641 §A.2
}
ERROR_INFO: Final[dict[tuple[str, bool], tuple[str, str]]] = {
    ("establish-subscription", True): (names.YP, "establish-subscription-datastore-error-info"),
    ("establish-subscription", False): (names.SN, "establish-subscription-stream-error-info"),
    ("modify-subscription", True): (names.YP, "modify-subscription-datastore-error-info"),
    ("modify-subscription", False): (names.SN, "modify-subscription-stream-error-info"),
    ("resync-subscription", True): (names.YP, "resync-subscription-error"),
}
"""(operation, target is a datastore) -> (module, container) of the hints."""


def refusal(
    identity: str, message: str, *, path: str = "", hints: Mapping[str, str] | None = None
) -> ProtocolError:
    """A ProtocolError with the error-tag that RFC 8640 §7 gives to the identity."""
    tag = ERROR_TAGS[identity][1]
    return ProtocolError(message, tag=tag, identity=identity, path=path, hints=hints)


# --------------------------------------------------------------------------- decode
def read_error(element: xml.Element) -> ProtocolError:
    """One ``<rpc-error>``."""
    tag = element.text_of("error-tag") or "operation-failed"
    info = element.find("error-info")
    hints = _leaves(info) if info is not None else {}
    reason = names.local_name(hints.pop("reason", ""))
    identity = names.local_name(element.text_of("error-app-tag")) or reason
    identity = _MISPRINTS.get(identity, identity)
    message = _one_line(element.text_of("error-message")) or f"refused: {identity or tag}"
    return ProtocolError(
        message, tag=tag, identity=identity, path=element.text_of("error-path"), hints=hints
    )


def _one_line(text: str) -> str:
    """Words for people: in logs, terminals and tables, so nothing in it may move a cursor."""
    text = text[:_LONGEST_MESSAGE]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def is_warning(element: xml.Element) -> bool:
    """True for ``error-severity`` warning (RFC 6241 §4.3)."""
    return element.text_of("error-severity") == "warning"


def _leaves(info: xml.Element) -> dict[str, str]:
    """Leaves below error-info by local name, whatever containers are around them."""
    found: dict[str, str] = {}
    waiting = list(reversed(info.children))
    while waiting:
        element = waiting.pop()
        if element.children:
            waiting.extend(reversed(element.children))
        else:
            found.setdefault(element.name, element.text)
    return found


# --------------------------------------------------------------------------- encode
def write_error(
    error: ProtocolError, operation: str = "", *, datastore: bool = True
) -> dict[str, Any]:
    """One ``<rpc-error>`` as members of ietf-netconf.

    Args:
        error: what to say.
        operation: local name of the refused operation, says where hints go.
        datastore: the operation was about a datastore, not a stream.
    """
    known = ERROR_TAGS.get(error.identity)
    found: dict[str, Any] = {
        "error-type": "application" if error.identity else _TYPES.get(error.tag, "protocol"),
        "error-tag": error.tag,
        "error-severity": "error",
    }
    if error.identity:
        module = known[0] if known else names.SN
        # a string, not an identityref: it names the module, not a prefix (RFC 8640 §7)
        found["error-app-tag"] = VerbatimText(f"{module}:{error.identity}")
    if error.path:
        found["error-path"] = VerbatimText(error.path)
    found["error-message"] = VerbatimText(str(error))
    if error.hints:
        module, container = ERROR_INFO.get((operation, datastore), (names.NETCONF, ""))
        hints: dict[str, Any] = {name: VerbatimText(text) for name, text in error.hints.items()}
        if container and not _OF_TAGS & hints.keys():
            hints = {f"{module}:{container}": hints}
        found["error-info"] = hints
    return found
