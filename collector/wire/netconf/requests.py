"""NETCONF requests about subscriptions, both directions (RFC 8639 §2.4, RFC 8641 §4.4, RFC 8640).

Does: establish-, modify-, delete-, kill- and resync-subscription, ``get``, close- and kill-session
as values, to octets and back; those on configuration through ``config``. Does not: replies
(``replies``), framing, sessions.

Rules: strict in writing; in reading any member order and prefix, and what an operation lacks or has
wrong is kept beside it as the error that the server answers with, for only broken XML and a missing
message-id leave a server without anything to answer to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from collector.errors import ProtocolError, WireError
from collector.model import OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.netconf import config as netconf_config
from collector.wire.netconf.config import CONFIG_OPERATION_NAMES, ConfigOperation
from collector.wire.netconf.data_filters import read_filter, write_filter
from collector.wire.netconf.request_members import INPUTS, check_members
from collector.wire.netconf.rpc_parameters import parameters
from collector.wire.subscriptions.terms import read_terms, write_terms
from collector.wire.values import names, plain, plain_xml, xml


class EstablishSubscription(Struct, frozen=True):
    """RFC 8639 §2.4.2, RFC 8641 §4.4.1."""

    terms: SubscriptionTerms


class ModifySubscription(Struct, frozen=True):
    """RFC 8639 §2.4.3, RFC 8641 §4.4.2.

    Datastore and filter are always sent: the module makes them mandatory. What cannot be modified
    (dscp, encoding, sync-on-start, ...) is left out.
    """

    id: int
    terms: SubscriptionTerms
    stream_filter: bool = False
    """As read: the filter came in a leaf for event streams, not for datastores."""
    dampening: bool = True
    """As read: False where an ``on-change`` came without its dampening-period."""


class DeleteSubscription(Struct, frozen=True):
    """RFC 8639 §2.4.4."""

    id: int


class KillSubscription(Struct, frozen=True):
    """RFC 8639 §2.4.5."""

    id: int


class ResyncSubscription(Struct, frozen=True):
    """RFC 8641 §4.4.4; on-change subscriptions only."""

    id: int


class Get(Struct, frozen=True):
    """RFC 6241 §7.7."""

    selects: tuple[str, ...] | None = ("ietf-subscribed-notifications:subscriptions",)
    """``module:name`` of each top-level node asked for; None: all of them, or ``filter`` says."""
    filter: SelectionFilter | None = None
    """``subtree`` or ``xpath``, where ``selects`` does not say everything."""

    @property
    def selection(self) -> SelectionFilter | None:
        """What is asked for as a filter; None: everything."""
        if self.filter is not None or self.selects is None:
            return self.filter
        return SelectionFilter("subtree", "".join(map(_empty_node, self.selects)))

    @property
    def subscriptions(self) -> bool:
        """True when ``/subscriptions`` is asked for."""
        return self.selects is None or f"{names.SN}:subscriptions" in self.selects


class CloseSession(Struct, frozen=True):
    """RFC 6241 §7.8."""


class KillSession(Struct, frozen=True):
    """RFC 6241 §7.9: the end of another session."""

    session_id: int


class OtherOperation(Struct, frozen=True):
    """Any other operation: known by name, not understood."""

    name: str
    """``module:local-name``."""


Operation = (
    EstablishSubscription
    | ModifySubscription
    | DeleteSubscription
    | KillSubscription
    | ResyncSubscription
    | Get
    | CloseSession
    | KillSession
    | OtherOperation
    | ConfigOperation
)

OPERATION_NAMES: Final[dict[type, str]] = {
    EstablishSubscription: f"{names.SN}:establish-subscription",
    ModifySubscription: f"{names.SN}:modify-subscription",
    DeleteSubscription: f"{names.SN}:delete-subscription",
    KillSubscription: f"{names.SN}:kill-subscription",
    ResyncSubscription: f"{names.YP}:resync-subscription",
    Get: f"{names.NETCONF}:get",
    CloseSession: f"{names.NETCONF}:close-session",
    KillSession: f"{names.NETCONF}:kill-session",
    **CONFIG_OPERATION_NAMES,
}
_CHANGE_TYPES: Final = ("create", "delete", "insert", "move", "replace")
"""``change-type`` of RFC 8641 §5."""
_DECLARATION: Final = "<?xml version='1.0' encoding='UTF-8'?>\n"
_TYPES: Final = {name: operation for operation, name in OPERATION_NAMES.items()}


class Rpc(Struct, frozen=True):
    """One request as a server reads it."""

    message_id: str
    operation: Operation
    """``OtherOperation`` also where ``error`` says why it could not be read."""
    error: ProtocolError | None = None
    """What to answer when the operation lacks something or has a wrong value."""
    attributes: Mapping[str, str] = {}
    """Those of the rpc beside message-id, as in ``xml.Element``: the reply MUST have them too
    (RFC 6241 §4.2)."""


def operation_name(operation: Operation) -> str:
    """``module:local-name`` of an operation."""
    if isinstance(operation, OtherOperation):
        return operation.name
    return OPERATION_NAMES[type(operation)]


# --------------------------------------------------------------------------- decode
def decode_rpc(message: bytes) -> Rpc:
    """A request.

    Raises:
        WireError: ``bad-xml``, ``too-deep``; ``bad-rpc``: no ``<rpc>``, no message-id or not
            exactly one operation (RFC 6241 §4.1).
    """
    root = xml.parse(message)
    if root.name != "rpc" or root.namespace != names.NETCONF_BASE:
        raise _bad_rpc(f"<{root.name}> is no rpc")
    attributes = dict(root.attributes)
    message_id = attributes.pop("message-id", None)
    if message_id is None:
        raise _bad_rpc("the rpc has no message-id")
    if len(root.children) != 1:
        raise _bad_rpc("the rpc has not exactly one operation")
    element = root.children[0]
    module = names.module_of(element.namespace)
    name = f"{module}:{element.name}"
    try:
        operation = _read_operation(name, element, module)
        return Rpc(message_id, operation, attributes=attributes)
    except WireError as error:
        refused = ProtocolError(str(error), tag="invalid-value", path=f"/{element.name}")
    except ProtocolError as error:
        refused = error
    return Rpc(message_id, OtherOperation(name), refused, attributes)


def _bad_rpc(message: str) -> WireError:
    return WireError("bad-rpc", message, field="rpc", clause="RFC 6241 §4.1")


def _read_operation(name: str, element: xml.Element, module: str) -> Operation:
    kind = _TYPES.get(name)
    if kind is None:
        return OtherOperation(name)
    if kind is Get:
        return _read_get(parameters(element, "filter").get("filter"))
    if kind is CloseSession:
        return CloseSession()
    if kind in CONFIG_OPERATION_NAMES:
        return netconf_config.read_operation(kind, element)
    check_members(element, INPUTS[name])
    found = plain.known_members(plain_xml.from_xml(element, module), element.name)
    if kind is EstablishSubscription:
        terms = read_terms(found)
        if terms.datastore is None and terms.stream is None:
            raise _missing("datastore", element)
        if terms.on_change is not None:
            _check_changes(terms.on_change)
        return EstablishSubscription(terms)
    key = "session-id" if kind is KillSession else "id"
    if key not in found:
        raise _missing(key, element)
    number = plain.read_uint(found[key], key)
    if kind is KillSession:
        return KillSession(number)
    if kind is ModifySubscription:
        return ModifySubscription(
            number,
            read_terms(found),
            stream_filter=any(name.startswith("stream-") for name in found),
            dampening=_says_dampening(element),
        )
    if kind is DeleteSubscription:
        return DeleteSubscription(number)
    return KillSubscription(number) if kind is KillSubscription else ResyncSubscription(number)


def _says_dampening(element: xml.Element) -> bool:
    trigger = element.find("on-change")
    return trigger is None or trigger.find("dampening-period") is not None


def _check_changes(wanted: OnChange) -> None:
    for one in wanted.excluded_change:
        if one not in _CHANGE_TYPES:
            raise plain.bad_value("excluded-change", one)


def _missing(name: str, element: xml.Element) -> ProtocolError:
    return ProtocolError(
        f"{element.name} has no {name}",
        tag="missing-element",
        path=f"/{element.name}",
        hints={"bad-element": name},
    )


def _read_get(element: xml.Element | None) -> Get:
    """A filter of empty top-level nodes of modules known here is known by their names alone."""
    selection = read_filter(element)
    if element is None or selection is None or selection.kind != "subtree":
        return Get(None, selection)
    nodes = element.children
    selects = tuple(f"{names.module_of(node.namespace)}:{node.name}" for node in nodes)
    plain_nodes = all(
        node.namespace in names.NAMESPACES.values()
        and not (node.children or node.text or node.attributes)
        for node in nodes
    )
    return Get(selects, None if plain_nodes else selection)


# --------------------------------------------------------------------------- encode
def encode_rpc(message_id: str, operation: Operation) -> bytes:
    """A request as an XML document.

    Raises:
        UsageError: a value outside its range, or an operation that cannot be written.
    """
    inside = _operation_text(operation)
    if inside is not None:
        start = f"<rpc xmlns={quoteattr(names.NETCONF_BASE)} message-id={quoteattr(message_id)}>"
        return f"{_DECLARATION}{start}{inside}</rpc>".encode()
    body = {operation_name(operation): _write_input(operation)}
    return plain_xml.message_to_xml({f"{names.NETCONF}:rpc": body}, {"message-id": message_id})


def _operation_text(operation: Operation) -> str | None:
    """The element of an operation that is written as text."""
    if isinstance(operation, Get):
        if operation.selection is None:
            return "<get/>"
        return f"<get>{write_filter(operation.selection)}</get>"
    if isinstance(operation, ConfigOperation):
        return netconf_config.write_operation(operation)
    return None


def _write_input(operation: Operation) -> dict[str, Any]:
    if isinstance(operation, EstablishSubscription):
        return write_terms(operation.terms, request=True)
    if isinstance(operation, ModifySubscription):
        return {"id": operation.id} | write_terms(operation.terms, request=True, modify=True)
    if isinstance(operation, DeleteSubscription | KillSubscription | ResyncSubscription):
        return {"id": operation.id}
    if isinstance(operation, KillSession):
        return {"session-id": operation.session_id}
    return {}


def _empty_node(name: str) -> str:
    module, _, local = name.rpartition(":")
    return f"<{local} xmlns={quoteattr(names.namespace_of(module))}/>"
