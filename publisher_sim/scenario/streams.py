"""The tables ``[[stream]]`` and ``[[filter]]``: event streams, and filters that have names.

Spec: RFC 8639 §2.1, §2.2, §2.4.2.1; RFC 8641 §3.6.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from collector.model import SelectionFilter
from publisher_sim.scenario.table import Table

NETCONF_STREAM = "NETCONF"
"""Every publisher over NETCONF has it (RFC 8640 §4)."""


class Stream(Table, frozen=True):
    """One event stream of the device. ``NETCONF`` is there without being named, with the starts and
    ends of sessions and the changes of the configuration (RFC 6470) in it."""

    name: str
    description: str = ""
    events_per_second: float = 0.0
    """Pace of its alarms (RFC 8348 §7), 0 to 100; when they happen and what they say follows from
    the seed."""
    replay_records: int = 256
    """How many past records are kept for replay, 0 to 4096; 0: the stream has no replay."""


class NamedFilter(Table, frozen=True):
    """A filter that subscriptions can refer to (``/filters``)."""

    name: str
    of: Literal["datastore", "stream"] = "datastore"
    """What it can be used for."""
    xpath: str = ""
    """One of the two."""
    subtree: str = ""
    """As XML text."""
    namespaces: dict[str, str] = field(default_factory=dict)
    """prefix -> namespace, of the XPath; module names are prefixes without."""

    @property
    def selection_filter(self) -> SelectionFilter:
        """Its contents."""
        if self.subtree:
            return SelectionFilter("subtree", self.subtree)
        return SelectionFilter("xpath", self.xpath, self.namespaces)
