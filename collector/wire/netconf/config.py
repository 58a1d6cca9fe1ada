"""NETCONF operations on data and configuration, both directions (RFC 6241 §7, §8; RFC 8526 §3).

Does: get-config, get-data, edit-config, lock, unlock, validate, and the action that resets a
receiver (RFC 8639 §2.5.5), as values, to XML and back; what puts a configuration into force is in
``commit``. Does not: apply a filter or an edit, know what the trees mean
(``subscriptions.config``).

Rules: a request with a parameter that is not known here is refused, for it may restrict what is
done (RFC 6241 §A, ``unknown-element``). Trees are XML text that stands alone, and written as such:
the library that writes XML elsewhere would keep every name that it was ever given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from collector.model import SelectionFilter
from collector.wire.netconf.commit import (
    COMMIT_READERS,
    CancelCommit,
    Commit,
    CommitOperation,
    CopyConfig,
    DiscardChanges,
    write_commit,
)
from collector.wire.netconf.data_filters import (
    read_filter,
    refused,
    write_filter,
    xpath_filter,
    xpath_scope,
)
from collector.wire.netconf.request_members import check_identity
from collector.wire.netconf.rpc_parameters import (
    CANDIDATE,
    RUNNING,
    choice,
    needed,
    one_of,
    parameters,
    read_datastore,
    write_datastore,
)
from collector.wire.values import names, plain, xml

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


class Validate(Struct, frozen=True):
    """RFC 6241 §8.6.4.1."""

    source: str = CANDIDATE


class ResetReceiver(Struct, frozen=True):
    """The action ``reset`` of a receiver (RFC 8639 §2.5.5, RFC 7950 §7.15)."""

    id: int
    receiver: str


_OnDatastores = GetConfig | GetData | EditConfig | Lock | Unlock | Validate | CommitOperation
ConfigOperation = _OnDatastores | ResetReceiver

CONFIG_OPERATION_NAMES: Final[dict[type, str]] = {
    GetConfig: f"{names.NETCONF}:get-config",
    GetData: f"{names.NMDA}:get-data",
    EditConfig: f"{names.NETCONF}:edit-config",
    Lock: f"{names.NETCONF}:lock",
    Unlock: f"{names.NETCONF}:unlock",
    Commit: f"{names.NETCONF}:commit",
    CancelCommit: f"{names.NETCONF}:cancel-commit",
    CopyConfig: f"{names.NETCONF}:copy-config",
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


def _read_get_config(element: xml.Element) -> GetConfig:
    found = parameters(element, "source", "filter")
    return GetConfig(read_datastore(element, "source"), read_filter(found.get("filter")))


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
    datastore = needed(element, found, "datastore")
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
        read_datastore(element, "target"),
        xml.inner_text(needed(element, found, "config")),
        choice(found, "default-operation", DEFAULT_OPERATIONS),
        choice(found, "error-option", ERROR_OPTIONS),
        choice(found, "test-option", TEST_OPTIONS),
    )


def _read_lock(element: xml.Element) -> Lock:
    parameters(element, "target")
    return Lock(read_datastore(element, "target"))


def _read_unlock(element: xml.Element) -> Unlock:
    parameters(element, "target")
    return Unlock(read_datastore(element, "target"))


def _read_validate(element: xml.Element) -> Validate:
    parameters(element, "source")
    return Validate(read_datastore(element, "source"))


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
    Validate: _read_validate,
    ResetReceiver: _read_action,
    **COMMIT_READERS,
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


def _inner(operation: _OnDatastores) -> str:
    match operation:
        case GetConfig(source, selection):
            return write_datastore("source", source) + (
                "" if selection is None else write_filter(selection)
            )
        case GetData():
            return _write_get_data(operation)
        case EditConfig():
            return _write_edit_config(operation)
        case Lock(target) | Unlock(target):
            return write_datastore("target", target)
        case Validate(source):
            return write_datastore("source", source)
        case _:
            return write_commit(operation)


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
    text = write_datastore("target", operation.target)
    for name, value, values in (
        ("default-operation", operation.default_operation, DEFAULT_OPERATIONS),
        ("test-option", operation.test_option, TEST_OPTIONS),
        ("error-option", operation.error_option, ERROR_OPTIONS),
    ):
        if one_of(value, values) != values[0]:
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
