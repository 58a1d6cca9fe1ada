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

from collector.model import NotificationKind, StateChange, SubscriptionTerms
from publisher_sim import accounts
from publisher_sim.channel import Forward
from publisher_sim.forwarding import Forwarding
from publisher_sim.global_subscription import GlobalSubscription
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.saying import on_session
from publisher_sim.ports import Action, Announce, Note, SendNotification, TellAgent
from publisher_sim.scenario import MASTER, Scenario
from publisher_sim.selection import Selection
from publisher_sim.timeline import Timeline

_K = NotificationKind


class LifeCycle:
    """All subscriptions that have not ended, by id."""

    def __init__(
        self,
        scenario: Scenario,
        decomposition: Decomposition,
        timeline: Timeline,
        forwarding: Forwarding,
    ) -> None:
        self._scenario = scenario
        self._decomposition = decomposition
        self._timeline = timeline
        self._forwarding = forwarding
        self._known: dict[int, GlobalSubscription] = {}

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
        one.shares = self._decomposition.shares(one)
        self._known[one.subscription_id] = one
        self._timeline.begin(one.first_tick(now), one.period)
        generators = self._decomposition.generators(one)
        fact = accounts.Established(now, one.subscription_id, one.period, one.anchor, generators)
        return [Note(fact), *self._decomposition.tell(one, {})]

    def start(self, one: GlobalSubscription, now: int) -> list[Action]:
        """Begin a configured one: before its data comes subscription-started
        (udp-notif-26 §3.3)."""
        follows = self.begin(one, now)
        change = StateChange(terms=one.terms, generators=self._decomposition.listed(one))
        return [*self._say(one, _K.SUBSCRIPTION_STARTED, change, now), *follows]

    def change(
        self, one: GlobalSubscription, terms: SubscriptionTerms, selection: Selection, now: int
    ) -> list[Action]:
        """Other terms; one that was suspended is active again (RFC 8639 §2.4.3)."""
        before = dict(one.shares)
        one.terms, one.selection, one.suspended = terms, selection, False
        one.shares = self._decomposition.shares(one)
        generators = self._decomposition.generators(one)
        fact = accounts.TermsChanged(now, one.subscription_id, one.period, one.anchor, generators)
        tell = self._decomposition.tell(one, before)
        return [*self._modified(one, now), Note(fact), *tell]

    # ------------------------------------------------------------------ suspend and resume
    def suspend(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        """No more of it leaves until it is resumed (RFC 8639 §2.7.4)."""
        if one.suspended:
            return []
        one.suspended = True
        change = StateChange(reason=reason)
        said = self._say(one, _K.SUBSCRIPTION_SUSPENDED, change, now)
        return [*self._stop(one), *said, Note(accounts.Suspended(now, one.subscription_id))]

    def resume(self, one: GlobalSubscription, now: int) -> list[Action]:
        """It goes on under its old terms (RFC 8639 §2.7.5)."""
        if not one.suspended:
            return []
        one.suspended = False
        said = self._say(one, _K.SUBSCRIPTION_RESUMED, None, now)
        fact = Note(accounts.Resumed(now, one.subscription_id))
        again = self._decompose_again(one, now)  # what changed meanwhile is said now
        return [*said, fact, *(again or self._decomposition.tell(one, {}))]

    # ------------------------------------------------------------------ end
    def end(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        """It is over, and nobody needs to be told."""
        del self._known[one.subscription_id]
        return [*self._stop(one), Note(accounts.Ended(now, one.subscription_id, reason))]

    def terminate(self, one: GlobalSubscription, reason: str, now: int) -> list[Action]:
        """The publisher ends it (RFC 8639 §2.7.3)."""
        change = StateChange(reason=reason)
        said = self._say(one, _K.SUBSCRIPTION_TERMINATED, change, now)
        return [*self.end(one, reason, now), *said]

    def complete(self, one: GlobalSubscription, now: int) -> list[Action]:
        """Its stop-time is reached (RFC 8639 §2.7.6)."""
        said = self._say(one, _K.SUBSCRIPTION_COMPLETED, None, now)
        return [*self.end(one, "stop-time", now), *said]

    def _stop(self, one: GlobalSubscription) -> list[Action]:
        self._forwarding.forget(one.subscription_id)
        return self._decomposition.stop(one)

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
        if self._scenario.lists:  # else nobody can know
            generators = self._decomposition.generators(one)
            said.append(Note(accounts.ListChanged(now, one.subscription_id, generators)))
        return said

    def tell_again(self, publisher: str) -> list[Action]:
        """Its part of everything, to a publisher whose new process knows nothing."""
        return [
            TellAgent(publisher, self._decomposition.component(one, publisher))
            for one in self
            if publisher in one.shares and not one.suspended
        ]

    # ------------------------------------------------------------------ pieces of agents
    def forward(self, piece: Forward, now: int) -> list[Action]:
        """A piece for the session that subscribed (RFC 8640 §6); none once it is suspended.

        A session that takes no more, until no more can wait either, suspends the subscription
        (RFC 8639 §2.7.4).
        """
        one = self._known.get(piece.subscription_id)
        if one is None or one.suspended:
            return []
        if not self._forwarding.passes(one.session_id):
            if self._forwarding.hold(one.session_id, piece):
                return []
            one.congested = True
            return self.suspend(one, "insufficient-resources", now)
        fact = accounts.OnWire(piece.run, piece.message_id, piece.number, piece.due, now)
        return [Note(fact), SendNotification(one.session_id, piece.octets)]

    def session_ready(self, session_id: str, now: int) -> list[Action]:
        """Its subscriber reads again: what waited leaves, what it had suspended goes on."""
        waited = self._forwarding.ready(session_id)
        actions = [action for piece in waited for action in self.forward(piece, now)]
        for one in self:
            if one.session_id == session_id and one.congested:
                one.congested = False
                actions.extend(self.resume(one, now))
        return actions

    # ------------------------------------------------------------------ what is said
    def _modified(self, one: GlobalSubscription, now: int) -> list[Action]:
        change = StateChange(terms=one.terms, generators=self._decomposition.listed(one))
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
        return [on_session(one, kind, change, self._scenario.control_mode, now)]
