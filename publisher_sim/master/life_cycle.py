"""LifeCycle: the subscriptions of a device, and what happens to one of them, from begin to end.

Does: the state machines of RFC 8639 §2.4.1 and §2.5.1 as verbs: begin, change, suspend, resume,
terminate, end; what each says, tells the publishers and notes for the truth. Does not: decide
whether (``dynamic``, ``acting`` and whoever configures do), or check terms
(``global_subscription``).

Rules: every verb returns actions in their order. A change of the decomposition is always followed
by subscription-modified with the whole new list (base draft §7). A subscription begins active.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from collector.model import SECOND, NotificationKind, StateChange, SubscriptionTerms
from publisher_sim.cards.channel import Destination
from publisher_sim.data.selection import Selection
from publisher_sim.master.capacity import Capacity
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.forwarding import EventPiece, Forwarding
from publisher_sim.master.ports import Action, Announce, CloseSession, MarkSession, Note, TellAgent
from publisher_sim.master.saying import on_session
from publisher_sim.master.timeline import Timeline
from publisher_sim.scenario import MASTER, Scenario
from publisher_sim.subscriptions.global_subscription import BY_LOAD, GlobalSubscription
from publisher_sim.truth import accounts

_K = NotificationKind


class LifeCycle:
    """All subscriptions that have not ended, by id."""

    def __init__(
        self,
        scenario: Scenario,
        decomposition: Decomposition,
        timeline: Timeline,
        forwarding: Forwarding,
        capacity: Capacity,
    ) -> None:
        self._scenario = scenario
        self._capacity = capacity
        self._decomposition = decomposition
        self._timeline = timeline
        self._forwarding = forwarding
        self._known: dict[int, GlobalSubscription] = {}
        self._marked: dict[str, int] = {}
        """session id -> the code point that its connection has; absent: nobody asked for one."""

    def __iter__(self) -> Iterator[GlobalSubscription]:
        """A copy: what is iterated over may end meanwhile."""
        return iter(list(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, number: int) -> GlobalSubscription | None:
        """The subscription of that id."""
        return self._known.get(number)

    # ------------------------------------------------------------------ begin and change
    def begin(self, one: GlobalSubscription, now: int) -> list[Action]:
        """It is there, and the publishers know."""
        one.began = now
        one.rhythm = self._scenario.period_ns
        one.anchor_off = self._scenario.behaviour.anchor_off
        one.shares = self._decomposition.shares(one)
        self._known[one.subscription_id] = one
        begun = [*self._mark(one.session_id), *self._begun(one, now)]
        return [*begun, *self._decomposition.tell(one, {}, fresh=True)]

    def _begun(self, one: GlobalSubscription, now: int) -> list[Action]:
        """Only what is periodic is in the truth with its terms; a stream is not on the timeline."""
        if one.terms.stream is None:
            self._timeline.begin(one.first_tick(now), one.period)
        if not one.is_periodic:
            return []
        return [self._noted(accounts.Established, one, now)]

    def _noted(
        self,
        fact: type[accounts.Established] | type[accounts.TermsChanged],
        one: GlobalSubscription,
        now: int,
    ) -> Note:
        """What the truth has to know of terms that are in force from now on."""
        who, told = self._decomposition.generators(one), self._decomposition.listed(one) is not None
        return Note(fact(now, one.subscription_id, one.period, one.anchor, who, told))

    def shares_session(self, one: GlobalSubscription) -> bool:
        """Are its records sent over the session that established it?"""
        over_it = self._scenario.receiver.transport == "netconf"
        return not one.is_configured and (over_it or one.terms.stream is not None)

    def _mark(self, session_id: str) -> list[Action]:
        """The DSCP of state changes, and of records where they use the session (RFC 8639 §2.3).
        Where only state changes of several do, none is marked unless all agree."""
        own = {one.terms.dscp or 0 for one in self if one.session_id == session_id}
        if not session_id or (not any(own) and session_id not in self._marked):
            return []
        dscp = own.pop() if len(own) == 1 else 0
        before, self._marked[session_id] = self._marked.get(session_id, 0), dscp
        return [] if before == dscp else [MarkSession(session_id, dscp)]

    def session_closed(self, session_id: str, now: int) -> list[Action]:
        """Its dynamic subscriptions end with it (RFC 8639 §2.4)."""
        self._forwarding.ready(session_id)
        self._marked.pop(session_id, None)
        own = [one for one in self if one.session_id == session_id]
        return [action for one in own for action in self.end(one, "session-closed", now)]

    def start(self, one: GlobalSubscription, now: int) -> list[Action]:
        """Begin a configured one: before its data comes subscription-started
        (udp-notif-26 §3.3)."""
        follows = self.begin(one, now)
        change = StateChange(terms=one.said_terms, generators=self._decomposition.listed(one))
        return [*self._say(one, _K.SUBSCRIPTION_STARTED, change, now), *follows]

    def change(
        self, one: GlobalSubscription, terms: SubscriptionTerms, selection: Selection, now: int
    ) -> list[Action]:
        """Other terms; one that was suspended is active again (RFC 8639 §2.4.3)."""
        before = dict(one.shares)
        one.terms, one.selection, one.causes, one.suspended_at = terms, selection, (), None
        one.shares = self._decomposition.shares(one)
        tell = self._decomposition.tell(one, before)
        return [*self._modified(one, now), *self._changed(one, now), *tell]

    def _changed(self, one: GlobalSubscription, now: int) -> list[Action]:
        if not one.is_periodic:
            return []
        return [self._noted(accounts.TermsChanged, one, now)]

    def modify(
        self, one: GlobalSubscription, terms: SubscriptionTerms, selection: Selection, now: int
    ) -> list[Action]:
        """Change a configured one; while suspended it stays so, and tells when it goes on
        (RFC 8639 §2.5.3)."""
        if not one.suspended:
            return self.change(one, terms, selection, now)
        one.terms, one.selection, one.modified_meanwhile = terms, selection, True
        return []

    # ------------------------------------------------------------------ suspend and resume
    def suspend(self, one: GlobalSubscription, cause: str, reason: str, now: int) -> list[Action]:
        """No more of it leaves until it is resumed (RFC 8639 §2.7.4).

        Args:
            one: which.
            cause: who suspends, one of ``global_subscription.CAUSES``; each resumes its own.
            reason: identity that is said, of the first cause.
            now: ns since 1970.
        """
        before, one.causes = one.causes, tuple({**dict.fromkeys(one.causes), cause: None})
        if before:
            return []
        one.suspended_at = now
        self._forwarding.forget(one.subscription_id, ended=False)
        change = StateChange(reason=reason)
        said = self._say(one, _K.SUBSCRIPTION_SUSPENDED, change, now)
        return [
            # over the session pieces are thrown away, so that no patch could go on from them
            *self._decomposition.stop(one, suspended=not self.shares_session(one)),
            *said,
            Note(accounts.Suspended(now, one.subscription_id)),
        ]

    def resume(self, one: GlobalSubscription, cause: str, now: int) -> list[Action]:
        """It goes on under its old terms (RFC 8639 §2.7.5), unless others suspend it still."""
        if cause not in one.causes:
            return []
        one.causes = tuple(other for other in one.causes if other != cause)
        if one.causes:
            return []
        one.suspended_at = None
        fact = Note(accounts.Resumed(now, one.subscription_id))
        if one.modified_meanwhile:  # which tells that it goes on, too
            one.modified_meanwhile = False
            return [fact, *self.change(one, one.terms, one.selection, now)]
        said = self._say(one, _K.SUBSCRIPTION_RESUMED, None, now)
        again = self._decompose_again(one, now)  # what changed meanwhile is said now
        return [*said, fact, *(again or self._decomposition.tell(one, {}))]

    def settle(self, now: int) -> list[Action]:
        """After whatever happened: sessions are marked as those who are left ask for, what the
        device can no longer afford is suspended, what it can again is resumed."""
        marks = [action for session in self._marked for action in self._mark(session)]
        return [*marks, *self._afford(now)]

    def _afford(self, now: int) -> list[Action]:
        if not self._scenario.limits.of_size:
            return []
        now_costing = (
            structs.replace(one, shares=self._decomposition.shares(one)) if one.suspended else one
            for one in self
        )
        unaffordable = self._capacity.unaffordable(now_costing)
        actions: list[Action] = []
        for one in self:
            reason = unaffordable.get(one.subscription_id)
            if set(one.causes) - {BY_LOAD}:
                continue  # it costs nothing; once it could go on it is looked at again
            if reason is None:
                actions.extend(self.resume(one, BY_LOAD, now))
            elif BY_LOAD not in one.causes:
                actions.extend(self.suspend(one, BY_LOAD, reason, now))
        return actions

    # ------------------------------------------------------------------ end
    def end(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        """It is over, and nobody needs to be told."""
        del self._known[one.subscription_id]
        self._forwarding.forget(one.subscription_id)
        return [
            *self._decomposition.stop(one),
            Note(accounts.Ended(now, one.subscription_id, reason)),
        ]

    def terminate(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        """The publisher ends it (RFC 8639 §2.7.3)."""
        change = StateChange(reason=reason)
        said = self._say(one, _K.SUBSCRIPTION_TERMINATED, change, now)
        return [*self.end(one, reason, now), *said]

    def complete(self, one: GlobalSubscription, now: int) -> list[Action]:
        """Its stop-time is reached (RFC 8639 §2.7.6)."""
        silent = self._scenario.netconf.completes == "configured" and not one.is_configured
        said = [] if silent else self._say(one, _K.SUBSCRIPTION_COMPLETED, None, now)
        return [*self.end(one, "stop-time", now), *said]

    def replayed(
        self, one: GlobalSubscription, now: int, to: Destination | None = None
    ) -> list[Action]:
        """All that its stream has kept was sent; one whose stop-time is past ends with it
        (RFC 8639 §2.7.7)."""
        if one.suspended:  # its session did not take it all
            return []
        if one.is_configured:
            component = self._decomposition.component(one, MASTER, to)
            said: list[Action] = [Announce(component, _K.REPLAY_COMPLETED, None)]
        else:
            said = self._say(one, _K.REPLAY_COMPLETED, None, now)
        return [*said, *self.in_time(one, now)]

    def deadline(self, one: GlobalSubscription) -> int | None:
        """When ``in_time`` has something to do with it, ns since 1970."""
        times = (one.terms.stop_time, self._patience_ends(one))
        return min((time for time in times if time is not None), default=None)

    def in_time(self, one: GlobalSubscription, now: int) -> list[Action]:
        """End it when its time is over."""
        if one.terms.stop_time is not None and one.terms.stop_time <= now:
            return self.complete(one, now)
        patience = self._patience_ends(one)
        if patience is not None and patience <= now:
            return self.terminate(one, "suspension-timeout", now)
        return []

    def _patience_ends(self, one: GlobalSubscription) -> int | None:
        """When it has been suspended for too long (RFC 8639 §2.7.3)."""
        seconds = self._scenario.limits.suspension_timeout_seconds
        if not seconds or one.suspended_at is None:
            return None
        return one.suspended_at + round(seconds * SECOND)

    # ------------------------------------------------------------------ who serves it
    def membership_changed(self, now: int) -> list[Action]:
        """Who serves what may have changed, for all of them."""
        return [action for one in self for action in self._decompose_again(one, now)]

    def _decompose_again(self, one: GlobalSubscription, now: int) -> list[Action]:
        """subscription-modified MUST say the new list (base draft §7)."""
        if one.suspended:
            return []
        before, one.shares = one.shares, self._decomposition.shares(one)
        if before == one.shares:
            return []
        said = [*self._decomposition.tell(one, before), *self._modified(one, now)]
        generators = self._decomposition.listed(one)
        if generators is not None:  # else nobody can know
            said.append(Note(accounts.ListChanged(now, one.subscription_id, generators)))
        return said

    def tell_again(self, publisher: str) -> list[Action]:
        """Its part of everything, to a publisher whose new process knows nothing."""
        return [
            TellAgent(publisher, self._decomposition.component(one, publisher))
            for one in self
            if publisher in one.shares and not one.suspended
        ]

    # ------------------------------------------------------------------ what is said
    def _modified(self, one: GlobalSubscription, now: int) -> list[Action]:
        change = StateChange(terms=one.said_terms, generators=self._decomposition.listed(one))
        return self._say(one, _K.SUBSCRIPTION_MODIFIED, change, now)

    def _say(
        self, one: GlobalSubscription, kind: NotificationKind, change: StateChange | None, now: int
    ) -> list[Action]:
        """In the RFC 5277 form, on the session that established it (RFC 8640 §6); of a configured
        one where its data goes and as its data, by the master's own publisher."""
        if one.is_configured:
            if not self._scenario.announces:
                return []
            return [Announce(self._decomposition.component(one, MASTER), kind, change)]
        said = on_session(one, kind, change, self._scenario.control_mode, now)
        if self._forwarding.holds(one.session_id, one.subscription_id):
            piece = EventPiece(one.subscription_id, said.message, must=True)
            if not self._forwarding.hold(one.session_id, piece):
                return [CloseSession(one.session_id)]  # it must not be dropped (RFC 8639 §2.7)
            return []
        return [said]
