"""Reading: a plain ``get`` of /subscriptions (RFC 8639 §2.8.2).

Does not: have any other data. Rule: who asks for something else gets nothing, not an error.
"""

from __future__ import annotations

from collector.wire.netconf_rpc import Get, Rpc, Subscriptions, SubscriptionState
from publisher_sim.master.configuration.subscriptions import ConfiguredSubscriptions
from publisher_sim.master.decomposition import Decomposition
from publisher_sim.master.dispatch import Answer
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.saying import operational_state
from publisher_sim.master.sessions import SessionInfo


class Reading:
    """What there is to read of the subscriptions."""

    operations = ("ietf-netconf:get",)

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
        """All entries of /subscriptions."""
        others = (
            operational_state(one, self._decomposition.generators(one))
            for one in self._life_cycle
            if one.subscription_id not in self._configured
        )
        return (*self._configured.states(), *others)

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        """``get``."""
        del session, now
        assert isinstance(rpc.operation, Get)
        return Subscriptions(self.entries() if rpc.operation.subscriptions else ()), []
