"""Surroundings: what the devices of one process share, and what one alone has to itself.

Does: hold the common timers and, in a fleet, the common door of the NETCONF servers. Does not:
open anything.
"""

from __future__ import annotations

from publisher_sim.netconf.shared_door import SharedDoor
from publisher_sim.publishers.lending import Lending
from publisher_sim.publishers.senders import Sender, open_sender
from publisher_sim.publishers.timers import Timers
from publisher_sim.scenario import Scenario


class Surroundings:
    """Of one event loop."""

    def __init__(
        self,
        *,
        door: SharedDoor | None = None,
        lends: bool = False,
        truth_apart: bool = False,
    ) -> None:
        """Nothing is opened.

        Args:
            door: where subscribers of all devices knock; None: each device listens itself.
            lends: publishers of a device share a socket where they can.
            truth_apart: whoever runs the devices says when truth files are written: while some
                still have ticks to keep, nobody has time for them.
        """
        self.timers = Timers()
        self.door = door
        self.truth_apart = truth_apart
        self._lends = lends
        self._lent: list[Lending] = []

    def ways_out(self) -> WaysOut:
        """Those of one more device."""
        if not self._lends:
            return WaysOut(None)
        self._lent.append(Lending())
        return WaysOut(self._lent[-1])

    @property
    def sent(self) -> int:
        """Units of all publishers, over transports that have senders."""
        return sum(one.sent for one in self._lent)

    @property
    def refused(self) -> int:
        """Units that shared senders gave up."""
        return sum(one.refused for one in self._lent)


class WaysOut:
    """The senders of one device's publishers."""

    def __init__(self, lending: Lending | None) -> None:
        self._lending = lending

    def open(self, scenario: Scenario, transport: str = "", path: str = "") -> Sender | None:
        """As ``open_sender``."""
        way_out = open_sender if self._lending is None else self._lending.open
        return way_out(scenario, transport, path)

    def close(self) -> None:
        """After all of them are closed; may be called twice."""
        if self._lending is not None:
            self._lending.close()
