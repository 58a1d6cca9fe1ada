"""Acting: the deeds of the scenario's timeline, done.

Does not: know when (``timeline``). Rule: a deed touches every subscription of the device.
"""

from __future__ import annotations

from publisher_sim.cards.membership import Membership
from publisher_sim.master.capacity import Capacity
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import Action, CloseSession, Note, StartCard, StopCard
from publisher_sim.master.sessions import Sessions
from publisher_sim.master.timeline import What
from publisher_sim.scenario import Fault, Scenario
from publisher_sim.subscriptions.global_subscription import BY_SCENARIO
from publisher_sim.truth import accounts


class Acting:
    """What goes wrong with this device by its master's hand."""

    def __init__(
        self,
        scenario: Scenario,
        members: Membership,
        life_cycle: LifeCycle,
        capacity: Capacity,
        sessions: Sessions,
    ) -> None:
        self._scenario = scenario
        self._capacity = capacity
        self._sessions = sessions
        self._members = members
        self._life_cycle = life_cycle

    def act(self, what: What, fault: Fault, now: int) -> list[Action]:
        """One deed; ``finish`` is none of them."""
        said, every = fault.said_reason, self._life_cycle
        match what:
            case "stop":
                self._members.bequeath(fault.card, fault.moves_to)
                generator = self._scenario.publisher(fault.card).generator
                return [Note(accounts.Killed(now, generator)), StopCard(fault.card)]
            case "start":
                return [StartCard(fault.card)]
            case "move":
                self._members.move(fault, fault.moves_to)
                return every.membership_changed(now)
            case "move_back":
                self._members.move(fault, fault.card)
                return every.membership_changed(now)
            case "suspend":
                return [a for one in every for a in every.suspend(one, BY_SCENARIO, said, now)]
            case "resume":
                return [a for one in every for a in every.resume(one, BY_SCENARIO, now)]
            case "cut":
                return [CloseSession(one.session_id) for one in self._sessions]
            case "overload":
                self._capacity.share = fault.share
                return []  # the door settles what no longer fits
            case "relief":
                self._capacity.share = 1.0
                return []
            case _:
                return [a for one in every for a in every.terminate(one, said, now)]
