"""Parameters of NETCONF operations, both directions: which there are, and datastores.

Does not: know operations. Rules: a parameter that an operation does not have is refused, for it may
restrict what is done (RFC 6241 §A, ``unknown-element``); a datastore is one empty element in a
container, and a ``url`` is none here. Spec: RFC 6241 §5.1, §7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector.errors import ProtocolError, UsageError
from collector.wire.netconf.data_filters import refused
from collector.wire.values import xml

RUNNING: Final = "running"
CANDIDATE: Final = "candidate"
STARTUP: Final = "startup"
CONFIG_DATASTORES: Final = (RUNNING, CANDIDATE, STARTUP)
"""What ``source`` and ``target`` may name (RFC 6241 §5.1)."""


# --------------------------------------------------------------------------- decode
def parameters(element: xml.Element, *known: str) -> dict[str, xml.Element]:
    """What stands in an operation, by name; nothing else may, and nothing twice.

    Raises:
        ProtocolError: ``unknown-element``, ``bad-element``.
    """
    found: dict[str, xml.Element] = {}
    for child in element.children:
        if child.name not in known or child.namespace != element.namespace:
            raise refused(
                "unknown-element", f"{child.name} is not known in {element.name}", child.name
            )
        if child.name in found:
            raise refused("bad-element", f"{child.name} is there twice", child.name)
        found[child.name] = child
    return found


def needed(element: xml.Element, found: Mapping[str, xml.Element], name: str) -> xml.Element:
    """A parameter that has to be there. Raises ProtocolError: ``missing-element``."""
    if name not in found:
        raise refused("missing-element", f"{element.name} has no {name}", name)
    return found[name]


def read_datastore(element: xml.Element, name: str) -> str:
    """``source`` or ``target``: a container with one empty element in it. Raises ProtocolError."""
    holder = needed(element, {child.name: child for child in element.children}, name)
    if len(holder.children) != 1:
        raise refused("missing-element", f"{name} names not exactly one datastore", name)
    datastore = holder.children[0].name
    if datastore not in CONFIG_DATASTORES:
        raise refused("bad-element", f"{datastore} is no datastore here", datastore)
    return datastore


def choice(found: Mapping[str, xml.Element], name: str, values: tuple[str, ...]) -> str:
    """One of the values; the first is the default. Raises ProtocolError: ``invalid-value``."""
    value = found[name].text if name in found else values[0]
    if value not in values:
        raise ProtocolError(f"{value} is no {name}", tag="invalid-value", path=f"/{name}")
    return value


# --------------------------------------------------------------------------- encode
def write_datastore(name: str, datastore: str) -> str:
    """``source`` or ``target``. Raises UsageError: there is no such datastore."""
    return f"<{name}><{one_of(datastore, CONFIG_DATASTORES)}/></{name}>"


def one_of(value: str, values: tuple[str, ...]) -> str:
    """The value. Raises UsageError: it is none of them."""
    if value not in values:
        raise UsageError(f"{value!r} is none of {', '.join(values)}")
    return value
