"""The datastores of one device: who knows which part of them.

Does not: answer (``answering``), know any part itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from collector.model import DeviceTime, SelectionFilter
from collector.wire.netconf.replies import write_entry
from collector.wire.netconf.rpc import RUNNING
from collector.wire.values import names
from collector.wire.values.plain import SubtreeText, XPathText
from collector.wire.values.plain_xml import from_xml
from collector.wire.values.timestamps import format_date_and_time
from publisher_sim.cards.membership import Membership
from publisher_sim.data.entries import HARDWARE, INTERFACES, TREES
from publisher_sim.master.retrieval.answering import Answers
from publisher_sim.master.retrieval.greeting import capabilities
from publisher_sim.master.retrieval.itself import Itself
from publisher_sim.master.retrieval.state import StateTree
from publisher_sim.scenario import Scenario
from publisher_sim.sources.datastore import Datastore
from publisher_sim.sources.events import EventStream, Streams
from publisher_sim.subscriptions.named_filters import DATASTORE, STREAM, NamedFilters

if TYPE_CHECKING:
    from publisher_sim.master.configuration.operations import Configuring
    from publisher_sim.master.life_cycle import LifeCycle
    from publisher_sim.master.reading import Reading
    from publisher_sim.master.sessions import SessionInfo, Sessions

CONFIGURED = {INTERFACES: ("name", "type"), HARDWARE: ("name", "class", "parent", "parent-rel-pos")}
"""Of the list entries of the data what is configuration (RFC 8343, RFC 8348)."""
OPERATIONAL = "operational"
SUBSCRIPTIONS = f"{names.SN}:subscriptions"
FILTERS = f"{names.SN}:filters"
_FILTERS = {DATASTORE: f"{names.YP}:selection-filter", STREAM: "stream-filter"}
"""What a filter is for -> the list that it is in."""


class Retrieval:
    """What one device answers when it is asked for data."""

    def __init__(
        self,
        scenario: Scenario,
        members: Membership,
        sessions: Sessions,
        life_cycle: LifeCycle,
        reading: Reading,
        streams: Streams,
        filters: NamedFilters,
        configuring: Configuring | None,
        more: Iterable[str] = (),
    ) -> None:
        """Ready to answer.

        Args:
            scenario: of the device.
            members: who owns which nodes now.
            sessions: who is there.
            life_cycle: whose subscriptions there are.
            reading: the entries of /subscriptions.
            streams: the event streams.
            filters: the filters with names.
            configuring: what others have configured; None: nobody can.
            more: capabilities of the hello that come from elsewhere.
        """
        self._scenario = scenario
        self._members = members
        self._sessions = sessions
        self._life_cycle = life_cycle
        self._reading = reading
        self._streams = streams
        self._filters = filters
        self._configuring = configuring
        self.hello = capabilities(scenario, more)
        """Capabilities of its hello."""
        self._datastore = Datastore(scenario)
        self._itself = Itself(scenario)
        self.operational = StateTree()
        """What ``get`` and get-data find; others may add their part."""
        self.answers = Answers(self._own, nmda=scenario.retrieval.nmda)
        self.answers.add(OPERATIONAL, self.operational)
        self._fill()

    def _fill(self) -> None:
        asked, add = self._scenario.retrieval, self.operational.add
        for module, (container, _) in TREES.items():
            add(f"{module}:{container}", self._data(module))
        if asked.yang_library == "rfc8525":
            add("ietf-yang-library:yang-library", self._itself.yang_library)
        elif asked.yang_library == "rfc7895":
            add("ietf-yang-library:modules-state", self._itself.modules_state)
        add("ietf-netconf-monitoring:netconf-state", self._netconf_state)
        if asked.system_capabilities:
            add("ietf-system-capabilities:system-capabilities", self._itself.system_capabilities)
        add(f"{names.SN}:streams", self._event_streams)
        add(f"{names.SN}:filters", self._named_filters)
        add(SUBSCRIPTIONS, self._subscriptions)
        for datastore in self._itself.configuration_datastores:
            self.answers.add(datastore, self._configuration(datastore))

    def _configuration(self, datastore: str) -> StateTree:
        tree = StateTree()
        for module, (container, _) in TREES.items():
            tree.add(f"{module}:{container}", self._data(module, CONFIGURED[module]))
        if self._configuring is None:
            tree.add(f"{names.SN}:filters", self._named_filters)
        else:
            tree.add(f"{names.SN}:filters", lambda now: self._configured(datastore, FILTERS))
            tree.add(SUBSCRIPTIONS, lambda now: self._configured(datastore, SUBSCRIPTIONS))
        return tree

    # ------------------------------------------------------------------ parts
    def _data(
        self, module: str, members: Collection[str] | None = None
    ) -> Callable[[int], Mapping[str, Any] | None]:
        container, entry = TREES[module]

        def provide(now: int) -> Mapping[str, Any] | None:
            nodes = [node for node in self._members.nodes if node.module == module]
            found = self._datastore.contents(nodes, now)
            values: Mapping[str, Any] | None = found.get(f"{module}:{container}")
            if values is None or members is None:
                return values
            return {entry: [{name: one[name] for name in members} for one in values[entry]]}

        return provide

    def _subscriptions(self, now: int) -> Mapping[str, Any] | None:
        del now
        mode = self._scenario.control_mode
        entries = [write_entry(entry, mode) for entry in self._reading.entries()]
        found = {"subscription": entries} if entries else {}
        found |= {
            name: value
            for name, value in (self._configured(RUNNING, SUBSCRIPTIONS) or {}).items()
            if name != "subscription"  # their state says more
        }
        return found or None

    def _configured(self, datastore: str, name: str) -> Mapping[str, Any] | None:
        """/subscriptions or /filters as it was configured; what the device has by itself is
        operational alone (RFC 8342 §5.3)."""
        if self._configuring is None:
            return None
        values = from_xml(self._configuring.tree(datastore), "")
        found: Mapping[str, Any] | None = values.get(name)
        return found

    def _event_streams(self, now: int) -> Mapping[str, Any] | None:
        listed = [_stream(one, now) for one in self._streams]
        return {"stream": listed} if listed else None

    def _named_filters(self, now: int) -> Mapping[str, Any] | None:
        del now
        found: dict[str, Any] = {}
        for of, name, one in self._filters:
            found.setdefault(_FILTERS[of], []).append(_named_filter(of, name, one))
        return found or None

    def _netconf_state(self, now: int) -> Mapping[str, Any]:
        sessions = [
            {
                "session-id": one.session_id,
                "transport": "ietf-netconf-monitoring:netconf-ssh",
                "username": one.user,
                "login-time": format_date_and_time(DeviceTime(one.since)),
            }
            for one in self._sessions
        ]
        return {
            "capabilities": {"capability": list(self.hello)},
            **self._itself.netconf_state(now),
            **({"sessions": {"session": sessions}} if sessions else {}),
        }

    def _own(self, session: SessionInfo) -> Collection[int]:
        """Ids of the subscriptions of a session's user."""
        ids = {one.session_id for one in self._sessions if one.user == session.user}
        return {one.subscription_id for one in self._life_cycle if one.session_id in ids}


def _stream(one: EventStream, now: int) -> dict[str, Any]:
    """RFC 8639 §3.1."""
    found: dict[str, Any] = {"name": one.name}
    if one.description:
        found["description"] = one.description
    if one.replays:
        found["replay-support"] = None
        found["replay-log-creation-time"] = format_date_and_time(DeviceTime(one.created))
        aged = one.aged_by(now)
        if aged is not None:
            found["replay-log-aged-time"] = format_date_and_time(DeviceTime(aged))
    return found


def _named_filter(of: str, name: str, contents: SelectionFilter) -> dict[str, Any]:
    """RFC 8639 §3.2, RFC 8641 §3.6."""
    key, prefix = ("filter-id", "datastore-") if of == DATASTORE else ("name", "stream-")
    value: SubtreeText | XPathText = SubtreeText(contents.text)
    if contents.kind == "xpath":
        value = XPathText(contents.text, contents.namespaces)
    return {key: name, f"{prefix}{contents.kind}-filter": value}
