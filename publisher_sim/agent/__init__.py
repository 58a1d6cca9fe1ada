"""A line card that pushes its part (distributed-notif-17 and later: Publisher Agent), pure.

    publisher   the door: AgentPublisher, what a carrier of its messages calls
    actions     what it wants done, in order
    writing     what it says in each message
    changing    its on-change subscriptions, and when to look at them
    on_change   one of them: from change to update record
    numbering   Message IDs and sequence numbers
    units       a message in the form in which each transport puts it on the wire
    outgoing    what was made and has not left
    faults      what is lost, late, twice or spoilt on purpose

The master has one for its own share.
"""

from publisher_sim.agent.actions import Account, AgentAction, Transmit
from publisher_sim.agent.publisher import AgentPublisher, register_of

__all__ = ["Account", "AgentAction", "AgentPublisher", "Transmit", "register_of"]
