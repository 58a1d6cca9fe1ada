"""Operations: the rpcs on configuration, answered (RFC 6241 §7, §8; RFC 8639 §2.5).

Does: get-config, edit-config, lock, unlock, commit, discard-changes, validate, and the action
reset. Does not: edit trees (``editing``) or run subscriptions (``subscriptions``). Rules: who may
not do everything may read alone; what changes running is operational before the next rpc is read.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from collector.errors import ProtocolError
from collector.model import SelectionFilter
from collector.wire import plain_xml, xml
from collector.wire.netconf_rpc import (
    CONFIG_OPERATION_NAMES,
    RUNNING,
    Commit,
    ConfigOperation,
    Data,
    DiscardChanges,
    EditConfig,
    GetConfig,
    GetData,
    Lock,
    Ok,
    ResetOutput,
    ResetReceiver,
    Rpc,
    Unlock,
    Validate,
)
from publisher_sim.filters import FilterUnsupportedError, compile_filter, pruned
from publisher_sim.master.configuration.checking import check, read_checked
from publisher_sim.master.configuration.datastores import Datastores
from publisher_sim.master.configuration.schema import schema
from publisher_sim.master.configuration.subscriptions import ConfiguredSubscriptions
from publisher_sim.master.dispatch import Answer
from publisher_sim.master.sessions import FULL, SessionInfo
from publisher_sim.ports import Action
from publisher_sim.scenario import Configuration

_CAPABILITY: Final = "urn:ietf:params:netconf:capability:"
CAPABILITIES: Final = {
    "writable_running": (f"{_CAPABILITY}writable-running:1.0",),
    "candidate": (f"{_CAPABILITY}candidate:1.0",),
    "": (
        f"{_CAPABILITY}rollback-on-error:1.0",
        f"{_CAPABILITY}validate:1.1",
        f"{_CAPABILITY}xpath:1.0",
    ),
}
"""Key of ``[configuration]``, empty: any -> what the hello says (RFC 6241 §8)."""


def capabilities(settings: Configuration | None) -> tuple[str, ...]:
    """What a device with this table says of itself."""
    if settings is None:
        return ()
    return tuple(
        uri for key, uris in CAPABILITIES.items() if not key or getattr(settings, key)
        for uri in uris
    )  # fmt: skip


class Configuring:
    """The answerer of everything about configuration."""

    operations = tuple(name for kind, name in CONFIG_OPERATION_NAMES.items() if kind is not GetData)

    def __init__(self, settings: Configuration, subscriptions: ConfiguredSubscriptions) -> None:
        self._subscriptions = subscriptions
        self._datastores = Datastores(
            schema(spelling=settings.spelling, purpose=settings.purpose),
            check,
            candidate=settings.candidate,
            writable=settings.writable_running,
        )

    def tree(self, datastore: str) -> xml.Element:
        """What is configured, below one element without a meaning. Raises ProtocolError."""
        return self._datastores.tree(datastore)

    def session_closed(self, session_id: str) -> None:
        """Its locks are gone."""
        self._datastores.session_closed(session_id)

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """One of ``operations``. Raises ProtocolError: it is refused, nothing has changed."""
        operation = rpc.operation
        assert isinstance(operation, ConfigOperation)
        if isinstance(operation, GetConfig):
            return Data(selected(self.tree(operation.source), operation.filter)), []
        if session.access != FULL:
            raise ProtocolError("you may not change the configuration", tag="access-denied")
        if isinstance(operation, ResetReceiver):
            time, follows = self._subscriptions.reset(operation.id, operation.receiver, now)
            return ResetOutput(time), follows
        return Ok(), self._change(session.session_id, operation, now)

    def _change(self, session: str, operation: ConfigOperation, now: int) -> list[Action]:
        match operation:
            case EditConfig():
                return self._edit(session, operation, now)
            case Commit():
                self._datastores.commit(session)
                return self._operational(now)
            case DiscardChanges():
                self._datastores.discard(session)
            case Validate(source):
                self._datastores.validate(source)
            case Lock(target):
                self._datastores.lock(session, target)
            case Unlock(target):
                self._datastores.unlock(session, target)
            case _:
                raise AssertionError(operation)
        return []

    def _edit(self, session: str, operation: EditConfig, now: int) -> list[Action]:
        keep = operation.test_option != "test-only"
        default = operation.default_operation
        self._datastores.edit(session, operation.target, operation.nodes, default, keep=keep)
        return self._operational(now) if keep and operation.target == RUNNING else []

    def _operational(self, now: int) -> list[Action]:
        return self._subscriptions.apply(read_checked(self.tree(RUNNING)), now)


def selected(tree: xml.Element, wanted: SelectionFilter | None) -> str:
    """What a filter selects of a tree, as XML text. Raises ProtocolError."""
    if wanted is None:
        return xml.inner_text(tree)
    try:
        evaluated = compile_filter(wanted)
    except FilterUnsupportedError as error:
        raise ProtocolError(str(error), tag="operation-not-supported") from error
    root = etree.fromstring(f"<data>{xml.inner_text(tree)}</data>", plain_xml.xml_parser())
    left = pruned(root, evaluated.marks(root))
    if left is None:
        return ""
    return "".join(etree.tostring(child, encoding="unicode") for child in left)
