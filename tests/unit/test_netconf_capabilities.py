"""``/system-capabilities``; trees typed after the figures of RFC 9196, appendices A and B."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.model import CENTISECOND, SECOND
from collector.wire.netconf import capabilities as netconf_capabilities
from collector.wire.netconf.capabilities import (
    CONFIG_CHANGES,
    STATE_CHANGES,
    NodeCapabilities,
    PushCapabilities,
    SystemCapabilities,
    TransportCapability,
    read_capabilities,
    stated,
)
from collector.wire.netconf.node_paths import NodePath, read_paths
from collector.wire.values import xml

BOTH = (CONFIG_CHANGES, STATE_CHANGES)
HEAD = """<system-capabilities xmlns="urn:ietf:params:xml:ns:yang:ietf-system-capabilities"
  xmlns:notc="urn:ietf:params:xml:ns:yang:ietf-notification-capabilities"
  xmlns:if="urn:ietf:params:xml:ns:yang:ietf-interfaces"
  xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">"""
ROUTER = f"""{HEAD}
  <notc:subscription-capabilities>
    <notc:minimum-update-period>500</notc:minimum-update-period>
    <notc:max-nodes-per-update>2000</notc:max-nodes-per-update>
    <notc:minimum-dampening-period>
      100
    </notc:minimum-dampening-period>
    <notc:periodic-notifications-supported>
      config-changes state-changes
    </notc:periodic-notifications-supported>
    <notc:on-change-supported>config-changes state-changes</notc:on-change-supported>
    <notc:supported-excluded-change-type>all</notc:supported-excluded-change-type>
  </notc:subscription-capabilities>
  <datastore-capabilities>
    <datastore>ds:operational</datastore>
    <per-node-capabilities>
      <node-selector>
        /if:interfaces/if:interface[if:name='lo']
      </node-selector>
      <notc:subscription-capabilities>
        <notc:on-change-supported/>
        <notc:periodic-notifications-supported/>
      </notc:subscription-capabilities>
    </per-node-capabilities>
    <per-node-capabilities>
      <node-selector>/if:interfaces/if:interface/if:statistics/if:in-octets</node-selector>
      <notc:subscription-capabilities>
        <notc:minimum-dampening-period>10
          </notc:minimum-dampening-period>
        <notc:on-change-supported>state-changes</notc:on-change-supported>
      </notc:subscription-capabilities>
    </per-node-capabilities>
    <per-node-capabilities>
      <node-selector>/if:interfaces/if:interface/if:statistics</node-selector>
      <notc:subscription-capabilities>
        <notc:on-change-supported/>
      </notc:subscription-capabilities>
    </per-node-capabilities>
  </datastore-capabilities>
</system-capabilities>"""
SWITCH = f"""{HEAD}
  <datastore-capabilities>
    <datastore>ds:operational</datastore>
    <per-node-capabilities>
      <node-selector>/</node-selector>
      <notc:subscription-capabilities>
        <notc:on-change-supported>state-changes</notc:on-change-supported>
      </notc:subscription-capabilities>
    </per-node-capabilities>
  </datastore-capabilities>
  <datastore-capabilities>
    <datastore>ds:candidate</datastore>
    <per-node-capabilities>
      <notc:subscription-capabilities><notc:on-change-supported/></notc:subscription-capabilities>
    </per-node-capabilities>
    <per-node-capabilities><node-selector>//x</node-selector></per-node-capabilities>
  </datastore-capabilities>
</system-capabilities>"""


def tree(text: str) -> SystemCapabilities:
    return read_capabilities(xml.parse(text.encode()))


def path(text: str) -> NodePath:
    found = read_paths(text, {})
    assert found is not None
    return found[0]


def values(text: str, name: str, wanted: str, datastore: str = "operational") -> list[object]:
    """What the tree says of a node, with the place where it says so."""
    return [(one.value, one.where) for one in stated(tree(text), name, datastore, path(wanted))]


def test_the_system_of_appendix_a() -> None:
    found = tree(ROUTER)
    assert found.system == PushCapabilities(
        max_nodes_per_update=2000,
        periodic=BOTH,
        minimum_update_period=5 * SECOND,
        on_change=BOTH,
        minimum_dampening_period=SECOND,
        excluded_changes=("all",),
    )
    assert [entry.selector for entry in found.nodes] == [
        "/if:interfaces/if:interface[if:name='lo']",
        "/if:interfaces/if:interface/if:statistics/if:in-octets",
        "/if:interfaces/if:interface/if:statistics",
    ]
    assert found.nodes[1] == NodeCapabilities(
        "operational",
        "/if:interfaces/if:interface/if:statistics/if:in-octets",
        (path("/ietf-interfaces:interfaces/interface/statistics/in-octets"),),
        PushCapabilities(on_change=(STATE_CHANGES,), minimum_dampening_period=10 * CENTISECOND),
    )
    assert found.nodes[0].capabilities == PushCapabilities(on_change=(), periodic=())
    assert (found.transports, found.unusable) == ((), 0)


INTERFACES = "/ietf-interfaces:interfaces"
STATISTICS = f"{INTERFACES}/interface/statistics"
LO = "/if:interfaces/if:interface[if:name='lo']"


@pytest.mark.clause("9196-4.2-a")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        # the first entry that selects the node counts, not the one with the longest path; what is
        # said of one entry of a list may or may not be about the wanted ones
        (
            f"{STATISTICS}/in-octets",
            [((), LO), ((STATE_CHANGES,), f"{LO[:27]}/if:statistics/if:in-octets")],
        ),
        (f"{STATISTICS}/in-errors", [((), LO), ((), f"{LO[:27]}/if:statistics")]),
        ("/ietf-hardware:hardware", [(BOTH, "")]),
        ("/ietf-interfaces:interfaces-state", [(BOTH, "")]),
        (
            STATISTICS,
            [
                ((), LO),
                ((STATE_CHANGES,), f"{LO[:27]}/if:statistics/if:in-octets"),
                ((), f"{LO[:27]}/if:statistics"),
            ],
        ),
    ],
)
def test_what_counts_for_a_node(wanted: str, expected: list[object]) -> None:
    assert values(ROUTER, "on_change", wanted) == expected


def test_what_no_entry_says_is_that_of_the_system() -> None:
    assert values(ROUTER, "minimum_update_period", STATISTICS) == [(5 * SECOND, "")]
    assert values(ROUTER, "on_change", STATISTICS, "running") == [(BOTH, "")]
    assert values(SWITCH, "minimum_update_period", STATISTICS) == []


def test_the_datastores_of_appendix_b() -> None:
    assert values(SWITCH, "on_change", STATISTICS) == [((STATE_CHANGES,), "/")]
    assert values(SWITCH, "on_change", STATISTICS, "candidate") == [((), "/")]
    assert tree(SWITCH).nodes[2].paths is None, "no path at all"


TRANSPORTS = """<system-capabilities xmlns="urn:ietf:params:xml:ns:yang:ietf-system-capabilities">
<subscription-capabilities xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-capabilities">
<supported-update-period>100</supported-update-period>
<supported-update-period>6000</supported-update-period>
<transport-capabilities xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-transport-capabilities">
  <transport-capability>
    <transport-protocol xmlns:unt="urn:ietf:params:xml:ns:yang:ietf-udp-notif-transport">
      unt:udp-notif</transport-protocol>
    <security-protocol>dtls13</security-protocol>
    <encoding-format>sn:encode-json</encoding-format>
    <encoding-format>unt:encode-cbor</encoding-format>
  </transport-capability>
</transport-capabilities>
<notification-metadata xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-notification">
  <envelope>true</envelope><metadata>
  <hostname-sequence-number>false</hostname-sequence-number></metadata></notification-metadata>
<yang-push-observation-time-supported xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-observation"
  >true</yang-push-observation-time-supported>
<yang-push-module-revision-supported xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push-revision"
  >false</yang-push-module-revision-supported>
</subscription-capabilities></system-capabilities>"""


def test_transports_and_extensions_of_the_drafts() -> None:
    found = tree(TRANSPORTS)
    assert found.transports == (
        TransportCapability("udp-notif", ("dtls13",), ("encode-json", "encode-cbor")),
    )
    assert found.system.supported_update_periods == (SECOND, 60 * SECOND)
    assert (found.envelope, found.sequence_number) == (True, False)
    assert (found.observation_time, found.module_revision) == (True, False)


@pytest.mark.parametrize(
    "leaf",
    [
        "<minimum-update-period>soon</minimum-update-period>",
        "<minimum-update-period>-1</minimum-update-period>",
        "<max-nodes-per-update>4294967296</max-nodes-per-update>",
        "<max-nodes-per-update>\u0662</max-nodes-per-update>",
        "<yang-push-observation-time-supported>yes</yang-push-observation-time-supported>",
    ],
)
def test_a_value_that_is_none_is_left_out_and_counted(leaf: str) -> None:
    found = tree(
        f"<s><subscription-capabilities>{leaf}<on-change-supported>state-changes"
        "</on-change-supported></subscription-capabilities></s>"
    )
    assert found.unusable == 1
    assert found.system == PushCapabilities(on_change=(STATE_CHANGES,))
    assert found.observation_time is None


def test_more_entries_than_anybody_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netconf_capabilities, "MAX_ENTRIES", 2)
    with pytest.raises(WireError) as caught:
        tree(ROUTER)
    assert caught.value.reason == "too-many-capabilities"
