"""Scenario: what the device is and what goes wrong with it, as the TOML file says; frozen values.

Does not: run anything, or read passwords. Rooms: one file per theme of tables, ``whole`` for all
of them together, ``file`` to read and ``checks`` to check them.
"""

from __future__ import annotations

from publisher_sim.scenario.behaviour import Behaviour
from publisher_sim.scenario.cards import LATEST_OFFSET, MASTER, Card, Master
from publisher_sim.scenario.changes import Changes
from publisher_sim.scenario.checks import check
from publisher_sim.scenario.configuration import Configuration
from publisher_sim.scenario.configured import Configured
from publisher_sim.scenario.faults import MESSAGE_FAULTS, REASONS, Fault, FaultKind
from publisher_sim.scenario.file import load_scenario, parse_scenario
from publisher_sim.scenario.limits import Limits
from publisher_sim.scenario.netconf import Netconf
from publisher_sim.scenario.push import Periods, Push
from publisher_sim.scenario.receiver import Receiver, Tls
from publisher_sim.scenario.retrieval import Retrieval
from publisher_sim.scenario.streams import NETCONF_STREAM, NamedFilter, Stream
from publisher_sim.scenario.users import User
from publisher_sim.scenario.whole import Scenario

__all__ = [
    "LATEST_OFFSET",
    "MASTER",
    "MESSAGE_FAULTS",
    "NETCONF_STREAM",
    "REASONS",
    "Behaviour",
    "Card",
    "Changes",
    "Configuration",
    "Configured",
    "Fault",
    "FaultKind",
    "Limits",
    "Master",
    "NamedFilter",
    "Netconf",
    "Periods",
    "Push",
    "Receiver",
    "Retrieval",
    "Scenario",
    "Stream",
    "Tls",
    "User",
    "check",
    "load_scenario",
    "parse_scenario",
]
