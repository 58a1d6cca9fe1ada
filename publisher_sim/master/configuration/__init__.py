"""The configuration of a simulated device: what can be edited, and what becomes of it; pure.

schema         which nodes there are, their kinds, keys and choices
editing        one edit-config on a tree (RFC 6241 §7.2)
confirming     a commit that is to be confirmed
datastores     running, candidate and startup, and who locked them
checking       whether a tree is a configuration at all
operations     the rpcs of NETCONF on it, answered
filters        filters with names, as they are configured
evaluation     whether the device can do what a configured subscription wants
entries        what is kept of one of them and its receivers
receivers      who is told of one, as a state machine
subscriptions  configured subscriptions, as a state machine
"""

from publisher_sim.master.configuration.filters import ConfiguredFilters
from publisher_sim.master.configuration.operations import CAPABILITIES, Configuring
from publisher_sim.master.configuration.subscriptions import ConfiguredSubscriptions

__all__ = ["CAPABILITIES", "ConfiguredFilters", "ConfiguredSubscriptions", "Configuring"]
