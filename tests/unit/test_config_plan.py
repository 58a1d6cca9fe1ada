"""From what is configured on a device to what is wanted there: edits, take-overs, conflicts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from collector.model import DeviceTime, OnChange, SelectionFilter, SubscriptionTerms
from collector.subscriber.configured.plan import MARK, Plan, WantedConfigured, plan
from collector.subscriber.configured.terms import same_terms
from collector.subscriber.configured.words import differences, what
from collector.wire.subscriptions.config import (
    Configuration,
    ConfiguredReceiver,
    ConfiguredSubscription,
    Edit,
)
from collector.wire.subscriptions.receiver_instances import ReceiverInstance

S = 1_000_000_000
HERE = ReceiverInstance("here", "udp-notif", "192.0.2.1", 10003, spelling="udp-notif-26")
TWIN = structs.replace(HERE, name="R1", spelling="udp-notif-09")
ELSEWHERE = ReceiverInstance("noc", "udp-notif", "198.51.100.9", 10003)
TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
    period=10 * S,
    anchor_time=DeviceTime(0),
    encoding="encode-json",
    transport="udp-notif",
)


def wanted(name: str = "counters", number: int = 100, **terms: Any) -> WantedConfigured:
    return WantedConfigured(
        name, number, structs.replace(TERMS, **terms), ("here",), any_anchor=True
    )


def there(
    number: int = 100, *to: str, purpose: str | None = None, **terms: Any
) -> ConfiguredSubscription:
    receivers = tuple(ConfiguredReceiver(name, name) for name in to or ("here",))
    asked = structs.replace(TERMS, **terms)
    text = MARK + "counters" if purpose is None else purpose
    return ConfiguredSubscription(number, asked, receivers, text)


def planned(found: Configuration, *more: WantedConfigured, **how: Any) -> Plan:
    return plan(found, [HERE], more or [wanted()], **how)


def found(*entries: ConfiguredSubscription | ReceiverInstance) -> Configuration:
    return Configuration(
        tuple(one for one in entries if isinstance(one, ReceiverInstance)),
        tuple(one for one in entries if isinstance(one, ConfiguredSubscription)),
    )


def test_nothing_is_there() -> None:
    assert planned(found()) == Plan((Edit(None, HERE), Edit(None, there(100))), {"counters": 100})


def test_what_is_as_wanted_is_left_alone() -> None:
    assert planned(found(HERE, there())) == Plan((), {"counters": 100})
    unmarked = planned(found(HERE, there(purpose="")), marked=False)
    assert unmarked == Plan((), {"counters": 100})


def test_what_is_ours_is_changed_under_its_id() -> None:
    before = there(7, period=60 * S)
    result = planned(found(HERE, before))
    assert result.edits == (Edit(before, there(7)),)
    assert result.ids == {"counters": 7}
    moved = structs.replace(HERE, port=1, spelling="udp-notif-09")
    (edit,) = planned(found(moved, there())).edits
    assert edit == Edit(moved, structs.replace(HERE, spelling="udp-notif-09"))


def test_what_pushes_to_us_alone_is_taken_over() -> None:
    """Under another id with the same terms, or under ours with other ones."""
    same = there(7, purpose="")
    result = planned(found(HERE, same))
    assert result.edits == (Edit(same, there(7)),)
    assert result.ids == {"counters": 7}
    assert "subscription 7 pushes to us already" in result.notes[0]
    other = there(100, purpose="", period=60 * S)
    assert planned(found(HERE, other)).edits == (Edit(other, there(100)),)
    renamed = there(100, purpose=MARK + "old-name")
    result = planned(found(HERE, renamed))
    assert result.edits == (Edit(renamed, there(100)),)
    assert result.notes == ("subscription 100 was called old-name",)


def test_a_receiver_under_another_name_is_used() -> None:
    result = planned(found(TWIN, there(7, "R1", purpose="")))
    assert result.edits == (Edit(there(7, "R1", purpose=""), there(7, "R1")),)
    assert "receiver-instance R1 sends where here should" in result.notes[0]
    fresh = planned(found(TWIN))
    assert fresh.edits == (Edit(None, there(100, "R1")),)


@pytest.mark.parametrize(
    "stranger",
    [
        there(100, "noc", purpose=""),
        there(100, "here", "noc", purpose=""),
        there(100, purpose="of the network operations centre"),
        structs.replace(there(100), receivers=(ConfiguredReceiver("x"),), purpose=""),
        structs.replace(there(100), receivers=(), purpose=""),
    ],
)
def test_what_is_of_others_is_never_touched(stranger: ConfiguredSubscription) -> None:
    result = planned(found(HERE, ELSEWHERE, stranger))
    assert result.edits == ()
    assert "subscription 100 belongs to somebody else" in result.conflicts[0]
    assert planned(found(HERE, ELSEWHERE, stranger), remove=True, prune=True).edits == (
        Edit(HERE, None),
    ) or any(receiver.instance == "here" for receiver in stranger.receivers)
    aside = structs.replace(stranger, id=55)
    assert [what(edit) for edit in planned(found(HERE, ELSEWHERE, aside)).edits] == [
        "subscription 100"
    ]


def test_an_id_that_cannot_be_read_is_taken() -> None:
    odd = Configuration(unreadable={"subscription 100": "why", "receiver-instance x": "why"})
    assert "somebody else" in planned(odd).conflicts[0]


def test_a_receiver_of_ours_that_others_use_is_not_moved() -> None:
    moved = structs.replace(HERE, port=1)
    result = planned(found(moved, there(55, purpose="theirs")))
    assert "subscription 55 of somebody else uses it" in result.conflicts[0]
    assert all(edit.before is None for edit in result.edits)


def test_two_of_ours_do_not_take_the_same() -> None:
    twice = [wanted(), wanted("again", 101)]
    result = plan(found(HERE, there(7, purpose="")), [HERE], twice)
    assert result.ids == {"counters": 7, "again": 101}
    swapped = plan(
        found(HERE, there(101), there(100, purpose=MARK + "again", period=S)), [HERE], twice
    )
    assert swapped.ids == {"counters": 101, "again": 100}
    assert [what(edit) for edit in swapped.edits] == ["subscription 100"]


def test_receivers_of_others_stay_on_what_is_ours() -> None:
    mixed = there(100, "noc", "here")
    assert planned(found(HERE, ELSEWHERE, mixed)) == Plan((), {"counters": 100})
    lost = there(100, "noc")
    (edit,) = planned(found(HERE, ELSEWHERE, lost)).edits
    assert isinstance(edit.after, ConfiguredSubscription)
    assert [one.instance for one in edit.after.receivers] == ["noc", "here"]


def test_another_receiver_of_ours() -> None:
    """The one that is no longer wanted goes from the subscription."""
    second = structs.replace(HERE, name="second", port=10004)
    one = structs.replace(wanted(), receivers=("second",))
    other = wanted("other", 101, period=S)
    result = plan(
        found(HERE, second, there(), there(101, purpose=MARK + "other", period=S)),
        [HERE, second],
        [one, other],
    )
    (edit,) = result.edits
    assert isinstance(edit.after, ConfiguredSubscription)
    assert [each.instance for each in edit.after.receivers] == ["second"]


# --------------------------------------------------------------------------- removal
def test_removal_takes_the_receiver_along() -> None:
    assert planned(found(HERE, there(7)), remove=True).edits == (
        Edit(there(7), None), Edit(HERE, None),
    )  # fmt: skip
    assert planned(found(), remove=True) == Plan()


def test_removal_leaves_what_others_use() -> None:
    theirs = there(55, purpose="theirs", period=S)
    assert planned(found(HERE, there(), theirs), remove=True).edits == (Edit(there(), None),)
    assert planned(found(TWIN, there(7, "R1")), remove=True).edits == (Edit(there(7, "R1"), None),)
    mixed = there(100, "noc", "here")
    result = planned(found(HERE, ELSEWHERE, mixed), remove=True)
    assert result.edits == (
        Edit(mixed, there(100, "noc", purpose="")), Edit(HERE, None),
    )  # fmt: skip
    assert "it has other receivers" in result.notes[0]


def test_what_is_ours_and_no_longer_wanted() -> None:
    old = there(8, purpose=MARK + "old", period=S)
    result = planned(found(HERE, there(), old))
    assert result.edits == ()
    assert "subscription 8 was made for old" in result.notes[0]
    assert planned(found(HERE, there(), old), prune=True).edits == (Edit(old, None),)


def test_another_collector_has_the_same_mark() -> None:
    """It pushes to its own receivers: in the way under our id, never changed, never pruned."""
    other = there(8, "noc", purpose=MARK + "old")
    result = planned(found(HERE, ELSEWHERE, there(), other), prune=True)
    assert (result.edits, result.notes) == ((), ())
    beside = there(8, "noc")
    assert planned(found(HERE, ELSEWHERE, beside), remove=True).edits == (Edit(HERE, None),)
    in_the_way = planned(found(HERE, ELSEWHERE, there(100, "noc", purpose=MARK + "old")))
    assert "subscription 100 belongs to somebody else" in in_the_way.conflicts[0]
    mixed = there(8, "noc", "here", purpose=MARK + "old")
    result = planned(found(HERE, ELSEWHERE, there(), mixed), prune=True)
    assert result.edits == (Edit(mixed, there(8, "noc", purpose="")),)
    assert result.notes == ("subscription 8 stays: it has other receivers, too",)


def test_a_receiver_that_nothing_wanted_uses_still_shows_what_is_ours() -> None:
    old = there(8, purpose=MARK + "old")
    assert plan(found(HERE, old), [HERE], [], prune=True).edits == (Edit(old, None),)
    nobodys = structs.replace(old, receivers=())
    assert plan(found(nobodys), [HERE], [], prune=True).edits == (Edit(nobodys, None),)


def test_a_stream_with_replay() -> None:
    one = structs.replace(wanted(datastore=None, stream="NETCONF", period=None), replay=True)
    (_, edit) = planned(found(), one).edits
    assert isinstance(edit.after, ConfiguredSubscription)
    assert edit.after.replay
    assert words(edit)["configured-replay"] == (None, "set")
    assert planned(found(HERE, edit.after), one).edits == ()
    without = structs.replace(edit.after, replay=False)
    assert planned(found(HERE, without), one).edits == (Edit(without, edit.after),)


# --------------------------------------------------------------------------- comparing
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
SUBTREE = f'<interfaces xmlns="{IF}"/>'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"selection_filter": SelectionFilter("xpath", "/if:interfaces", {"if": IF})},
            {"selection_filter": SelectionFilter("xpath", "/ietf-interfaces:interfaces ")},
        ),
        (
            {"selection_filter": SelectionFilter("subtree", SUBTREE)},
            {"selection_filter": SelectionFilter("subtree", f'<x:interfaces xmlns:x="{IF}"/>')},
        ),
        ({"anchor_time": DeviceTime(3 * S)}, {"anchor_time": DeviceTime(63 * S)}),
        ({"dscp": 0}, {"dscp": None}),
        ({"period": None, "on_change": OnChange(excluded_change=("move", "insert"))},
         {"period": None, "on_change": OnChange(excluded_change=("insert", "move"))}),
        ({"module_versions": (("a", "r", ""), ("b", "r", ""))},
         {"module_versions": (("b", "r", ""), ("a", "r", ""))}),
    ],
)  # fmt: skip
def test_the_same_in_other_words(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert same_terms(structs.replace(TERMS, **one), structs.replace(TERMS, **other))


@pytest.mark.parametrize(
    "other",
    [
        {"selection_filter": None},
        {"selection_filter": SelectionFilter("ref", "x")},
        {"anchor_time": DeviceTime(S)},
        {"anchor_time": None},
        {"dscp": 8},
        {"period": None, "on_change": OnChange()},
        {"encoding": "encode-xml"},
        {"stop_time": DeviceTime(9 * S)},
    ],
)
def test_what_is_not_the_same(other: dict[str, Any]) -> None:
    assert not same_terms(TERMS, structs.replace(TERMS, **other))


def test_an_anchor_of_the_device_is_as_good_as_ours() -> None:
    assert planned(found(HERE, there(anchor_time=DeviceTime(3 * S)))).edits == ()
    strict = structs.replace(wanted(), any_anchor=False)
    assert len(planned(found(HERE, there(anchor_time=DeviceTime(3 * S))), strict).edits) == 1


# --------------------------------------------------------------------------- in words
def words(edit: Edit) -> dict[str, tuple[str | None, str | None]]:
    return {one.leaf: (one.before, one.after) for one in differences(edit)}


def test_differences_are_leaf_by_leaf() -> None:
    before = there(7, "noc", purpose="", period=60 * S, dscp=8, weighting=3, dependency=2)
    found = words(Edit(before, there(7, selection_filter=SelectionFilter("ref", "mine"))))
    assert found == {
        "xpath filter": ("/ietf-interfaces:interfaces", None),
        "ref filter": (None, "mine"),
        "period": ("60 s", "10 s"),
        "dscp": ("8", None),
        "weighting": ("3", None),
        "dependency": ("2", None),
        "receivers": ("noc", "here"),
        "purpose": (None, "yang-push collector: counters"),
    }


def test_all_leaves_have_words() -> None:
    full = there(
        period=None,
        anchor_time=None,
        on_change=OnChange(S, sync_on_start=False, excluded_change=("move",)),
        stop_time=DeviceTime(0),
        stream="NETCONF",
        module_versions=(("a", "2020-01-01", ""), ("b", "", "1.2")),
    )
    found = words(Edit(None, full))
    assert found["on-change"] == (None, "dampened to 1 s")
    assert found["sync-on-start"] == (None, "false")
    assert found["excluded-change"] == (None, "move")
    assert found["stop-time"] == (None, "1970-01-01T00:00:00Z")
    assert found["stream"] == (None, "NETCONF")
    assert (found["module-version a"][1], found["module-version b"][1]) == ("2020-01-01", "1.2")
    assert what(Edit(None, None)) == ""
    assert differences(Edit(None, None)) == ()


def test_tls_parameters_are_never_shown() -> None:
    secret = ReceiverInstance("h", "https", "c", 443, "/p", True, "<key>geheim</key>")
    found = words(Edit(None, secret))
    assert "geheim" not in str(found)
    assert found["security"] == (None, "TLS")
    changed = words(Edit(secret, structs.replace(secret, tls="<key>anders</key>")))
    assert set(changed) == {"tls parameters"}
    dtls = structs.replace(HERE, secure=True, local_address="192.0.2.7", enable_segmentation=False)
    assert words(Edit(HERE, dtls)) == {
        "security": (None, "DTLS"),
        "enable-segmentation": (None, "false"),
        "local-address": (None, "192.0.2.7"),
    }
