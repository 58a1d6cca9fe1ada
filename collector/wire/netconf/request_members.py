"""What may stand in requests about subscriptions, and in which namespace.

Does: refuse, as a server MUST that does not know or not take something (RFC 7950 §8.3.1), what an
operation has no place for: unknown elements and namespaces, elements that stand twice, two cases of
a choice. Does not: read values (``subscriptions.terms``), look into filters.

Rules: names are ``module:name``; order and prefixes are free; a leaf in the namespace of another
module is another leaf. A datastore with replay-start-time passes: it is ``replay-unsupported``,
which says more. What replies and notifications hold is read leniently, elsewhere.

Spec: RFC 8639 §4, RFC 8641 §5, YANG-Push revision draft §4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector.errors import ProtocolError
from collector.wire.values import names, xml

Members = Mapping[str, "Members | None"]
"""``module:name`` -> what may stand below it; None: whatever it is, its reader says."""

_ID: Final[Members] = {f"{names.SN}:id": None}
_STREAM_FILTERS: Final = tuple(
    f"{names.SN}:{name}"
    for name in ("stream-filter-name", "stream-subtree-filter", "stream-xpath-filter")
)
_DATASTORE_FILTERS: Final = tuple(
    f"{names.YP}:{name}"
    for name in ("selection-filter-ref", "datastore-subtree-filter", "datastore-xpath-filter")
)
_OF_STREAM: Final = (*_STREAM_FILTERS, f"{names.SN}:stream")
_OF_DATASTORE: Final = (*_DATASTORE_FILTERS, f"{names.YP}:datastore")
_OF_BOTH: Final = tuple(
    f"{names.SN}:{name}"
    for name in (
        "replay-start-time", "stop-time", "dscp", "weighting", "dependency", "encoding",
    )
)  # fmt: skip
_TRIGGERS: Final = (f"{names.YP}:periodic", f"{names.YP}:on-change")
_PERIODIC: Final[Members] = {f"{names.YP}:period": None, f"{names.YP}:anchor-time": None}
_DAMPENING: Final[Members] = {f"{names.YP}:dampening-period": None}
_ON_CHANGE: Final[Members] = {
    **_DAMPENING,
    f"{names.YP}:sync-on-start": None,
    f"{names.YP}:excluded-change": None,
}
_MODIFY: Final[Members] = {
    **_ID,
    **dict.fromkeys(_STREAM_FILTERS),
    **dict.fromkeys(_OF_DATASTORE),
    f"{names.SN}:stop-time": None,
    f"{names.YP}:periodic": _PERIODIC,
    f"{names.YP}:on-change": _DAMPENING,
    f"{names.REVISION}:module-version-subs": None,
}
_ESTABLISH: Final[Members] = {
    **dict.fromkeys(_OF_STREAM),
    **dict.fromkeys(_OF_DATASTORE),
    **dict.fromkeys(_OF_BOTH),
    f"{names.YP}:periodic": _PERIODIC,
    f"{names.YP}:on-change": _ON_CHANGE,
    f"{names.REVISION}:module-version-subs": None,
}
INPUTS: Final[dict[str, Members]] = {
    f"{names.SN}:establish-subscription": _ESTABLISH,
    f"{names.SN}:modify-subscription": _MODIFY,
    f"{names.SN}:delete-subscription": _ID,
    f"{names.SN}:kill-subscription": _ID,
    f"{names.YP}:resync-subscription": {f"{names.YP}:id": None},
    f"{names.NETCONF}:kill-session": {f"{names.NETCONF}:session-id": None},
}
"""Operation -> its input."""
_LISTS: Final = frozenset(
    (f"{names.YP}:excluded-change", f"{names.REVISION}:module-version-subs")
)  # fmt: skip
"""These may stand several times."""
_IDENTITIES: Final = frozenset((f"{names.YP}:datastore", f"{names.SN}:encoding"))
_CHOICES: Final = (
    (_OF_STREAM, _OF_DATASTORE),
    *(tuple((one,) for one in several) for several in (_STREAM_FILTERS, _DATASTORE_FILTERS)),
    tuple((one,) for one in _TRIGGERS),
)
"""Of each choice one case at most (RFC 7950 §7.9)."""


def check_members(element: xml.Element, known: Members, above: str = "") -> None:
    """Nothing below ``element`` but what is known there.

    Args:
        element: an operation or what is in it.
        known: what may stand there.
        above: where it stands.

    Raises:
        ProtocolError: ``unknown-namespace``, ``unknown-element`` or ``bad-element``, with the names
            that RFC 6241 §A wants in its error-info.
    """
    path = f"{above}/{element.name}"
    seen: set[str] = set()
    for child in element.children:
        name = f"{names.module_of(child.namespace)}:{child.name}"
        if name not in known:
            raise _unknown(child, element.name, path)
        if name in seen and name not in _LISTS:
            raise _bad(child.name, f"{child.name} stands twice in {element.name}")
        seen.add(name)
        if name in _IDENTITIES:
            check_identity(child, path)
        below = known[name]
        if below is not None:
            check_members(child, below, path)
    for choice in _CHOICES:
        cases = [next(one for one in case if one in seen) for case in choice if seen & set(case)]
        if len(cases) > 1:
            first, second = (names.local_name(one) for one in cases[:2])
            raise _bad(second, f"{element.name} has {first} or {second}, not both")


def check_identity(element: xml.Element, above: str = "") -> None:
    """The prefix of an identity is declared where it stands (RFC 7950 §9.10.3).

    Raises:
        ProtocolError: ``invalid-value``.
    """
    prefix, colon, _ = element.text.strip().partition(":")
    if colon and prefix not in element.nsmap:
        raise ProtocolError(
            f"the prefix {prefix} of {element.name} is not declared",
            tag="invalid-value",
            path=f"{above}/{element.name}",
        )


def _unknown(child: xml.Element, parent: str, path: str) -> ProtocolError:
    hints = {"bad-element": child.name}
    tag = "unknown-element"
    if names.module_of(child.namespace) not in names.NAMESPACES:
        tag, hints = "unknown-namespace", {**hints, "bad-namespace": child.namespace}
    message = f"{child.name} of {child.namespace or 'no namespace'} is not known in {parent}"
    return ProtocolError(message, tag=tag, path=path, hints=hints)


def _bad(name: str, message: str) -> ProtocolError:
    return ProtocolError(message, tag="bad-element", hints={"bad-element": name})
