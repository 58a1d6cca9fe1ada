"""What the device says of itself: which modules it has and what it is able to push.

Does: /yang-library or /modules-state, /netconf-state, /system-capabilities as plain values. Does
not: know sessions or subscriptions.

Rules: what is listed is what the device really does; a module that only lends its types is listed
as such (RFC 8525 §3). The content-id is a digest of the list, so it changes when the list does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from collector.model import CENTISECOND, SECOND
from collector.wire.netconf.rpc import CANDIDATE, RUNNING, STARTUP
from collector.wire.netconf.schemas import ModuleId
from collector.wire.values import names
from publisher_sim.data.module_library import (
    ORIGINATORS,
    RECEIVERS,
    InstalledModule,
    modules_of,
)
from publisher_sim.scenario import Scenario

_IMPLEMENTED: Final = (
    "iana-hardware",
    "iana-if-type",
    names.DS,
    "ietf-hardware",
    "ietf-interfaces",
    "ietf-netconf-monitoring",
    "ietf-netconf-nmda",
    "ietf-notification-capabilities",
    names.SN,
    "ietf-system-capabilities",
    "ietf-yang-library",
    names.YP,
    names.ENVELOPE,
    names.OBSERVATION,
    "ietf-yp-transport-capabilities",
)
_FEATURES: Final = {
    "ietf-hardware": ("hardware-sensor", "hardware-state"),
    "ietf-interfaces": ("if-mib",),
    "ietf-netconf-nmda": ("origin",),
}
"""module -> features without which some of the data, or of the questions, would not be there."""
_OLD_RECEIVERS: Final = (names.RECEIVERS, names.UDP_OLD, names.HTTPS_TRANSPORT)
"""What receivers are configured with in the old spelling. There is no text of these versions to
give away, so none is in /netconf-state, and no revision is named."""
_SUBSCRIBED: Final = ("subtree", "xpath", "encode-xml")
"""Features of ietf-subscribed-notifications that every device here has."""
_TRANSPORTS: Final = {
    "udp-notif": (f"{names.UDP_TRANSPORT}:udp-notif", ()),
    "dtls": (f"{names.UDP_TRANSPORT}:udp-notif", ("ietf-yp-transport-capabilities:dtls12",)),
    "https-notif": (f"{names.HTTPS_TRANSPORT}:https", ()),
}
"""transport of the scenario -> its identity, and how it is secured; the others have none."""
_ENCODINGS: Final = {
    "encode-json": f"{names.SN}:encode-json",
    "encode-xml": f"{names.SN}:encode-xml",
    "encode-cbor": f"{names.UDP_TRANSPORT}:encode-cbor",
}
_PUSH: Final = "ietf-notification-capabilities:subscription-capabilities"
_BOTH: Final = "config-changes state-changes"
_IF, _HW = "ietf-interfaces", "ietf-hardware"
_COUNTERS: Final = (
    f"/{_IF}:interfaces/{_IF}:interface/{_IF}:statistics",
    f"/{_HW}:hardware/{_HW}:component/{_HW}:sensor-data/{_HW}:value",
)
"""What moves all the time, and is never said on-change."""


class Itself:
    """One device's knowledge of what it is."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    # ------------------------------------------------------------------ modules
    @property
    def modules(self) -> list[InstalledModule]:
        """All that it has, for their nodes or for their types."""
        spelling = self._spelling
        found = modules_of(self._scenario.control_mode, receivers=spelling == "new").values()
        return [*found, *(map(_untexted, _OLD_RECEIVERS) if spelling == "old" else ())]

    @property
    def _spelling(self) -> str:
        """Of receivers; empty where they cannot be configured."""
        configuration = self._scenario.configuration
        return "" if configuration is None else configuration.spelling

    def implements(self, name: str) -> bool:
        """Whether a module is there for more than its types."""
        if name in (*RECEIVERS, *_OLD_RECEIVERS):
            return bool(self._spelling)
        return name in _IMPLEMENTED or name == ORIGINATORS[self._scenario.control_mode]

    def features(self, name: str) -> list[str]:
        """Features of a module."""
        if name == names.SN:
            return list(self._subscribed())
        if name == names.YP:
            return ["on-change"] if self._pushes_changes else []
        if name == names.UDP_TRANSPORT:
            cbor = ["encode-cbor"] if "encode-cbor" in self._scenario.encodings else []
            return [*cbor, "dtls"] if self._scenario.receiver.tls.ca else cbor
        return list(_FEATURES.get(name, ()))

    def _subscribed(self) -> Iterable[str]:
        scenario = self._scenario
        yield from _SUBSCRIBED
        if "encode-json" in scenario.encodings:
            yield "encode-json"
        if scenario.configured is not None or scenario.configuration is not None:
            yield "configured"
        if scenario.limits.dscp != ():
            yield "dscp"
        yield "qos"
        if any(one.replay_records for one in scenario.streams):
            yield "replay"

    @property
    def content_id(self) -> str:
        """Of the YANG library."""
        listed = [(str(one.id), self.features(one.id.name)) for one in self.modules]
        told = (listed, self.configuration_datastores)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    @property
    def configuration_datastores(self) -> list[str]:
        """Those of RFC 8342 §5.1 that it has."""
        one = self._scenario.configuration
        further = {} if one is None else {CANDIDATE: one.candidate, STARTUP: one.startup}
        return [RUNNING, *(name for name, is_there in further.items() if is_there)]

    # ------------------------------------------------------------------ providers
    def yang_library(self, now: int) -> dict[str, Any]:
        """RFC 8525 §3."""
        del now
        members = [self._entry(one) for one in self.modules if self.implements(one.id.name)]
        lenders = [self._entry(one) for one in self.modules if not self.implements(one.id.name)]
        module_set: dict[str, Any] = {"name": "all", "module": members}
        if lenders:
            module_set["import-only-module"] = lenders
        return {
            "module-set": [module_set],
            "schema": [{"name": "common", "module-set": ["all"]}],
            "datastore": [
                {"name": f"{names.DS}:{name}", "schema": "common"}
                for name in (*self.configuration_datastores, "operational")
            ],
            "content-id": self.content_id,
        }

    def modules_state(self, now: int) -> dict[str, Any]:
        """RFC 7895 §2.1."""
        del now
        return {
            "module-set-id": self.content_id,
            "module": [
                self._entry(one)
                | {"conformance-type": "implement" if self.implements(one.id.name) else "import"}
                for one in self.modules
            ],
        }

    def _entry(self, one: InstalledModule) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": one.id.name, "namespace": one.namespace}
        if one.id.revision:
            entry["revision"] = one.id.revision
        if self.implements(one.id.name) and (features := self.features(one.id.name)):
            entry["feature"] = features
        return entry

    def netconf_state(self, now: int) -> dict[str, Any]:
        """RFC 6022 §2.1.3: what get-schema gives."""
        del now
        return {
            "schemas": {
                "schema": [
                    {
                        "identifier": one.id.name,
                        "version": one.id.revision,
                        "format": "yang",
                        "namespace": one.namespace,
                        "location": ["NETCONF"],
                    }
                    for one in self.modules
                    if one.text
                ]
            }
        }

    def system_capabilities(self, now: int) -> dict[str, Any]:
        """RFC 9196 §4, §5."""
        del now
        scenario = self._scenario
        said: dict[str, Any] = {
            "periodic-notifications-supported": _BOTH,
            "minimum-update-period": _centiseconds(scenario.period.minimum_seconds),
        }
        if scenario.limits.nodes_per_update:
            said["max-nodes-per-update"] = scenario.limits.nodes_per_update
        said |= self._on_change()
        if transports := self._transports():
            said["ietf-yp-transport-capabilities:transport-capabilities"] = {
                "transport-capability": transports
            }
        said[f"{names.ENVELOPE}:notification-metadata"] = {
            "envelope": scenario.push.header == "envelope",
            "metadata": {"hostname-sequence-number": scenario.push.header == "envelope"},
        }
        said[f"{names.OBSERVATION}:yang-push-observation-time-supported"] = True
        if not self._pushes_changes:
            return {_PUSH: said}
        entries = [
            {"node-selector": path, _PUSH: {"on-change-supported": None}} for path in _COUNTERS
        ]
        operational = {"datastore": f"{names.DS}:operational", "per-node-capabilities": entries}
        return {_PUSH: said, "datastore-capabilities": [operational]}

    @property
    def _pushes_changes(self) -> bool:
        """Without the feature on-change the leaves about it are not there (RFC 9196 §5.2)."""
        return self._scenario.changes.on_change and self._scenario.traits.notifications

    def _on_change(self) -> dict[str, Any]:
        if not self._pushes_changes:
            return {}
        able = self._scenario.changes
        said: dict[str, Any] = {
            "on-change-supported": _BOTH,
            "supported-excluded-change-type": ["all" if able.excluded_change else "none"],
        }
        if able.minimum_dampening_seconds:
            said["minimum-dampening-period"] = _centiseconds(able.minimum_dampening_seconds)
        return said

    def _transports(self) -> list[dict[str, Any]]:
        """That of its receiver; what can be configured may go over both."""
        own = self._scenario.receiver.transport
        others = ("udp-notif", "https-notif") if self._scenario.configuration is not None else ()
        known = {_TRANSPORTS[one][0]: one for one in (*others, own) if one in _TRANSPORTS}
        return [self._transport(*_TRANSPORTS[one]) for one in known.values()]

    def _transport(self, identity: str, security: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {"transport-protocol": identity}
        if security:
            found["security-protocol"] = list(security)
        found["encoding-format"] = [_ENCODINGS[name] for name in self._scenario.encodings]
        return found


def _untexted(name: str) -> InstalledModule:
    return InstalledModule(ModuleId(name, ""), names.namespace_of(name), "")


def _centiseconds(seconds: float) -> int:
    """Rounded up: a shorter one is refused."""
    return -(-round(seconds * SECOND) // CENTISECOND)
