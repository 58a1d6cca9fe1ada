"""What is really asked for at a moment, which changes can be modified, what a refusal means."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from msgspec.structs import replace

from collector.config import parse_config
from collector.errors import ProtocolError
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.subscriber.asked import (
    can_modify,
    contradiction,
    renewal_of,
    replay_to_ask,
    stop_time_to_ask,
)
from collector.subscriber.exchanges.refusals import (
    can_heal,
    describe,
    hinted_period,
    is_gone,
    with_hints,
)
from collector.subscriber.wanted import WantedSubscription, in_order, wanted_from
from collector.wire.netconf.rpc import (
    RUNNING,
    EditConfig,
    EstablishSubscription,
    decode_rpc,
    encode_rpc,
)
from collector.wire.subscriptions.config import ConfiguredSubscription, Edit, write_edits

TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
    period=60 * SECOND,
    encoding="encode-json",
)
STREAM = SubscriptionTerms(stream="NETCONF", encoding="encode-xml")
ON_CHANGE = replace(TERMS, period=None, on_change=OnChange(dampening_period=SECOND))


def at(seconds: float) -> CollectorTime:
    return CollectorTime(round(seconds * SECOND))


def wanted(terms: SubscriptionTerms = TERMS, **more: object) -> WantedSubscription:
    return WantedSubscription("a", "core1", terms, **more)  # type: ignore[arg-type]


# --------------------------------------------------------------------------- the configuration
DEVICE = """
[[device]]
name = "core1"
[device.netconf]
host = "192.0.2.1"
username = "u"
password_env = "P"
"""


def test_everything_that_can_be_configured_reaches_the_request(tmp_path: Path) -> None:
    text = (
        DEVICE
        + """
[[subscription]]
name = "alarms"
stream = "NETCONF"
subtree = '<alarm xmlns="urn:a"/>'
replay_seconds = 60
stop_after_seconds = 600
renew = false
dscp = 16
weighting = 5
[[subscription]]
name = "state"
datastore = "running"
filter_name = "ports"
on_change = true
dampening_seconds = 0.5
sync_on_start = false
excluded_changes = ["move", "insert"]
stop_time = "2026-01-01T00:00:00Z"
dependency = "alarms"
accept_hints = true
module_versions = { ietf-interfaces = "2018-02-20", vendor = "1.2.0" }
[[subscription]]
name = "replayed"
stream = "audit"
replay_start_time = "2026-01-01T00:00:00Z"
dependency = "4711"
"""
    )
    _, (alarms, state, replayed) = wanted_from(parse_config(text, file=str(tmp_path / "c")))
    assert alarms == WantedSubscription(
        "alarms",
        "core1",
        SubscriptionTerms(
            stream="NETCONF",
            selection_filter=SelectionFilter("subtree", '<alarm xmlns="urn:a"/>'),
            encoding="encode-xml",
            dscp=16,
            weighting=5,
        ),
        stop_after=600 * SECOND,
        renew=False,
        replay_back=60 * SECOND,
    )
    assert not alarms.for_good
    assert state == WantedSubscription(
        "state",
        "core1",
        SubscriptionTerms(
            datastore="running",
            selection_filter=SelectionFilter("ref", "ports"),
            on_change=OnChange(SECOND // 2, False, ("move", "insert")),
            encoding="encode-json",
            stop_time=DeviceTime(1_767_225_600 * SECOND),
            module_versions=(("ietf-interfaces", "2018-02-20", ""), ("vendor", "", "1.2.0")),
        ),
        dependency="alarms",
        accept_hints=True,
    )
    assert replayed.terms.replay_start_time == 1_767_225_600 * SECOND
    assert (replayed.terms.dependency, replayed.dependency) == (4711, "")
    assert replayed.terms.selection_filter is None
    for one in (alarms, state, replayed):
        read = decode_rpc(encode_rpc("1", EstablishSubscription(one.terms)))
        assert read.operation == EstablishSubscription(one.terms)


def test_an_encoding_of_another_package_is_asked_for_with_its_namespace(tmp_path: Path) -> None:
    text = (
        DEVICE
        + """
[[subscription]]
name = "counters"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 10
encoding = "acme-telemetry:encode-acme-packed"
namespaces = { acme-telemetry = "https://acme.example/yang/telemetry" }
"""
    )
    _, (one,) = wanted_from(parse_config(text, file=str(tmp_path / "c")))
    assert one.terms.encoding == "encode-acme-packed"
    for operation in (
        EstablishSubscription(one.terms),
        EditConfig(
            RUNNING, write_edits([Edit(None, ConfiguredSubscription(7, one.terms, purpose="p"))])
        ),
    ):
        octets = encode_rpc("1", operation)
        (leaf,) = etree.fromstring(octets).iter("{*}encoding")
        prefix, _, identity = (leaf.text or "").partition(":")
        assert (leaf.nsmap[prefix], identity) == (
            "https://acme.example/yang/telemetry", "encode-acme-packed",
        )  # fmt: skip
    asked = decode_rpc(encode_rpc("1", EstablishSubscription(one.terms))).operation
    assert isinstance(asked, EstablishSubscription)
    assert asked.terms.encoding == "encode-acme-packed"
    left_out = replace(one.terms, encoding=None)
    assert b"<encoding" not in encode_rpc("1", EstablishSubscription(left_out))


def test_what_is_configured_on_the_device_is_depended_on_by_its_id(tmp_path: Path) -> None:
    text = (
        DEVICE
        + """
[[receiver_instance]]
name = "here"
address = "192.0.2.100"
port = 10003
[[subscription]]
name = "parent"
xpath = "/a:b"
period_seconds = 10
configured_id = 100
receivers = ["here"]
[[subscription]]
name = "child"
xpath = "/a:b"
period_seconds = 10
dependency = "parent"
"""
    )
    _, (child,) = wanted_from(parse_config(text, file=str(tmp_path / "c")))
    assert (child.terms.dependency, child.dependency) == (100, "")


def test_every_one_comes_after_what_it_depends_on() -> None:
    def one(name: str, dependency: str = "") -> WantedSubscription:
        return WantedSubscription(name, "core1", TERMS, dependency=dependency)

    def order(*given: WantedSubscription) -> str:
        return "".join(w.name for w in in_order({w.name: w for w in given}))

    assert order(one("a"), one("b")) == "ab"
    assert order(one("a", "c"), one("b", "a"), one("c")) == "cab"
    assert order(one("a", "gone"), one("b")) == "ab"
    assert order(one("a", "b"), one("b", "a"), one("c", "c")) == "bac"
    chain = [one(str(n), str(n + 1)) for n in range(5000)]
    assert next(in_order({w.name: w for w in chain})).name == "4999"


# --------------------------------------------------------------------------- moments
def test_stop_times() -> None:
    assert stop_time_to_ask(wanted(), at(100), at(50)) is None
    absolute = replace(TERMS, stop_time=DeviceTime(7))
    assert stop_time_to_ask(wanted(absolute), at(100), at(50)) == 7
    kept = wanted(stop_after=10 * SECOND)
    assert stop_time_to_ask(kept, at(100.4), at(50)) == 111 * SECOND
    once = wanted(stop_after=10 * SECOND, renew=False)
    assert stop_time_to_ask(once, at(100), at(50)) == 60 * SECOND
    assert renewal_of(DeviceTime(1000 * SECOND), 10 * SECOND) == 998 * SECOND
    assert renewal_of(DeviceTime(1000 * SECOND), 3600 * SECOND) == 940 * SECOND


def test_replays() -> None:
    assert replay_to_ask(wanted(STREAM), at(100), at(50)) is None
    back = wanted(STREAM, replay_back=30 * SECOND)
    assert replay_to_ask(back, at(100.5), None) == 70 * SECOND
    assert replay_to_ask(back, at(100), at(90)) == 85 * SECOND
    fixed = wanted(replace(STREAM, replay_start_time=DeviceTime(10 * SECOND)))
    assert replay_to_ask(fixed, at(100), None) == 10 * SECOND
    assert replay_to_ask(fixed, at(100), at(12)) == 10 * SECOND
    assert replay_to_ask(fixed, at(100), at(60)) == 55 * SECOND


@pytest.mark.parametrize(
    ("replay", "stop", "sentence"),
    [
        (None, 50, ""),
        (99, None, ""),
        (99, 100, ""),
        (50, 50, "stop-time is not after replay-start-time"),
    ],
)
def test_what_a_device_would_have_to_refuse(
    replay: int | None, stop: int | None, sentence: str
) -> None:
    terms = SubscriptionTerms(
        replay_start_time=None if replay is None else DeviceTime(replay * SECOND),
        stop_time=None if stop is None else DeviceTime(stop * SECOND),
    )
    assert contradiction(terms).startswith(sentence)
    assert bool(contradiction(terms)) is bool(sentence)


# --------------------------------------------------------------------------- modify-subscription
VERSIONS = (("a", "2018-02-20", ""),)


@pytest.mark.parametrize(
    ("old", "change", "can"),
    [
        (ON_CHANGE, {"on_change": OnChange(dampening_period=0)}, True),
        (ON_CHANGE, {"on_change": OnChange(SECOND, False)}, False),
        (ON_CHANGE, {"on_change": OnChange(SECOND, True, ("move",))}, False),
        (ON_CHANGE, {"on_change": None, "period": SECOND}, False),
        (TERMS, {"module_versions": VERSIONS}, True),
        (replace(TERMS, module_versions=VERSIONS), {"module_versions": ()}, False),
        (replace(TERMS, stop_time=DeviceTime(1)), {"stop_time": None}, False),
        (replace(TERMS, stop_time=DeviceTime(1)), {"stop_time": DeviceTime(2)}, True),
        (TERMS, {"selection_filter": None}, False),
        (TERMS, {"dependency": 3}, False),
        (TERMS, {"weighting": 3}, False),
        (STREAM, {"selection_filter": SelectionFilter("ref", "f")}, True),
        (STREAM, {"stream": "other"}, False),
        (replace(STREAM, replay_start_time=DeviceTime(1)), {"replay_start_time": None}, True),
    ],
)
def test_what_can_be_modified(old: SubscriptionTerms, change: dict[str, object], can: bool) -> None:
    assert can_modify(old, replace(old, **change)) is can


# --------------------------------------------------------------------------- refusals
def refused(identity: str = "", tag: str = "invalid-value", **hints: str) -> ProtocolError:
    named = {name.replace("_", "-"): text for name, text in hints.items()}
    return ProtocolError("no", tag=tag, identity=identity, hints=named)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("6000", 60 * SECOND),
        (" 6000 ", 60 * SECOND),
        ("4294967295", 42_949_672_950_000_000),
        ("4294967296", None),
        ("0", None),
        ("-1", None),
        ("1e3", None),
        ("", None),
        ("٣", None),
        ("9" * 5000, None),
    ],
)
def test_period_hints(text: str, period: int | None) -> None:
    error = refused("period-unsupported", period_hint=text)
    assert hinted_period(error) == period
    assert describe(error)


def test_hints_that_are_followed() -> None:
    hint = refused("period-unsupported", period_hint="12000")
    assert with_hints(TERMS, TERMS, hint) == replace(TERMS, period=120 * SECOND)
    assert with_hints(replace(TERMS, period=120 * SECOND), TERMS, hint) is None, "it said so before"
    assert with_hints(STREAM, STREAM, hint) is None
    assert with_hints(TERMS, TERMS, refused("filter-unsupported", filter_failure_hint="x")) is None
    half = refused("period-unsupported", period_hint="3000")
    assert with_hints(TERMS, TERMS, half) == replace(TERMS, period=30 * SECOND)
    flood = refused("period-unsupported", period_hint="2999")
    assert with_hints(TERMS, TERMS, flood) is None


def test_a_hint_about_changes_is_about_their_dampening() -> None:
    """RFC 8641 §5, period-hint; whatever else was asked of them stays."""
    trigger = OnChange(SECOND, sync_on_start=False, excluded_change=("move",))
    terms = replace(ON_CHANGE, on_change=trigger)
    longer = refused("period-unsupported", period_hint="500")
    found = with_hints(terms, terms, longer)
    assert found == replace(terms, on_change=replace(trigger, dampening_period=5 * SECOND))
    assert with_hints(found, terms, longer) is None, "it said so before"
    undamped = replace(terms, on_change=replace(trigger, dampening_period=0))
    assert with_hints(undamped, undamped, longer) == found
    assert with_hints(terms, terms, refused("period-unsupported", period_hint="49")) is None
    assert with_hints(terms, terms, refused("cant-exclude")) is None


@pytest.mark.parametrize(
    ("error", "heals", "gone"),
    [
        (refused("insufficient-resources", "resource-denied"), True, False),
        (refused("no-such-subscription"), False, True),
        (refused("no-such-subscription-resync"), False, True),
        (refused(tag="operation-failed"), True, False),
        (refused("stream-unavailable", "operation-failed"), False, False),
        (refused(tag="access-denied"), False, False),
        *((refused(name), False, False) for name in ("dscp-unavailable", "update-too-big")),
    ],
)
def test_what_heals_and_what_is_gone(error: ProtocolError, heals: bool, gone: bool) -> None:
    assert (can_heal(error), is_gone(error)) == (heals, gone)


def test_sentences() -> None:
    both = refused("period-unsupported", period_hint="6000", filter_failure_hint="try /a")
    assert describe(both) == (
        "period-unsupported (no); the device hints: filter-failure-hint try /a, "
        "period-hint 6000 (60 s)"
    )
    unknown = refused(tag="operation-failed")
    assert describe(unknown, STREAM) == "operation-failed (no); perhaps it has no stream NETCONF"
    assert describe(unknown, TERMS) == "operation-failed (no)"
    assert describe(refused(tag="invalid-value"), STREAM) == "invalid-value (no)"
    twice = refused("filter-unsupported", filter_failure_hint="no")
    assert describe(twice) == "filter-unsupported (no)"
    assert describe(refused("replay-unsupported"), STREAM) == "replay-unsupported (no)"
    assert len(describe(refused("filter-unsupported", filter_failure_hint="x" * 5000))) < 400
