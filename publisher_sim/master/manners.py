"""Manners: what a device in the field does otherwise on a session (``scenario.behaviour``).

Does: hold back the reply to establish-subscription until updates have left; say
subscription-terminated before the ok of a delete; leave hints and identities out of refusals.
Does not: know subscriptions; it changes what the dispatcher has decided already. Rule: one that
behaves as drafted changes nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from collector.errors import ProtocolError
from collector.model import SECOND, NotificationKind, StateChange
from collector.wire.netconf.errors import ERROR_TAGS
from collector.wire.netconf.rpc import DeleteSubscription, EstablishSubscription, Rpc
from publisher_sim.master.ports import Action, Note, SendNotification, SendReply
from publisher_sim.master.saying import state_change
from publisher_sim.scenario import LATEST_OFFSET, Scenario
from publisher_sim.truth import accounts

LONGEST = 10 * SECOND
"""So long a reply is held back at most, as subscribers wait half a minute; ns, ours."""


class Manners:
    """Of one device."""

    def __init__(self, scenario: Scenario) -> None:
        self._behaviour = scenario.behaviour
        self._mode = scenario.control_mode
        self._held: list[tuple[int, int, SendReply]] = []
        """Heap of (when it leaves, order, a reply)."""
        self._order = 0

    # ------------------------------------------------------------------ refusals
    def refuse(self, error: ProtocolError) -> ProtocolError:
        """How it says no."""
        behaviour = self._behaviour
        hints = dict(error.hints) if behaviour.hints else {}
        if behaviour.identities == "none":
            return ProtocolError(str(error), path=error.path, hints=hints)
        if behaviour.identities == "reason" and error.identity in ERROR_TAGS:
            hints = {"reason": f"{ERROR_TAGS[error.identity][0]}:{error.identity}"} | hints
            return ProtocolError(str(error), tag=error.tag, path=error.path, hints=hints)
        identity, path = error.identity, error.path
        return ProtocolError(str(error), tag=error.tag, identity=identity, path=path, hints=hints)

    # ------------------------------------------------------------------ replies
    def answer(self, rpc: Rpc, actions: list[Action], now: int) -> list[Action]:
        """What is done instead of ``actions``, a reply and what follows from it."""
        operation = rpc.operation
        behaviour = self._behaviour
        if isinstance(operation, EstablishSubscription) and behaviour.reply_after_push:
            return self._hold(actions, now)
        if isinstance(operation, DeleteSubscription) and behaviour.terminates_deleted:
            return self._terminate(operation.id, actions, now)
        return actions

    def _hold(self, actions: list[Action], now: int) -> list[Action]:
        """The reply leaves once the updates of the first tick have."""
        begun = [one.fact for one in actions if isinstance(one, Note)]
        for fact in begun:
            if isinstance(fact, accounts.Established):
                passed = (now - fact.anchor) // fact.period
                tick = fact.anchor + (passed + 1) * fact.period
                until = min(tick + round((LATEST_OFFSET + 0.05) * fact.period), now + LONGEST)
                break
        else:
            return actions
        kept: list[Action] = []
        for action in actions:
            if isinstance(action, SendReply):
                self._order += 1
                heapq.heappush(self._held, (until, self._order, action))
            else:
                kept.append(action)
        return kept

    def _terminate(self, number: int, actions: Sequence[Action], now: int) -> list[Action]:
        """The ok comes second; to a refusal nothing is added."""
        ended = any(
            isinstance(one, Note) and isinstance(one.fact, accounts.Ended) for one in actions
        )
        reply = next((one for one in actions if isinstance(one, SendReply)), None)
        if not ended or reply is None:
            return list(actions)
        change = StateChange(reason="no-such-subscription")
        kind = NotificationKind.SUBSCRIPTION_TERMINATED
        said = state_change(number, kind, change, self._mode, now)
        return [SendNotification(reply.session_id, said), *actions]

    # ------------------------------------------------------------------ time
    def next_deadline(self) -> int | None:
        """When a reply leaves that is held back, ns since 1970."""
        return self._held[0][0] if self._held else None

    def handle_timer(self, now: int) -> list[Action]:
        """Replies whose time has come; a session that is gone drops its own."""
        due: list[Action] = []
        while self._held and self._held[0][0] <= now:
            due.append(heapq.heappop(self._held)[2])
        return due
