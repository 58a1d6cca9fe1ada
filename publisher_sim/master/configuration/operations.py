"""Operations: the rpcs on configuration, answered (RFC 6241 §7, §8; RFC 8639 §2.5).

Does: edit-config, copy-config, lock, unlock, commit, cancel-commit, discard-changes, validate, and
the action reset. Does not: read (``publisher_sim.master.retrieval``), edit trees (``editing``) or
run subscriptions (``subscriptions``). Rules: who may not do everything changes nothing; what
changes running is operational before the next rpc is read.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from collector.errors import ConfigError, ProtocolError, WireError
from collector.model import SECOND
from collector.wire.netconf.rpc import (
    CONFIG_OPERATION_NAMES,
    RUNNING,
    CancelCommit,
    Commit,
    ConfigOperation,
    CopyConfig,
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
from collector.wire.values import xml
from publisher_sim.master.configuration.checking import check, read_checked
from publisher_sim.master.configuration.confirming import EXTEND, START, TIMEOUT
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
    "confirmed_commit": (f"{_CAPABILITY}confirmed-commit:1.1",),
    "startup": (f"{_CAPABILITY}startup:1.0",),
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
    there = {key for key in CAPABILITIES if not key or getattr(settings, key)}
    if not settings.candidate:  # without which there is nothing to confirm (RFC 6241 §8.4.2)
        there.discard("confirmed_commit")
    return tuple(uri for key, uris in CAPABILITIES.items() if key in there for uri in uris)


class Happened(Protocol):
    """Something of RFC 6470 happened."""

    def __call__(
        self, name: str, session: SessionInfo | None, now: int, /, **values: Any
    ) -> list[Action]:
        """``session``: who did it; None: the device itself; ``values``: further leaves."""
        ...


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
        self._confirms = settings.candidate and settings.confirmed_commit
        self._datastores = Datastores(
            schema(spelling=settings.spelling, purpose=settings.purpose, more=filters_schema()),
            _check,
            candidate=settings.candidate,
            writable=settings.writable_running,
            startup=settings.startup,
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

    # ------------------------------------------------------------------ events
    def session_closed(self, session: SessionInfo, now: int) -> list[Action]:
        """Its locks are gone, and what it was to confirm."""
        event = self._datastores.session_closed(session.session_id)
        return self._taken_back(event, session, now) if event else []

    def restart(self, now: int) -> list[Action]:
        """The device begins anew with what it starts with; who is told of a start hears of that."""
        gone = self._subscriptions.restart(now)
        self._datastores.restart()
        return [*gone, *self._operational(now)]

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns; None while there is nothing."""
        return self._datastores.confirming.until

    def handle_timer(self, now: int) -> list[Action]:
        """What nobody confirmed in time is taken back (RFC 6241 §8.4.1)."""
        event = self._datastores.handle_timer(now)
        return self._taken_back(event, None, now) if event else []

    def _taken_back(self, event: str, session: SessionInfo | None, now: int) -> list[Action]:
        return [
            *self._operational(now),
            *self._happened("netconf-config-change", session, now),
            *self._confirmation(event, session, now),
        ]

    def _confirmation(self, event: str, session: SessionInfo | None, now: int) -> list[Action]:
        """RFC 6470 §2.2: the session is not named where time alone did it."""
        values: dict[str, Any] = {"confirm_event": event}
        until = self._datastores.confirming.until
        if event in (START, EXTEND) and until is not None:
            values["timeout"] = (until - now) // SECOND
        who = None if event == TIMEOUT else session
        return self._happened("netconf-confirmed-commit", who, now, **values)

    # ------------------------------------------------------------------ rpcs
    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """One of ``operations``. Raises ProtocolError: it is refused, nothing has changed."""
        operation = rpc.operation
        assert isinstance(operation, ConfigOperation)
        if session.access != FULL:
            raise ProtocolError("you may not change the configuration", tag="access-denied")
        if isinstance(operation, ResetReceiver):
            time, follows = self._subscriptions.reset(operation.id, operation.receiver, now)
            return ResetOutput(time), follows
        self._check_confirming(operation)
        return Ok(), self._change(session, operation, now)

    def _check_confirming(self, operation: ConfigOperation) -> None:
        """A device without the capability does not know the parameters (RFC 6241 §8.4.5.1)."""
        if self._confirms:
            return
        if isinstance(operation, CancelCommit):
            raise ProtocolError("no commit waits here", tag="operation-not-supported")
        if isinstance(operation, Commit) and operation != Commit():
            hints = {"bad-element": "confirmed"}
            raise ProtocolError("commits are final", tag="unknown-element", hints=hints)

    def _change(self, session: SessionInfo, operation: ConfigOperation, now: int) -> list[Action]:
        who = session.session_id
        match operation:
            case EditConfig():
                return self._edit(session, operation, now)
            case Commit():
                event = self._datastores.commit(who, operation, now)
                return self._committed(event, session, now)
            case CancelCommit():
                return self._taken_back(self._datastores.cancel(who, operation), session, now)
            case DiscardChanges():
                self._datastores.discard(who)
            case CopyConfig(target, source):
                self._datastores.copy(who, target, source)
            case Validate(source):
                self._datastores.validate(source)
            case Lock(target):
                self._datastores.lock(who, target)
            case Unlock(target):
                self._datastores.unlock(who, target)
            case _:
                raise AssertionError(operation)
        return []

    def _committed(self, event: str, session: SessionInfo, now: int) -> list[Action]:
        actions = self._operational(now)
        actions.extend(self._happened("netconf-config-change", session, now))
        return [*actions, *(self._confirmation(event, session, now) if event else ())]

    def _edit(self, session: SessionInfo, operation: EditConfig, now: int) -> list[Action]:
        keep = operation.test_option != "test-only"
        target, default = operation.target, operation.default_operation
        self._datastores.edit(session.session_id, target, operation.nodes, default, keep=keep)
        if not keep or target != RUNNING:
            return []
        return [*self._operational(now), *self._happened("netconf-config-change", session, now)]

    def _operational(self, now: int) -> list[Action]:
        tree = self.tree(RUNNING)
        filters = read_filters(tree)
        changed, came = self._filters.come(filters, now)
        applied = self._subscriptions.apply(read_checked(tree), now, changed)
        return [*came, *applied, *self._filters.go(filters, now)]


def _check(tree: xml.Element) -> None:
    read_filters(tree)
    check(tree)
