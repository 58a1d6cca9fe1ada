"""The master of a simulated device (distributed-notif-17 and later: Publisher Parent), pure.

    publisher      the door: MasterPublisher, what a server and the agents' carrier call
    dispatch       which object answers which rpc
    dynamic        the rpcs about dynamic subscriptions
    reading        the entries of /subscriptions
    configuration  datastores that others may edit, and what comes of it
    life_cycle     the subscriptions, and what happens to one of them
    sending        the way out: pieces of agents, event records, replay
    capacity       what it costs, and whether the device can afford it
    references     filters by name that change
    decomposition  who serves which part of it
    saying         state changes and operational state, as octets
    sessions       who is there, and what they may do
    killing        kill-session
    acting         the master's part of the scenario's timeline

Whoever answers rpcs that are not about subscriptions (configuration, retrieval) is an object with
``operations`` and ``answer(session, rpc, now)``, given to ``MasterPublisher.dispatcher.add``.
"""

from publisher_sim.master.dispatch import Answer, Answerer, Dispatcher
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.publisher import MasterPublisher
from publisher_sim.master.sessions import SessionInfo
from publisher_sim.ports import MasterPort

__all__ = [
    "Answer",
    "Answerer",
    "Dispatcher",
    "LifeCycle",
    "MasterPort",
    "MasterPublisher",
    "SessionInfo",
]
