"""The master of a simulated device (distributed-notif-17 and later: Publisher Parent), pure.

    publisher      the door: MasterPublisher, what a server and the agents' carrier call
    dispatch       which object answers which rpc
    dynamic        the rpcs about dynamic subscriptions
    reading        the entries of /subscriptions
    configuration  datastores that others may edit, and what comes of it
    retrieval      get, get-config and get-data: one tree of what the device says of itself
    life_cycle     the subscriptions, and what happens to one of them
    sending        the way out: pieces of agents, event records, replay
    capacity       what it costs, and whether the device can afford it
    references     filters by name that change
    decomposition  who serves which part of it
    saying         state changes and operational state, as octets
    sessions       who is there, and what they may do
    killing        kill-session
    timeline       the master's part of the scenario: which deed is done when
    acting         how it is done
    forwarding     pieces on their way to a session, held while it does not take them
    manners        what a device in the field does otherwise on a session
    ports          what the master wants done, and the contract of who carries NETCONF for it

Whoever answers rpcs that are not about subscriptions (configuration, retrieval) is an object with
``operations`` and ``answer(session, rpc, now)``, given to ``MasterPublisher.dispatcher.add``.
"""

from publisher_sim.master.dispatch import Answer, Answerer, Dispatcher
from publisher_sim.master.life_cycle import LifeCycle
from publisher_sim.master.ports import MasterPort
from publisher_sim.master.publisher import MasterPublisher
from publisher_sim.master.sessions import SessionInfo

__all__ = [
    "Answer",
    "Answerer",
    "Dispatcher",
    "LifeCycle",
    "MasterPort",
    "MasterPublisher",
    "SessionInfo",
]
