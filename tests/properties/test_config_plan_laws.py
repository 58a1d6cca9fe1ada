"""Laws of configuring a device: done once it is done, and what is of others stays as it was.

Whatever was configured, by whomever: the plan's edits are carried out by the simulated device's own
edit-config, and looked at again.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from collector.model import DeviceTime, SubscriptionTerms
from collector.subscriber.configured.plan import MARK, WantedConfigured, plan
from collector.wire.subscriptions.config import (
    Configuration,
    ConfiguredReceiver,
    ConfiguredSubscription,
    Edit,
    read_configuration,
    write_edits,
)
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from collector.wire.values import xml
from publisher_sim.master.configuration.editing import edited, empty
from publisher_sim.master.configuration.schema import schema

SCHEMA = schema()
S = 1_000_000_000
OURS = (
    ReceiverInstance("here", "udp-notif", "192.0.2.1", 10003, spelling="udp-notif-26"),
    ReceiverInstance("web", "https", "192.0.2.1", 8443, "/p", spelling="https-notif-16"),
)
OTHERS = (
    structs.replace(OURS[0], name="R1"),  # the same place under another name
    structs.replace(OURS[0], name="noc", address="198.51.100.9"),
    structs.replace(OURS[1], name="away", port=1),
)
NAMES = ("a", "b", "c")
terms = st.builds(
    lambda period, dscp: SubscriptionTerms(
        datastore="operational", period=period * S, anchor_time=DeviceTime(0), dscp=dscp,
        encoding="encode-json", transport="udp-notif",
    ),
    st.sampled_from((1, 10)), st.sampled_from((None, 8)),
)  # fmt: skip
receivers = st.lists(
    st.sampled_from([one.name for one in (*OURS, *OTHERS)]), min_size=1, max_size=2, unique=True
).map(lambda names: tuple(ConfiguredReceiver(f"to {name}", name) for name in names))
purposes = st.sampled_from(("", "", "theirs", *(MARK + name for name in NAMES), MARK + "old"))
found_subscriptions = st.lists(
    st.builds(ConfiguredSubscription, st.integers(100, 105), terms, receivers, purposes),
    max_size=5,
    unique_by=lambda one: one.id,
)
wanted_subscriptions = st.lists(
    st.builds(
        WantedConfigured,
        st.sampled_from(NAMES),
        st.integers(100, 105),
        terms,
        st.sampled_from((("here",), ("web",), ("here", "web"))),
        any_anchor=st.booleans(),
    ),
    max_size=3,
    unique_by=(lambda one: one.name, lambda one: one.id),
)


def device(subscriptions: list[ConfiguredSubscription], moved: bool) -> xml.Element:
    """A device's running configuration."""
    here = structs.replace(OURS[0], port=7) if moved else OURS[0]
    entries = (here, OURS[1], *OTHERS, *subscriptions)
    return edited(empty(), nodes([Edit(None, one) for one in entries]), SCHEMA)


def nodes(edits: list[Edit]) -> tuple[xml.Element, ...]:
    return xml.fragment(write_edits(edits))


def read(tree: xml.Element) -> Configuration:
    found = read_configuration(tree.children)
    assert found.unreadable == {}
    return found


def of_others(found: Configuration) -> dict[int, ConfiguredSubscription]:
    """Neither marked as ours, nor without a purpose and pushing to us alone."""
    places = {(one.transport, one.address, one.port) for one in OURS}
    instances = {one.name: one for one in found.instances}

    def is_ours(one: ConfiguredSubscription) -> bool:
        if one.purpose.startswith(MARK):
            return True
        to = [instances[receiver.instance or ""] for receiver in one.receivers]
        return not one.purpose and all(
            (place.transport, place.address, place.port) in places for place in to
        )

    return {one.id: one for one in found.subscriptions if not is_ours(one)}


@settings(max_examples=250, deadline=None)
@given(found_subscriptions, wanted_subscriptions, st.booleans(), st.booleans(), st.booleans())
def test_done_once_and_never_more_than_ours(
    there: list[ConfiguredSubscription],
    wanted: list[WantedConfigured],
    moved: bool,
    remove: bool,
    prune: bool,
) -> None:
    tree = device(there, moved)
    before = read(tree)
    planned = plan(before, OURS, wanted, remove=remove, prune=prune)
    after_tree = edited(tree, nodes(list(planned.edits)), SCHEMA) if planned.edits else tree
    after = read(after_tree)

    again = plan(after, OURS, wanted, remove=remove, prune=prune)
    assert again.edits == ()
    assert again.ids == planned.ids
    assert again.conflicts == planned.conflicts

    now = {one.id: one for one in after.subscriptions}
    for number, one in of_others(before).items():
        assert now[number] == one
    assert {one.name for one in OTHERS} <= {one.name for one in after.instances}

    if remove:
        assert planned.ids == {}
    else:
        assert len(set(planned.ids.values())) == len(planned.ids)
        if planned.conflicts:
            assert planned.edits == ()
        else:
            assert set(planned.ids) == {one.name for one in wanted}
            assert {now[number].purpose for number in planned.ids.values()} == {
                MARK + one.name for one in wanted
            }
