"""Acting: the deeds of the scenario's timeline, done.

Does not: know when (``timeline``). Rule: a deed touches every subscription of the device.
"""

from __future__ import annotations

from publisher_sim import accounts
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.membership import Membership
from publisher_sim.ports import Action, Note, StartCard, StopCard
from publisher_sim.scenario import Fault, Scenario
from publisher_sim.timeline import What


class Acting:
    """What goes wrong with this device by its master's hand."""

    def __init__(self, scenario: Scenario, members: Membership, life_cycle: LifeCycle) -> None:
        self._scenario = scenario
        self._members = members
        self._life_cycle = life_cycle

    def act(self, what: What, fault: Fault, now: int) -> list[Action]:
        """One deed; ``finish`` is none of them."""
        said = fault.said_reason
        match what:
            case "stop":
                self._members.bequeath(fault.card, fault.moves_to)
                generator = self._scenario.publisher(fault.card).generator
                return [Note(accounts.Killed(now, generator)), StopCard(fault.card)]
            case "start":
                return [StartCard(fault.card)]
            case "move":
                self._members.move(fault, fault.moves_to)
                return self._life_cycle.membership_changed(now)
            case "move_back":
                self._members.move(fault, fault.card)
                return self._life_cycle.membership_changed(now)
            case "suspend":
                return [
                    a for one in self._life_cycle for a in self._life_cycle.suspend(one, said, now)
                ]
            case "resume":
                return [a for one in self._life_cycle for a in self._life_cycle.resume(one, now)]
            case _:
                return [
                    a
                    for one in self._life_cycle
                    for a in self._life_cycle.terminate(one, said, now)
                ]
