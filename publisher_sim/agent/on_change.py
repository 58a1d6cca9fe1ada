"""OnChangeShare: one publisher's part of an on-change subscription, from change to update record.

Does: look at the datastore whenever something of the share may have changed, wait for the end of a
dampening period, and say what the next update record holds: all that is selected (push-update), or
the edits from the previous record to now (push-change-update). Does not: number messages, break or
send them (``publisher`` does).

Rules (RFC 8641 §3.3, §3.7, §3.11.1):

* the first record is a push-update with ``sync-on-start``; without it no push-update is ever made;
* patch-ids count from 0, begin anew after a push-update and after 2^32 - 1; each publisher counts;
* no record within the dampening period of the one before; what changed meanwhile is said at its
  end with the values of then, also where it is as it was before: there was churn;
* ``excluded-change`` takes edits away; a record without edits, or a push-update without contents,
  is not made and dampens nothing;
* counters and the like (``entries.PERIODIC_ONLY``) are never said.

Entries of its lists are ordered by the system and none has a user's order, so there is no insert
or move; the edit of a value is a replace, as RFC 8641 §3.5.2 asks, never a merge.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from collector.model import OnChange
from publisher_sim.data.entries import TREES, Node
from publisher_sim.data.selection import Selection
from publisher_sim.sources.datastore import Datastore, add

_UINT32: Final = 2**32
_SPELLINGS: Final = {"constant": "0", "named": "patch-{}"}
"""How numbers are written where it is not just so."""
Values = dict[str, Any]
Path = tuple[str, ...]
"""Member names from a list entry to a leaf."""


class Record(Struct, frozen=True):
    """One update record (RFC 8641 §3.7)."""

    at: int
    """When it is assembled, ns since 1970."""
    contents: Values
    """Of ``datastore-contents`` or ``datastore-changes``."""
    patch_id: int | None = None
    """None of a push-update."""
    edits: int = 0
    incomplete: bool = False


class _Churn(Struct):
    """What happened to an entry since the previous record."""

    gone: bool = False
    """It was away at some moment."""
    paths: dict[Path, None] = {}
    """Of the leaves that changed, in order."""


class OnChangeShare:
    """The state of one component subscription at its publisher."""

    def __init__(
        self,
        datastore: Datastore,
        nodes: tuple[Node, ...],
        selection: Selection,
        terms: OnChange,
        patch_ids: str = "counted",
    ) -> None:
        """Nothing is said yet; ``patch_ids``: as ``Behaviour`` has it."""
        self._datastore = datastore
        self._nodes = nodes
        self._selection = selection
        self._terms = terms
        self._said: dict[Node, Values] = {}
        """What the records so far amount to."""
        self._seen: dict[Node, Values] = {}
        """How it was when last looked at."""
        self._churn: dict[Node, _Churn] = {}
        self._looks: list[tuple[int, Node]] = []
        """Heap of (when an entry changes next, entry)."""
        self._patch_ids = patch_ids
        self._patch_id = 0
        self._quiet_until = 0
        """End of the dampening period."""
        self._lacking = False
        """The next record leaves out what happened while nobody looked."""
        self.excluded = 0
        """Records that were not made, for all their edits are excluded."""

    # ------------------------------------------------------------------ beginnings
    def begin(self, at: int, *, resumed: bool = False) -> Record | None:
        """Serve from now on; the record to begin with, if there is one.

        Args:
            at: ns since 1970.
            resumed: the subscription was suspended, so that changes may have been missed.
        """
        self._watch(at)
        if self._terms.sync_on_start:
            return self.resync(at)
        self._said = dict(self._seen)
        self._lacking = resumed
        return None

    def serve(self, nodes: tuple[Node, ...], at: int) -> Record | None:
        """The share is another one; what it loses is somebody else's to speak of."""
        if nodes == self._nodes:
            return None
        self.look(at)
        self._nodes = nodes
        self._said = {node: values for node, values in self._said.items() if node in nodes}
        self._churn = {node: churn for node, churn in self._churn.items() if node in nodes}
        self._watch(at)
        if self._terms.sync_on_start:
            return self.resync(at)
        for node in self._seen.keys() - self._said.keys():
            self._churn.setdefault(node, _Churn())
        return None

    def resume(self, nodes: tuple[Node, ...], at: int) -> Record | None:
        """Go on after a suspension: a patch from the previous record (RFC 8641 §3.11.1)."""
        return self.serve(nodes, at) or self.handle_timer(at)

    def resync(self, at: int) -> Record | None:
        """All that is selected (RFC 8641 §4.4.4); None when nothing is (§3.9)."""
        self.look(at)
        self._said = dict(self._seen)
        self._churn.clear()
        self._lacking = False
        if not self._seen:
            return None
        if self._patch_ids != "unbroken":
            self._patch_id = 0
        self._quiet_until = at + self._terms.dampening_period
        contents: Values = {}
        for node in self._nodes:
            if node in self._seen:
                add(contents, node, self._seen[node])
        return Record(at, contents)

    def _watch(self, at: int) -> None:
        self._seen, self._looks = {}, []
        for node in self._nodes:
            values = self._datastore.notifiable(node, at, self._selection)
            if values is not None:
                self._seen[node] = values
            self._await(node, at)

    def _await(self, node: Node, after: int) -> None:
        change = self._datastore.next_change(node, after)
        if change is not None:
            heapq.heappush(self._looks, (change, node))

    # ------------------------------------------------------------------ time
    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns."""
        look = self._looks[0][0] if self._looks else None
        if not self._churn:
            return look
        return self._quiet_until if look is None else min(look, self._quiet_until)

    def handle_timer(self, at: int, *, lacking: bool = False) -> Record | None:
        """Look at what changes at ``at``; the record, if one is to be made then.

        ``lacking``: the record cannot have all that it should.
        """
        self.look(at)
        return self._patch(at, lacking=lacking) if at >= self._quiet_until else None

    def look(self, at: int) -> None:
        """Take note of everything that changes up to ``at``."""
        while self._looks and self._looks[0][0] <= at:
            change, node = heapq.heappop(self._looks)
            self._note(node, self._datastore.notifiable(node, change, self._selection))
            self._await(node, change)

    def _note(self, node: Node, values: Values | None) -> None:
        before = self._seen.pop(node, None)
        if values is not None:
            self._seen[node] = values
        if values == before:
            return
        churn = self._churn.setdefault(node, _Churn())
        if values is None or before is None:
            churn.gone = True
        else:
            churn.paths.update(dict.fromkeys(_changed(before, values)))

    # ------------------------------------------------------------------ patches
    def _patch(self, at: int, *, lacking: bool) -> Record | None:
        nodes, self._churn = self._churn, {}
        edits = [edit for node, churn in nodes.items() for edit in self._edits(node, churn)]
        for node in nodes:
            self._said.pop(node, None)
            if node in self._seen:
                self._said[node] = self._seen[node]
        changes = len(edits)
        edits = [edit for edit in edits if edit["operation"] not in self._terms.excluded_change]
        if not edits:
            self.excluded += bool(changes)
            return None
        incomplete, self._lacking = self._lacking or lacking, False
        if lacking:
            edits = edits[: len(edits) // 2]
        number, self._patch_id = self._patch_id, (self._patch_id + 1) % _UINT32
        self._quiet_until = at + self._terms.dampening_period
        numbered = [{"edit-id": str(count), **edit} for count, edit in enumerate(edits, 1)]
        patch: Values = {"patch-id": _SPELLINGS.get(self._patch_ids, "{}").format(number)}
        if numbered:
            patch["edit"] = numbered
        return Record(at, {"yang-patch": patch}, number, len(edits), incomplete)

    def _edits(self, node: Node, churn: _Churn) -> Iterator[Values]:
        """From the previous record to now, by the operation that says what happened last."""
        said, now = self._said.get(node), self._seen.get(node)
        target = target_of(node)
        if now is None:
            yield {"operation": "delete", "target": target}
        elif said is None or churn.gone:
            name = f"{node.module}:{TREES[node.module][1]}"
            yield {"operation": "create", "target": target, "value": {name: [now]}}
        else:
            for path in churn.paths:
                if not any(path[:size] in churn.paths for size in range(1, len(path))):
                    yield _edit(node, target, path, said, now)


def _edit(node: Node, target: str, path: Path, said: Values, now: Values) -> Values:
    at = f"{target}/{'/'.join(path)}"
    value = _value_at(now, path)
    if value is None:
        return {"operation": "delete", "target": at}
    operation = "replace" if _value_at(said, path) is not None else "create"
    return {"operation": operation, "target": at, "value": {f"{node.module}:{path[-1]}": value}}


def target_of(node: Node) -> str:
    """Resource path of a list entry (RFC 8040 §3.5.3)."""
    container, entry = TREES[node.module]
    return f"/{node.module}:{container}/{entry}={quote(node.key, safe='')}"


def _changed(before: Values, after: Values, above: Path = ()) -> Iterator[Path]:
    """Paths to the leaves that came, went or have another value."""
    for name in before | after:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changed(old, new, (*above, name))
        elif old != new:
            yield (*above, name)


def _value_at(values: Any, path: Path) -> Any:
    for name in path:
        values = values.get(name) if values is not None else None
    return values
