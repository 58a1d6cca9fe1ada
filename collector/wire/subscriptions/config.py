"""Configured subscriptions as a device's configuration holds them, both directions, and edits.

Does: the configuration tree of ``/subscriptions`` as values, and what turns one state of it into
another as the ``<config>`` of an edit-config (RFC 6241 §7.2, RFC 8639 §2.5). Does not: decide what
is to be changed (``subscriber.configured``), or talk.

Rules: an entry that cannot be read is named and otherwise left alone; nothing is ever replaced as a
whole, so that leaves of others within an entry stay; an entry that is made must not be there, one
that is removed must be: somebody else's work in between is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from collector.errors import WireError
from collector.model import SelectionFilter, SubscriptionTerms
from collector.wire.subscriptions.receiver_instances import (
    ReceiverInstance,
    read_instance,
    write_instance,
)
from collector.wire.subscriptions.terms import read_terms, write_terms
from collector.wire.values import names, plain, plain_xml, xml

_SN: Final = names.NAMESPACES[names.SN]
_RECEIVERS: Final = names.NAMESPACES[names.RECEIVERS]
_OPERATION: Final = f"{names.NETCONF_BASE} operation"
SUBSCRIPTIONS: Final = SelectionFilter("subtree", f"<subscriptions xmlns={quoteattr(_SN)}/>")
"""What get-config is asked for."""
MAX_SUBSCRIPTIONS: Final = 10_000
"""Entries of one configuration that are read (ours)."""


class ConfiguredReceiver(Struct, frozen=True):
    """One entry of ``receivers``."""

    name: str
    instance: str | None = None
    """``receiver-instance-ref``; None where the transport is said in another way."""


class ConfiguredSubscription(Struct, frozen=True):
    """One entry of ``subscription`` as configured."""

    id: int
    terms: SubscriptionTerms
    receivers: tuple[ConfiguredReceiver, ...] = ()
    purpose: str = ""
    replay: bool = False
    """``configured-replay``: what its stream has kept since the device started is sent first
    (RFC 8639 §2.5.6)."""


class Configuration(Struct, frozen=True):
    """What is configured below ``/subscriptions``."""

    instances: tuple[ReceiverInstance, ...] = ()
    subscriptions: tuple[ConfiguredSubscription, ...] = ()
    unreadable: dict[str, str] = {}
    """``subscription 7``, ``receiver-instance R1`` -> why it cannot be read."""


class Edit(Struct, frozen=True):
    """One entry from one state to another; at least one of them is there."""

    before: ReceiverInstance | ConfiguredSubscription | None
    """None: it is made."""
    after: ReceiverInstance | ConfiguredSubscription | None
    """None: it is removed."""


# --------------------------------------------------------------------------- decode
def read_configuration(nodes: Iterable[xml.Element]) -> Configuration:
    """The top-level nodes of a configuration; all but ``/subscriptions`` is passed over.

    Raises:
        WireError: ``too-many-subscriptions``.
    """
    instances: list[ReceiverInstance] = []
    subscriptions: list[ConfiguredSubscription] = []
    unreadable: dict[str, str] = {}
    for element in _entries(nodes):
        if len(instances) + len(subscriptions) >= MAX_SUBSCRIPTIONS:
            text = f"there are more than {MAX_SUBSCRIPTIONS:,} subscriptions and receivers"
            raise WireError("too-many-subscriptions", text)
        try:
            if element.name == "subscription":
                subscriptions.append(read_subscription(element))
            else:
                instances.append(read_instance(element))
        except WireError as error:
            key = element.text_of("id") or element.text_of("name")
            unreadable[f"{element.name} {key}"] = str(error)
    return Configuration(tuple(instances), tuple(subscriptions), unreadable)


def _entries(nodes: Iterable[xml.Element]) -> Iterator[xml.Element]:
    for tree in nodes:
        if tree.name == "subscriptions" and tree.namespace == _SN:
            yield from tree.find_all("subscription")
            for holder in tree.find_all("receiver-instances"):
                yield from holder.find_all("receiver-instance")


def read_subscription(element: xml.Element) -> ConfiguredSubscription:
    """One ``<subscription>``. Raises WireError."""
    found = plain.known_members(plain_xml.from_xml(element, names.SN), "subscription")
    receivers = plain.known_members(found.get("receivers"), "receivers").get("receiver", [])
    return ConfiguredSubscription(
        plain.read_uint(found.get("id"), "id"),
        read_terms(found),
        tuple(_read_receiver(one) for one in plain.as_list(receivers)),
        plain.read_text(found.get("purpose", ""), "purpose"),
        "configured-replay" in found,
    )


def _read_receiver(receiver: object) -> ConfiguredReceiver:
    found = plain.known_members(receiver, "receiver")
    reference = found.get("receiver-instance-ref")
    return ConfiguredReceiver(
        plain.read_text(found.get("name"), "name"),
        None if reference is None else plain.read_text(reference, "receiver-instance-ref"),
    )


# --------------------------------------------------------------------------- encode
def write_subscription(subscription: ConfiguredSubscription, transport_module: str = "") -> str:
    """``<subscription>`` as XML text that stands alone.

    Args:
        subscription: what to write.
        transport_module: that defines the identities of the transport; empty: today's.

    Raises:
        UsageError: a value outside its range.
    """
    found: dict[str, Any] = {"id": subscription.id, **write_terms(subscription.terms)}
    if transport_module:
        for leaf, identity in (("transport", "udp-notif"), ("encoding", "encode-cbor")):
            if names.local_name(found.get(leaf, "")) == identity:
                found[leaf] = f"{transport_module}:{identity}"
    if subscription.purpose:
        found["purpose"] = plain.VerbatimText(subscription.purpose)
    if subscription.replay:
        found["configured-replay"] = [None]
    receivers = [_write_receiver(one) for one in subscription.receivers]
    found["receivers"] = {"receiver": receivers}
    return plain_xml.element_text(f"{names.SN}:subscription", found)


def _write_receiver(receiver: ConfiguredReceiver) -> dict[str, Any]:
    found: dict[str, Any] = {"name": plain.VerbatimText(receiver.name)}
    if receiver.instance is not None:
        reference = plain.VerbatimText(receiver.instance)
        found[f"{names.RECEIVERS}:receiver-instance-ref"] = reference
    return found


def write_edits(edits: Iterable[Edit], transport_module: str = "") -> str:
    """The ``<config>`` of one edit-config that does all of them; empty where there are none.

    Raises:
        UsageError: as the writers of entries.
    """
    subscriptions: list[str] = []
    instances: list[str] = []
    for edit in edits:
        entry = edit.after or edit.before
        if isinstance(entry, ReceiverInstance):
            instances.append(_instance_edit(edit, entry))
        elif entry is not None:
            subscriptions.append(_subscription_edit(edit, entry, transport_module))
    inner = "".join(subscriptions)
    if instances:
        holder = f"<receiver-instances xmlns={quoteattr(_RECEIVERS)}>"
        inner += f"{holder}{''.join(instances)}</receiver-instances>"
    return f"<subscriptions xmlns={quoteattr(_SN)}>{inner}</subscriptions>" if inner else ""


def _marked(text: str, operation: str) -> str:
    (element,) = xml.fragment(text)
    element.attributes[_OPERATION] = operation
    return xml.outer_text(element)


def _instance_edit(edit: Edit, entry: ReceiverInstance) -> str:
    """An instance is all ours or not touched, so a change replaces it."""
    if edit.after is None:
        return _removal("receiver-instance", _RECEIVERS, "name", entry.name)
    return _marked(write_instance(entry), "create" if edit.before is None else "replace")


def _removal(name: str, namespace: str, key: str, value: str | int) -> str:
    element = _element(namespace, name, "delete")
    element.children.append(_element(namespace, key, text=str(value)))
    return xml.outer_text(element)


def _element(namespace: str, name: str, operation: str = "", text: str = "") -> xml.Element:
    attributes = {_OPERATION: operation} if operation else {}
    element = xml.Element(namespace, name, attributes, {})
    element.text = text
    return element


def _subscription_edit(edit: Edit, entry: ConfiguredSubscription, module: str) -> str:
    if edit.after is None:
        return _removal("subscription", _SN, "id", entry.id)
    text = write_subscription(entry, module)
    if not isinstance(edit.before, ConfiguredSubscription):
        return _marked(text, "create")
    (element,) = xml.fragment(text)
    (old,) = xml.fragment(write_subscription(edit.before, module))
    for child in element.children:
        if child.name in ("periodic", "on-change"):  # else excluded changes would add up
            child.attributes[_OPERATION] = "replace"
    element.children.extend(_leavings(old, element))
    for receiver in _gone_receivers(edit.before, entry):
        _receivers_of(element).children.append(receiver)
    return xml.outer_text(element)


_CASES: Final = (
    frozenset({"periodic", "on-change"}),
    frozenset(
        {
            "selection-filter-ref", "datastore-subtree-filter", "datastore-xpath-filter",
            "stream-filter-name", "stream-subtree-filter", "stream-xpath-filter",
        }
    ),
)  # fmt: skip
"""Choices: the new case takes the old one away by itself (RFC 7950 §7.9)."""


def _leavings(old: xml.Element, new: xml.Element) -> Iterator[xml.Element]:
    """Removals of what was there and is no longer wanted; the new case of the target may have
    taken it away before."""
    there = {child.name for child in new.children}
    for child in old.children:
        replaced = any(child.name in case and case & there for case in _CASES)
        if child.name == "module-version-subs":
            if child not in list(new.find_all(child.name)):
                gone = _element(child.namespace, child.name, "remove")
                gone.children.extend(child.find_all("name"))
                yield gone
        elif child.name not in there and not replaced:
            yield _element(child.namespace, child.name, "remove")


def _gone_receivers(
    before: ConfiguredSubscription, after: ConfiguredSubscription
) -> Iterator[xml.Element]:
    wanted = {one.name for one in after.receivers}
    for one in before.receivers:
        if one.name not in wanted:
            gone = _element(_SN, "receiver", "remove")
            gone.children.append(_element(_SN, "name", text=one.name))
            yield gone


def _receivers_of(element: xml.Element) -> xml.Element:
    found = element.find("receivers")
    assert found is not None  # always written
    return found
