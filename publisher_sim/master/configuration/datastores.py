"""Datastores: running, candidate and startup, and who has locked them (RFC 6241 §5.1, §7.5, §8.3).

Does: hold trees, edits, commit, discard, copies, locks. Does not: know rpcs (``operations``) or
what a configuration means. Rules: nothing of a tree is ever changed in place; what a lock forbids
is refused whoever asks; candidate loses its changes with the lock on it (§8.3.5.2); startup is
reached by a copy alone (§8.7.5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from collector.errors import ProtocolError
from collector.wire.netconf.rpc import CANDIDATE, RUNNING, STARTUP, CancelCommit, Commit
from collector.wire.values import xml
from publisher_sim.master.configuration.confirming import CANCEL, TIMEOUT, Confirming
from publisher_sim.master.configuration.editing import edited, empty
from publisher_sim.master.configuration.schema import Node

Check = Callable[[xml.Element], None]
"""Raises ProtocolError when a tree is no configuration."""

FINAL: Final = Commit()
"""That needs no confirmation."""


class Datastores:
    """The configuration datastores of one device."""

    def __init__(
        self, root: Node, check: Check, *, candidate: bool, writable: bool, startup: bool = False
    ) -> None:
        """All are empty.

        Args:
            root: the schema.
            check: of what becomes running.
            candidate: whether there is a candidate.
            writable: whether running can be edited directly.
            startup: whether what the device starts with is a datastore of its own.
        """
        self._root = root
        self._check = check
        self._writable = writable
        names = (RUNNING, *([CANDIDATE] if candidate else ()), *([STARTUP] if startup else ()))
        self._trees = {name: empty() for name in names}
        self._locks: dict[str, str] = {}
        """datastore -> the session that locked it."""
        self._changed = False
        """Candidate was edited since it last was as running."""
        self.confirming = Confirming()
        """The commit that is to be confirmed."""

    def tree(self, name: str) -> xml.Element:
        """What is in a datastore; not to be changed. Raises ProtocolError."""
        if name not in self._trees:
            raise ProtocolError(
                f"there is no {name} datastore", tag="invalid-value", hints={"bad-element": name}
            )
        return self._trees[name]

    def load(self, nodes: Iterable[xml.Element]) -> None:
        """All datastores hold this. Raises ProtocolError."""
        tree = edited(empty(), nodes, self._root)
        self._check(tree)
        self._trees = dict.fromkeys(self._trees, tree)

    # ------------------------------------------------------------------ changes
    def edit(
        self, session: str, name: str, nodes: Iterable[xml.Element], default: str, *, keep: bool
    ) -> None:
        """Change a datastore; ``keep`` False: only see whether it could be done.

        Raises:
            ProtocolError: it is refused; nothing has changed.
        """
        tree = self.tree(name)
        if name == STARTUP or (name == RUNNING and not self._writable):
            raise ProtocolError(f"{name} cannot be edited", tag="operation-not-supported")
        self._free_for(session, name)
        new = edited(tree, nodes, self._root, default)
        if name == RUNNING:
            self._check(new)
        if keep:
            self._trees[name] = new
            if name == CANDIDATE:
                self._changed = True
            elif not self._changed and CANDIDATE in self._trees:
                self._trees[CANDIDATE] = new  # nobody's own version yet

    def commit(self, session: str, operation: Commit = FINAL, now: int = 0) -> str:
        """Candidate becomes running, if it is to be confirmed for a while.

        Returns:
            What that is to a confirmed commit (``confirming``); empty: nothing.

        Raises:
            ProtocolError: it is refused; nothing has changed.
        """
        candidate = self._candidate()
        self.confirming.check(session, operation)
        self._free_for(session, RUNNING)
        self._free_for(session, CANDIDATE)
        self._check(candidate)
        before, self._trees[RUNNING] = self._trees[RUNNING], candidate
        self._changed = False
        return self.confirming.committed(session, operation, before, now)

    def cancel(self, session: str, operation: CancelCommit) -> str:
        """What was to be confirmed is not. Raises ProtocolError."""
        self._candidate()
        self.confirming.check(session, operation)
        self._free_for(session, RUNNING)
        self._take_back()
        return CANCEL

    def handle_timer(self, now: int) -> str:
        """What was not confirmed in time is taken back, whoever holds a lock; empty: nothing is."""
        if not self.confirming.is_over(now):
            return ""
        self._take_back()
        return TIMEOUT

    def restart(self) -> None:
        """As after a reboot: startup is running, or running as it was before a commit that was not
        confirmed (§8.4.1); nobody holds a lock."""
        before = self.confirming.take_back()
        running = self._trees[RUNNING] if before is None else before
        self._trees[RUNNING] = self._trees.get(STARTUP, running)
        self._locks.clear()
        if CANDIDATE in self._trees:
            self._forget_changes()

    def _take_back(self) -> None:
        before = self.confirming.take_back()
        assert before is not None
        self._trees[RUNNING] = before
        if not self._changed:
            self._forget_changes()

    def copy(self, session: str, target: str, source: str) -> None:
        """One becomes as another. Raises ProtocolError."""
        tree = self.tree(source)
        self.tree(target)
        if target == source:
            raise ProtocolError(f"{source} is that itself", tag="invalid-value")
        if target == RUNNING:  # which a device may leave to commit and edit-config (§7.3)
            raise ProtocolError("running cannot be copied to", tag="operation-not-supported")
        self._free_for(session, target)
        if target == STARTUP:
            self._check(tree)
        self._trees[target] = tree
        if target == CANDIDATE:
            self._changed = source != RUNNING

    def discard(self, session: str) -> None:
        """Candidate becomes as running. Raises ProtocolError."""
        self._candidate()
        self._free_for(session, CANDIDATE)
        self._forget_changes()

    def validate(self, name: str) -> None:
        """Raises ProtocolError: it could not become running."""
        self._check(self.tree(name))

    def _candidate(self) -> xml.Element:
        if CANDIDATE not in self._trees:
            raise ProtocolError("there is no candidate", tag="operation-not-supported")
        return self._trees[CANDIDATE]

    def _forget_changes(self) -> None:
        self._trees[CANDIDATE] = self._trees[RUNNING]
        self._changed = False

    # ------------------------------------------------------------------ locks
    def lock(self, session: str, name: str) -> None:
        """Nobody else may change it. Raises ProtocolError: ``lock-denied``."""
        self.tree(name)
        holder = self._locks.get(name)
        if holder is not None:
            raise _denied(f"{name} is locked already", holder)
        if name == CANDIDATE and self._changed:
            raise _denied("candidate has changes that were not committed", "0")
        other = self.confirming.hinders(session) if name == RUNNING else ""
        if other:
            raise _denied(f"a commit of session {other} waits to be confirmed", other)
        self._locks[name] = session

    def unlock(self, session: str, name: str) -> None:
        """Raises ProtocolError: it is not this session's lock."""
        self.tree(name)
        if self._locks.get(name) != session:
            raise ProtocolError(f"{name} is not locked by you", tag="operation-failed")
        self._release(name)

    def session_closed(self, session: str) -> str:
        """Its locks go with it (RFC 6241 §7.5), and what it should have confirmed (§8.4.1).

        Returns:
            What that is to a confirmed commit; empty: nothing.
        """
        for name in [name for name, holder in self._locks.items() if holder == session]:
            self._release(name)
        if not self.confirming.ends_with(session):
            return ""
        self._take_back()
        return CANCEL

    def _release(self, name: str) -> None:
        del self._locks[name]
        if name == CANDIDATE and self._changed:
            self._forget_changes()

    def _free_for(self, session: str, name: str) -> None:
        holder = self._locks.get(name)
        if holder is not None and holder != session:
            hints = {"session-id": holder}
            raise ProtocolError(f"{name} is locked by session {holder}", tag="in-use", hints=hints)


def _denied(message: str, holder: str) -> ProtocolError:
    """Session 0: no NETCONF session holds it (RFC 6241 §7.5)."""
    return ProtocolError(message, tag="lock-denied", hints={"session-id": holder})
