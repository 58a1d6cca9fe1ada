"""Operations: the rpcs on configuration, answered (RFC 6241 §7, §8; RFC 8639 §2.5).

Does: edit-config, lock, unlock, commit, discard-changes, validate, and the action reset. Does not:
read (``publisher_sim.master.retrieval``), edit trees (``editing``) or run subscriptions
(``subscriptions``). Rules: who may not do everything changes nothing; what changes running is
operational before the next rpc is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from collector.errors import ConfigError, ProtocolError, WireError
from collector.wire import xml
from collector.wire.netconf_rpc import (
    CONFIG_OPERATION_NAMES,
    RUNNING,
    Commit,
    ConfigOperation,
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
from publisher_sim.master.configuration.checking import check, read_checked
from publisher_sim.master.configuration.datastores import Datastores
from publisher_sim.master.configuration.filters import (
    ConfiguredFilters,
    filters_schema,
    read_filters,
)
from publisher_sim.master.configuration.schema import schema
from publisher_sim.master.configuration.subscriptions import ConfiguredSubscriptions
from publisher_sim.master.dispatch import Answer
from publisher_sim.master.ports import Action
from publisher_sim.master.sessions import SessionInfo
from publisher_sim.scenario import Configuration
from publisher_sim.users.access import FULL

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


Happened = Callable[[str, SessionInfo, int], list[Action]]
"""(name of the notification of RFC 6470, who did it, when)."""


class Configuring:
    """The answerer of everything that changes the configuration."""

    operations = tuple(
        name for kind, name in CONFIG_OPERATION_NAMES.items() if kind not in (GetConfig, GetData)
    )

    def __init__(
        self,
        settings: Configuration,
        subscriptions: ConfiguredSubscriptions,
        filters: ConfiguredFilters,
        happened: Happened,
    ) -> None:
        self._subscriptions = subscriptions
        self._filters = filters
        self._happened = happened
        self._datastores = Datastores(
            schema(spelling=settings.spelling, purpose=settings.purpose, more=filters_schema()),
            _check,
            candidate=settings.candidate,
            writable=settings.writable_running,
        )

    def tree(self, datastore: str) -> xml.Element:
        """What is configured, below one element without a meaning. Raises ProtocolError."""
        return self._datastores.tree(datastore)

    def load(self, text: str, now: int) -> list[Action]:
        """The device is switched on with this in running. Raises ConfigError."""
        try:
            self._datastores.load(xml.fragment(text))
        except (ProtocolError, WireError) as error:
            raise ConfigError(str(error), key="configuration.initial") from error
        return self._operational(now)

    def session_closed(self, session_id: str) -> None:
        """Its locks are gone."""
        self._datastores.session_closed(session_id)

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """One of ``operations``. Raises ProtocolError: it is refused, nothing has changed."""
        operation = rpc.operation
        assert isinstance(operation, ConfigOperation)
        if session.access != FULL:
            raise ProtocolError("you may not change the configuration", tag="access-denied")
        if isinstance(operation, ResetReceiver):
            time, follows = self._subscriptions.reset(operation.id, operation.receiver, now)
            return ResetOutput(time), follows
        follows = self._change(session.session_id, operation, now)
        if isinstance(operation, Commit) or _edits_running(operation):
            follows.extend(self._happened("netconf-config-change", session, now))
        return Ok(), follows

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
        keep = _keeps(operation)
        default = operation.default_operation
        self._datastores.edit(session, operation.target, operation.nodes, default, keep=keep)
        return self._operational(now) if keep and operation.target == RUNNING else []

    def _operational(self, now: int) -> list[Action]:
        tree = self.tree(RUNNING)
        filters = read_filters(tree)
        changed, came = self._filters.come(filters, now)
        applied = self._subscriptions.apply(read_checked(tree), now, changed)
        return [*came, *applied, *self._filters.go(filters, now)]


def _keeps(operation: EditConfig) -> bool:
    return operation.test_option != "test-only"


def _edits_running(operation: ConfigOperation) -> bool:
    if not isinstance(operation, EditConfig) or operation.target != RUNNING:
        return False
    return _keeps(operation)


def _check(tree: xml.Element) -> None:
    read_filters(tree)
    check(tree)
