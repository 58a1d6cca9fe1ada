"""What the simulated device says when it is asked: one tree of its state for every operation.

    state        the tree, built anew for each question, only as far as the question goes
    answering    get, get-config and get-data: access, filter, depth, and the reply as text
    shaping      what get-data can ask for beside a filter
    assembling   who knows which part of the tree
    writing      a tree as XML text
    itself       what the device is able to do: modules, capabilities
    greeting     the capabilities of its hello

Pure: times are handed in. Spec: RFC 6241 §6, §7, RFC 8526 §3, RFC 8525, RFC 6022, RFC 9196.
"""

from publisher_sim.master.retrieval.assembling import Retrieval
from publisher_sim.master.retrieval.greeting import capabilities

__all__ = ["Retrieval", "capabilities"]
