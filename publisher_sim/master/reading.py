"""Reading: the entries of /subscriptions (RFC 8639 §2.8.2).

Does not: answer (``publisher_sim.master.retrieval`` does).
"""

from __future__ import annotations

from collector.wire.netconf.rpc import SubscriptionState
from publisher_sim.master.configuration.subscriptions import ConfiguredSubscriptions
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.saying import operational_state


class Reading:
    """The entries of /subscriptions."""

    def __init__(
        self,
        life_cycle: LifeCycle,
        decomposition: Decomposition,
        configured: ConfiguredSubscriptions,
    ) -> None:
        self._life_cycle = life_cycle
        self._decomposition = decomposition
        self._configured = configured

    def entries(self) -> tuple[SubscriptionState, ...]:
        """All of them."""
        others = (
            operational_state(one, self._decomposition.shown(one))
            for one in self._life_cycle
            if one.subscription_id not in self._configured
        )
        return (*self._configured.states(), *others)
