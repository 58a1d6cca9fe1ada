"""NETCONF operations on data and configuration, both directions (RFC 6241 §7, §8; RFC 8526 §3).

Does: get-config, get-data, edit-config, lock, unlock, commit, discard-changes, validate, and the
action that resets a receiver (RFC 8639 §2.5.5), as values, to XML and back. Does not: apply a
filter or an edit, know what the trees mean (``subscription_config``).

Rules: a request with a parameter that is not known here is refused, for it may restrict what is
done (RFC 6241 §A, ``unknown-element``). Trees are XML text that stands alone, and written as such:
the library that writes XML elsewhere would keep every name that it was ever given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from collector.errors import ProtocolError, UsageError
from collector.model import SelectionFilter
from collector.wire import names, plain, xml
from collector.wire.data_filters import (
    read_filter,
    refused,
    write_filter,
    xpath_filter,
    xpath_scope,
)
from collector.wire.request_members import check_identity

RUNNING: Final = "running"
CANDIDATE: Final = "candidate"
STARTUP: Final = "startup"
CONFIG_DATASTORES: Final = (RUNNING, CANDIDATE, STARTUP)
"""What ``source`` and ``target`` may name (RFC 6241 §5.1); a ``url`` is not known here."""

DEFAULT_OPERATIONS: Final = ("merge", "replace", "none")
TEST_OPTIONS: Final = ("test-then-set", "set", "test-only")
ERROR_OPTIONS: Final = ("stop-on-error", "continue-on-error", "rollback-on-error")
_UNBOUNDED: Final = "unbounded"


class GetConfig(Struct, frozen=True):
    """RFC 6241 §7.1."""

    source: str = RUNNING
    filter: SelectionFilter | None = None
    """``subtree`` or ``xpath``; None: everything."""


class GetData(Struct, frozen=True):
    """RFC 8526 §3.1.1."""

    datastore: str = "operational"
    """Identity without its module."""
    filter: SelectionFilter | None = None
    config_filter: bool | None = None
    """True: configuration only; False: state only; None: both."""
    max_depth: int | None = None
    """Levels below the selected nodes, 1 to 65535; None: all."""
    with_origin: bool = False


class EditConfig(Struct, frozen=True):
    """RFC 6241 §7.2."""

    target: str
    config: str
    """What stands inside ``<config>``, as XML text; ``operation`` attributes are in it."""
    default_operation: str = "merge"
    error_option: str = "stop-on-error"
    test_option: str = "test-then-set"

    @property
    def nodes(self) -> tuple[xml.Element, ...]:
        """The top-level nodes. Raises WireError."""
        return xml.fragment(self.config)


class Lock(Struct, frozen=True):
    """RFC 6241 §7.5."""

    target: str


class Unlock(Struct, frozen=True):
    """RFC 6241 §7.6."""

    target: str


class Commit(Struct, frozen=True):
    """RFC 6241 §8.3.4.1; never a confirmed one."""


class DiscardChanges(Struct, frozen=True):
    """RFC 6241 §8.3.4.2."""


class Validate(Struct, frozen=True):
    """RFC 6241 §8.6.4.1."""

    source: str = CANDIDATE


class ResetReceiver(Struct, frozen=True):
    """The action ``reset`` of a receiver (RFC 8639 §2.5.5, RFC 7950 §7.15)."""

    id: int
    receiver: str


ConfigOperation = (
    GetConfig
    | GetData
    | EditConfig
    | Lock
    | Unlock
    | Commit
    | DiscardChanges
    | Validate
    | ResetReceiver
)

CONFIG_OPERATION_NAMES: Final[dict[type, str]] = {
    GetConfig: f"{names.NETCONF}:get-config",
    GetData: f"{names.NMDA}:get-data",
    EditConfig: f"{names.NETCONF}:edit-config",
    Lock: f"{names.NETCONF}:lock",
    Unlock: f"{names.NETCONF}:unlock",
    Commit: f"{names.NETCONF}:commit",
    DiscardChanges: f"{names.NETCONF}:discard-changes",
    Validate: f"{names.NETCONF}:validate",
    ResetReceiver: f"{names.YANG}:action",
}


# --------------------------------------------------------------------------- decode
def read_operation(kind: type, element: xml.Element) -> ConfigOperation:
    """An operation of ``CONFIG_OPERATION_NAMES``.

    Raises:
        ProtocolError: what to answer with: ``missing-element``, ``unknown-element``, ...
        WireError: a leaf that cannot be read.
    """
    return _READERS[kind](element)


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


def _needed(element: xml.Element, found: Mapping[str, xml.Element], name: str) -> xml.Element:
    if name not in found:
        raise refused("missing-element", f"{element.name} has no {name}", name)
    return found[name]


def _datastore(element: xml.Element, name: str) -> str:
    """``source`` or ``target``: a container with one empty element in it."""
    holder = _needed(element, {child.name: child for child in element.children}, name)
    if len(holder.children) != 1:
        raise refused("missing-element", f"{name} names not exactly one datastore", name)
    datastore = holder.children[0].name
    if datastore not in CONFIG_DATASTORES:
        raise refused("bad-element", f"{datastore} is no datastore here", datastore)
    return datastore


def _read_get_config(element: xml.Element) -> GetConfig:
    found = parameters(element, "source", "filter")
    return GetConfig(_datastore(element, "source"), read_filter(found.get("filter")))


def _read_get_data(element: xml.Element) -> GetData:
    found = parameters(
        element,
        "datastore", "subtree-filter", "xpath-filter", "config-filter", "max-depth", "with-origin",
    )  # fmt: skip
    if "subtree-filter" in found and "xpath-filter" in found:  # one choice (RFC 8526 §3.1.1)
        raise refused("bad-element", "a subtree-filter or an xpath-filter", "xpath-filter")
    selection = None
    if "subtree-filter" in found:
        selection = SelectionFilter("subtree", xml.inner_text(found["subtree-filter"]))
    elif "xpath-filter" in found:
        selection = xpath_filter(found["xpath-filter"].text, found["xpath-filter"].nsmap)
    config = found.get("config-filter")
    depth = found.get("max-depth")
    limited = depth is not None and depth.text != _UNBOUNDED
    datastore = _needed(element, found, "datastore")
    check_identity(datastore, "/get-data")
    return GetData(
        names.local_name(datastore.text),
        selection,
        None if config is None else plain.read_boolean(config.text, "config-filter"),
        plain.read_uint(depth.text, "max-depth", 65535) if depth is not None and limited else None,
        "with-origin" in found,
    )


def _read_edit_config(element: xml.Element) -> EditConfig:
    found = parameters(
        element, "target", "default-operation", "test-option", "error-option", "config"
    )
    return EditConfig(
        _datastore(element, "target"),
        xml.inner_text(_needed(element, found, "config")),
        _choice(found, "default-operation", DEFAULT_OPERATIONS),
        _choice(found, "error-option", ERROR_OPTIONS),
        _choice(found, "test-option", TEST_OPTIONS),
    )


def _choice(found: Mapping[str, xml.Element], name: str, values: tuple[str, ...]) -> str:
    """One of the values; the first is the default."""
    value = found[name].text if name in found else values[0]
    if value not in values:
        raise ProtocolError(f"{value} is no {name}", tag="invalid-value", path=f"/{name}")
    return value


def _read_lock(element: xml.Element) -> Lock:
    parameters(element, "target")
    return Lock(_datastore(element, "target"))


def _read_unlock(element: xml.Element) -> Unlock:
    parameters(element, "target")
    return Unlock(_datastore(element, "target"))


def _read_commit(element: xml.Element) -> Commit:
    parameters(element)
    return Commit()


def _read_discard_changes(element: xml.Element) -> DiscardChanges:
    parameters(element)
    return DiscardChanges()


def _read_validate(element: xml.Element) -> Validate:
    parameters(element, "source")
    return Validate(_datastore(element, "source"))


def _read_action(element: xml.Element) -> ResetReceiver:
    """Containers and keys lead to the node (RFC 7950 §7.15.2)."""
    subscription = _inside(element, "subscriptions", "subscription")
    receiver = _inside(subscription, "receivers", "receiver")
    if receiver.find("reset") is None:
        raise refused("unknown-element", "there is no such action", "action")
    return ResetReceiver(
        plain.read_uint(subscription.text_of("id"), "id"), receiver.text_of("name")
    )


def _inside(element: xml.Element, *path: str) -> xml.Element:
    for name in path:
        found = element.find(name)
        if found is None or found.namespace != names.NAMESPACES[names.SN]:
            raise refused("unknown-element", "there is no such action", name)
        element = found
    return element


_READERS: Final[dict[type, Callable[[xml.Element], ConfigOperation]]] = {
    GetConfig: _read_get_config,
    GetData: _read_get_data,
    EditConfig: _read_edit_config,
    Lock: _read_lock,
    Unlock: _read_unlock,
    Commit: _read_commit,
    DiscardChanges: _read_discard_changes,
    Validate: _read_validate,
    ResetReceiver: _read_action,
}


# --------------------------------------------------------------------------- encode
def write_operation(operation: ConfigOperation) -> str:
    """The element of the operation as XML text.

    Raises:
        UsageError: an unknown datastore or option, a filter by reference.
    """
    if isinstance(operation, ResetReceiver):
        return _write_action(operation)
    module, _, name = CONFIG_OPERATION_NAMES[type(operation)].rpartition(":")
    return f"<{name} xmlns={quoteattr(names.namespace_of(module))}>{_inner(operation)}</{name}>"


def _inner(operation: ConfigOperation) -> str:
    match operation:
        case GetConfig(source, selection):
            return _named("source", source) + ("" if selection is None else write_filter(selection))
        case GetData():
            return _write_get_data(operation)
        case EditConfig():
            return _write_edit_config(operation)
        case Lock(target) | Unlock(target):
            return _named("target", target)
        case Validate(source):
            return _named("source", source)
        case _:
            return ""


def _named(name: str, datastore: str) -> str:
    return f"<{name}><{_one_of(datastore, CONFIG_DATASTORES)}/></{name}>"


def _one_of(value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise UsageError(f"{value!r} is none of {', '.join(values)}")
    return value


def _write_get_data(operation: GetData) -> str:
    scope = f"xmlns:ds={quoteattr(names.NAMESPACES[names.DS])}"
    text = f"<datastore {scope}>ds:{escape(operation.datastore)}</datastore>"
    selection = operation.filter
    if selection is not None and selection.kind == "subtree":
        text += f"<subtree-filter>{selection.text}</subtree-filter>"
    elif selection is not None:
        scope = xpath_scope(selection)
        text += f"<xpath-filter{scope}>{escape(selection.text)}</xpath-filter>"
    if operation.config_filter is not None:
        text += f"<config-filter>{str(operation.config_filter).lower()}</config-filter>"
    if operation.max_depth is not None:
        text += f"<max-depth>{operation.max_depth}</max-depth>"
    return text + ("<with-origin/>" if operation.with_origin else "")


def _write_edit_config(operation: EditConfig) -> str:
    """Options that are the default are left out: ``test-option`` needs ``:validate``."""
    text = _named("target", operation.target)
    for name, value, values in (
        ("default-operation", operation.default_operation, DEFAULT_OPERATIONS),
        ("test-option", operation.test_option, TEST_OPTIONS),
        ("error-option", operation.error_option, ERROR_OPTIONS),
    ):
        if _one_of(value, values) != values[0]:
            text += f"<{name}>{value}</{name}>"
    return f"{text}<config>{operation.config}</config>"


def _write_action(operation: ResetReceiver) -> str:
    return (
        f"<action xmlns={quoteattr(names.NAMESPACES[names.YANG])}>"
        f"<subscriptions xmlns={quoteattr(names.NAMESPACES[names.SN])}>"
        f"<subscription><id>{operation.id}</id><receivers><receiver>"
        f"<name>{escape(operation.receiver)}</name><reset/></receiver></receivers></subscription>"
        "</subscriptions></action>"
    )
