"""NETCONF replies about subscriptions, both directions (RFC 8639 §2.4, RFC 8640 §7).

Does: ok, the output of establish-subscription with the list of message generators, rpc-errors, and
the contents of ``/subscriptions`` as values, to octets and back; any other data as a tree.
Does not: requests.

Rules: reading takes the output in any order, every spelling of the originator id and white space
inside leaves; writing spells the list as the control mode wants it, and leaves it out of the reply
where the mode has none there (distributed-notif-19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from collector.errors import ProtocolError, WireError
from collector.model import DeviceTime, SubscriptionTerms
from collector.wire.netconf.config import GetData
from collector.wire.netconf.errors import is_warning, read_error, write_error
from collector.wire.netconf.requests import (
    EstablishSubscription,
    ModifySubscription,
    Operation,
    operation_name,
)
from collector.wire.subscriptions.terms import (
    read_generator_leaf,
    read_generators,
    read_terms,
    write_generators,
    write_terms,
)
from collector.wire.values import names, plain, plain_xml, timestamps, xml

READS: Final = frozenset({"get", "get-config", "get-data", "get-schema"})
"""Operations whose replies carry data; all others say what became of something."""
MAX_OUTCOME: Final = 4096
"""Elements of a reply that carries no data; ours. Each takes three microseconds, while everybody
else waits."""


class Ok(Struct, frozen=True):
    """``<ok/>``."""


class EstablishOutput(Struct, frozen=True):
    """Output of establish-subscription (RFC 8639 §2.4.2, base document §7)."""

    id: int
    generators: tuple[str, ...] | None = None
    replay_start_time_revision: DeviceTime | None = None


class ReceiverState(Struct, frozen=True):
    """One entry of ``receivers`` (RFC 8639 §2.5.1 and its counters)."""

    name: str
    state: str | None = None
    """``active``, ``suspended``, ``connecting`` or ``disconnected``."""
    sent_event_records: int | None = None
    excluded_event_records: int | None = None


class SubscriptionState(Struct, frozen=True):
    """One entry of ``/subscriptions``."""

    id: int
    terms: SubscriptionTerms
    generators: tuple[str, ...] | None = None
    configured_state: str | None = None
    """``valid``, ``invalid`` or ``concluded``; None for a dynamic subscription."""
    receivers: tuple[ReceiverState, ...] = ()


class Subscriptions(Struct, frozen=True):
    """What ``get`` of ``/subscriptions`` returns."""

    entries: tuple[SubscriptionState, ...] = ()


class Data(Struct, frozen=True):
    """What get, get-config or get-data returns, as a tree."""

    content: str = ""
    """What stands inside ``<data>``, as XML text (``xml.outer_text`` of each node)."""


class ResetOutput(Struct, frozen=True):
    """Output of the action ``reset`` (RFC 8639 §2.5.5)."""

    time: DeviceTime


Result = Ok | EstablishOutput | Subscriptions | Data | ResetOutput | ProtocolError


class RpcReply(Struct, frozen=True):
    """One reply as a client reads it."""

    message_id: str | None
    """None where the server could not tell which request it was about (RFC 6241 §4.3)."""
    ok: bool
    """True when there is no error; warnings do not count."""
    subscription_id: int | None = None
    generators: tuple[str, ...] | None = None
    replay_start_time_revision: DeviceTime | None = None
    subscriptions: tuple[SubscriptionState, ...] | None = None
    """Entries of ``/subscriptions`` when the reply carries ``data``."""
    data: xml.Element | None = None
    """``<data>`` as it came."""
    time: DeviceTime | None = None
    """When a receiver was reset."""
    error: ProtocolError | None = None
    """The first one of severity error."""
    warnings: tuple[ProtocolError, ...] = ()
    """Those of severity warning; what was asked for is done all the same."""
    generator_leaf: str | None = None
    """Leaf-list that ``generators`` were read from, which shows the control mode."""


# --------------------------------------------------------------------------- decode
def decode_reply(message: bytes, *, typed: bool = True, most: int = xml.MAX_ELEMENTS) -> RpcReply:
    """A reply to any of our requests.

    Args:
        message: the ``<rpc-reply>``.
        typed: read the entries of ``/subscriptions``; else data is handed on as a tree alone.
        most: elements that are taken.

    Raises:
        WireError: ``bad-xml``, ``too-deep``, ``too-many-elements``, ``too-many-generators``,
            ``bad-value``, ``bad-timestamp``, ``duplicate-member``; ``bad-rpc-reply``: not a reply.
    """
    root = xml.parse(message, most=most)
    if root.name != "rpc-reply" or root.namespace != names.NETCONF_BASE:
        raise WireError(
            "bad-rpc-reply", f"<{root.name}> is no rpc-reply", field="rpc-reply", clause="RFC 6241"
        )
    message_id = root.attributes.get("message-id")
    failures = [e for e in root.find_all("rpc-error") if not is_warning(e)]
    warnings = tuple(read_error(e) for e in root.find_all("rpc-error") if is_warning(e))
    if failures:
        error = read_error(failures[0])
        return RpcReply(message_id, ok=False, error=error, warnings=warnings)
    found = plain.known_members(plain_xml.from_xml(root, names.NETCONF), "rpc-reply")
    revised = found.get("replay-start-time-revision")
    return RpcReply(
        message_id,
        ok=True,
        subscription_id=plain.read_uint(found["id"], "id") if "id" in found else None,
        generators=read_generators(found),
        generator_leaf=read_generator_leaf(found),
        replay_start_time_revision=None if revised is None else _time(revised),
        subscriptions=_read_data(found["data"]) if typed and "data" in found else None,
        data=root.find("data"),
        time=plain.read_time(found["time"], "time") if "time" in found else None,
        warnings=warnings,
    )


def _time(value: object) -> DeviceTime:
    return plain.read_time(value, "replay-start-time-revision")


def _read_data(data: object) -> tuple[SubscriptionState, ...]:
    tree = plain.known_members(data, "data").get("subscriptions")
    entries = plain.known_members(tree, "subscriptions").get("subscription", [])
    return tuple(_read_entry(entry) for entry in plain.as_list(entries))


def _read_entry(entry: object) -> SubscriptionState:
    found = plain.known_members(entry, "subscription")
    state = found.get("configured-subscription-state")
    receivers = plain.known_members(found.get("receivers"), "receivers").get("receiver", [])
    return SubscriptionState(
        id=plain.read_uint(found.get("id"), "id"),
        terms=read_terms(found),
        generators=read_generators(found),
        configured_state=None if state is None else plain.read_text(state, "state"),
        receivers=tuple(_read_receiver(receiver) for receiver in plain.as_list(receivers)),
    )


_UINT64_MAX: Final = (1 << 64) - 1


def _read_receiver(receiver: object) -> ReceiverState:
    found = plain.known_members(receiver, "receiver")
    state = found.get("state")
    return ReceiverState(
        name=plain.read_text(found.get("name"), "name"),
        state=None if state is None else plain.read_text(state, "state"),
        sent_event_records=_counter(found, "sent-event-records"),
        excluded_event_records=_counter(found, "excluded-event-records"),
    )


def _counter(found: Mapping[str, Any], name: str) -> int | None:
    return plain.read_uint(found[name], name, _UINT64_MAX) if name in found else None


# --------------------------------------------------------------------------- encode
def encode_reply(
    message_id: str | None,
    result: Result,
    *,
    mode: str = names.MODE_MSO,
    operation: Operation | None = None,
    attributes: Mapping[str, str] | None = None,
) -> bytes:
    """A reply as an XML document.

    Args:
        message_id: of the request; None where it is not known.
        result: what to say.
        mode: control mode: spelling of the list of originators, and whether a reply has one.
        operation: the refused operation; says which container the hints of an error go into.
        attributes: of the request beside its message-id, returned as they came (RFC 6241 §4.2).

    Raises:
        UsageError: a value outside its range, an unknown mode.
    """
    returned = {} if message_id is None else {"message-id": message_id}
    returned.update(attributes or {})
    if isinstance(result, Data):
        return _data_reply(returned, result, operation)
    body = _write_result(result, mode, operation)
    return plain_xml.message_to_xml({f"{names.NETCONF}:rpc-reply": body}, returned)


def _data_reply(attributes: Mapping[str, str], result: Data, operation: Operation | None) -> bytes:
    """As text: the tree may hold names that a peer invented."""
    namespace = names.NAMESPACES[names.NMDA if isinstance(operation, GetData) else names.NETCONF]
    start = xml.attributes_text(attributes)
    return (
        f"<rpc-reply xmlns={quoteattr(names.NETCONF_BASE)}{start}>"
        f"<data xmlns={quoteattr(namespace)}>{result.content}</data></rpc-reply>"
    ).encode()


def _write_result(
    result: Ok | EstablishOutput | Subscriptions | ResetOutput | ProtocolError,
    mode: str,
    operation: Operation | None,
) -> dict[str, Any]:
    if isinstance(result, ProtocolError):
        return {"rpc-error": _write_refusal(result, operation)}
    if isinstance(result, EstablishOutput):
        return _write_established(result, mode)
    if isinstance(result, Subscriptions):
        entries = [write_entry(entry, mode) for entry in result.entries]
        tree = {f"{names.SN}:subscriptions": {"subscription": entries}} if entries else {}
        return {"data": tree}
    if isinstance(result, ResetOutput):
        return {f"{names.SN}:time": timestamps.format_date_and_time(result.time)}
    return {"ok": [None]}


def _write_refusal(error: ProtocolError, operation: Operation | None) -> dict[str, Any]:
    name = "" if operation is None else names.local_name(operation_name(operation))
    datastore = True
    if isinstance(operation, EstablishSubscription):
        datastore = operation.terms.stream is None
    elif isinstance(operation, ModifySubscription):
        # that of a stream names no stream (RFC 8639 §2.4.3), that of a datastore its datastore
        terms = operation.terms
        datastore = terms.datastore is not None or terms.period is not None
    return write_error(error, name, datastore=datastore)


def _write_established(output: EstablishOutput, mode: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"{names.SN}:id": output.id}
    if output.replay_start_time_revision is not None:
        text = timestamps.format_date_and_time(output.replay_start_time_revision)
        found[f"{names.SN}:replay-start-time-revision"] = text
    if output.generators is not None:
        listed = write_generators(output.generators, mode)
        if names.CONTROL_MODES[mode].in_reply:
            found |= listed
    return found


def write_entry(entry: SubscriptionState, mode: str) -> dict[str, Any]:
    """One entry of ``/subscriptions`` as plain members."""
    found: dict[str, Any] = {"id": entry.id} | write_terms(entry.terms)
    if entry.configured_state is not None:
        found["configured-subscription-state"] = entry.configured_state
    if entry.generators is not None:
        found |= write_generators(entry.generators, mode)
    if entry.receivers:
        found["receivers"] = {"receiver": [_write_receiver(one) for one in entry.receivers]}
    return found


def _write_receiver(receiver: ReceiverState) -> dict[str, Any]:
    found: dict[str, Any] = {"name": receiver.name}
    if receiver.sent_event_records is not None:
        found["sent-event-records"] = receiver.sent_event_records
    if receiver.excluded_event_records is not None:
        found["excluded-event-records"] = receiver.excluded_event_records
    if receiver.state is not None:
        found["state"] = receiver.state
    return found
