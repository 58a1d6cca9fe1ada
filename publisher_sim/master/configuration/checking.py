"""Checking: whether a tree is a configuration at all (RFC 7950 §8.1).

Does: values, mandatory nodes, references, bounds. Does not: decide whether the device can do what a
subscription wants (``evaluation``): that makes it invalid, not the configuration.
"""

from __future__ import annotations

from typing import Final

from collector.errors import ProtocolError, WireError
from collector.wire.subscriptions.config import (
    Configuration,
    ConfiguredSubscription,
    read_configuration,
)
from collector.wire.values import xml

MOST: Final = 64
"""Subscriptions and receiver instances each; ours."""


def check(tree: xml.Element) -> None:
    """Raises ProtocolError."""
    read_checked(tree)


def read_checked(tree: xml.Element) -> Configuration:
    """The configuration that a tree is. Raises ProtocolError."""
    try:
        found = read_configuration(tree.children)
    except WireError as error:
        raise ProtocolError(str(error), tag="resource-denied") from error
    for what, why in found.unreadable.items():
        raise ProtocolError(f"{what}: {why}", tag="invalid-value", path="/subscriptions")
    if max(len(found.instances), len(found.subscriptions)) > MOST:
        raise ProtocolError(f"no more than {MOST} of them", tag="resource-denied")
    for instance in found.instances:
        if not instance.transport:
            raise _incomplete("data-missing", f"receiver-instance {instance.name}", "transport")
    names = {one.name for one in found.instances}
    for subscription in found.subscriptions:
        _check_subscription(subscription, names)
    return found


def _check_subscription(one: ConfiguredSubscription, instances: set[str]) -> None:
    what = f"subscription {one.id}"
    if one.terms.datastore is None and one.terms.stream is None:
        raise _incomplete("data-missing", what, "target")
    if one.terms.transport is None:
        raise _incomplete("data-missing", what, "transport")
    if not one.receivers:
        raise _incomplete("operation-failed", what, "receiver")
    for receiver in one.receivers:
        if receiver.instance not in instances:
            raise ProtocolError(
                f"{what}: there is no receiver-instance {receiver.instance}",
                tag="data-missing",
                path="/subscriptions/subscription/receivers/receiver/receiver-instance-ref",
            )


def _incomplete(tag: str, what: str, name: str) -> ProtocolError:
    return ProtocolError(f"{what} has no {name}", tag=tag, path="/subscriptions")
