"""The keys of a subscription: what they mean, and which of them contradict each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector.config import Config, parse_config
from collector.config.subscriptions import moment
from collector.errors import ConfigError
from collector.model import SECOND

PERIODIC = {"name": '"counters"', "xpath": '"/ietf-interfaces:interfaces"', "period_seconds": "10"}
ON_CHANGE = {"name": '"state"', "xpath": '"/ietf-interfaces:interfaces"', "on_change": "true"}
STREAM = {"name": '"alarms"', "stream": '"NETCONF"'}
TIME = "2026-01-01T00:00:00Z"
ALLOWED_TIME = "an RFC 3339 time with zone, as 2026-01-01T00:00:00Z"


def section(base: dict[str, str], **keys: str) -> str:
    lines = [f"{name} = {value}" for name, value in (base | keys).items() if value]
    return "\n".join(["[[subscription]]", *lines, ""])


def parse(base: dict[str, str], **keys: str) -> Config:
    return parse_config(section(base, **keys))


@pytest.mark.parametrize(
    ("base", "keys", "fault"),
    [
        (PERIODIC, {"on_change": "true"}, "on_change: updates come either each period or on a"),
        (PERIODIC, {"stream": '"x"'}, "period_seconds: the events of a stream have no period"),
        (STREAM, {"on_change": "true"}, "on_change: the events of a stream are no changes"),
        (STREAM, {"datastore": '"running"'}, "datastore: a subscription is either to a stream"),
        (STREAM, {"xpath": '"/a:b"', "subtree": '"<a/>"'}, "what to subscribe to"),
        (PERIODIC, {"filter_name": '"f"'}, "what to subscribe to"),
        (PERIODIC, {"xpath": ""}, "what to subscribe to"),
        (ON_CHANGE, {"on_change": ""}, "period_seconds: when updates are sent"),
        (ON_CHANGE, {"anchor": f'"{TIME}"'}, "anchor: only periods have an anchor"),
        (ON_CHANGE, {"dampening_seconds": "0.001"}, "dampening_seconds: periods go in steps"),
        (ON_CHANGE, {"dampening_seconds": "-1"}, "dampening_seconds: -1 cannot be used"),
        (ON_CHANGE, {"excluded_changes": '["merge"]'}, "excluded_changes: ['merge'] cannot be"),
        (PERIODIC, {"dampening_seconds": "1"}, "dampening_seconds: it has a meaning on changes"),
        (PERIODIC, {"sync_on_start": "false"}, "sync_on_start: it has a meaning on changes only"),
        (PERIODIC, {"excluded_changes": '["move"]'}, "excluded_changes: it has a meaning on"),
        (PERIODIC, {"replay_seconds": "60"}, "replay_seconds: only what a stream kept"),
        (PERIODIC, {"replay_start_time": f'"{TIME}"'}, "replay_start_time: only what a stream"),
        (STREAM, {"replay_start_time": '"noon"'}, 'replay_start_time: "noon" cannot be used'),
        (PERIODIC, {"stop_time": '"2026-01-01"'}, 'stop_time: "2026-01-01" cannot be used'),
        (PERIODIC, {"stop_time": '"9999-01-01T00:00:00Z"'}, "stop_time: "),
        (
            STREAM,
            {"stop_time": f'"{TIME}"', "replay_start_time": '"2026-01-01T01:00:00+01:00"'},
            "stop_time: it ends before what is to be sent again begins",
        ),
        (
            STREAM,
            {"replay_seconds": "1", "replay_start_time": f'"{TIME}"'},
            "replay_seconds: what is sent again begins at a time or so far back",
        ),
        (
            PERIODIC,
            {"stop_time": f'"{TIME}"', "stop_after_seconds": "60"},
            "stop_after_seconds: it ends at a time or after a while",
        ),
        (PERIODIC, {"renew": "false"}, "renew: nothing ends that could be prolonged"),
        (PERIODIC, {"stop_after_seconds": "9"}, "stop_after_seconds: 9 cannot be used"),
        (PERIODIC, {"dscp": "64"}, "dscp: 64 cannot be used (allowed: a whole number from 0 to 63"),
        (PERIODIC, {"weighting": "256"}, "weighting: 256 cannot be used"),
        (PERIODIC, {"dependency": '"counters"'}, "dependency: counters would wait for itself"),
        (PERIODIC, {"dependency": '"alarms"'}, 'dependency: no subscription is called "alarms"'),
        (PERIODIC, {"dependency": '"4294967296"'}, "dependency: no subscription is called"),
        (STREAM, {"namespaces": '{ a = "urn:a" }'}, "namespaces: only an xpath has prefixes"),
        (PERIODIC, {"encoding": '"encode-x"'}, "encoding: encode-x is no encoding that is known"),
        (PERIODIC, {"encoding": '"a:encode-x"'}, "namespaces: the namespace of a, whose encode-x"),
        (PERIODIC, {"encoding": '"a:b:c"'}, "encoding: a:b:c is no encoding that is known"),
        (PERIODIC, {"encoding": '"ietf-a:b:encode-json"'}, "is no encoding that is known"),
        (PERIODIC, {"encoding": '"<x/>"'}, "encoding: <x/> is no encoding that is known"),
        (
            STREAM,
            {"namespaces": '{ a = "urn:a", b = "urn:b" }', "encoding": '"a:encode-x"'},
            "namespaces: only an xpath has prefixes",
        ),
    ],
)
def test_contradictions_are_named(base: dict[str, str], keys: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigError) as failed:
        parse(base, **keys)
    assert f"subscription[1]{'' if fault.startswith('what') else '.'}" in str(failed.value)
    assert fault in str(failed.value)


@pytest.mark.parametrize(
    ("base", "keys"),
    [
        (PERIODIC, {"stop_after_seconds": "10", "renew": "false", "dscp": "0", "weighting": "255"}),
        (PERIODIC, {"xpath": "", "filter_name": '"f"', "stop_time": f'"{TIME}"'}),
        (PERIODIC, {"dependency": '"4294967295"'}),
        (PERIODIC, {"encoding": '"ietf-later:encode-x"'}),
        (STREAM, {"namespaces": '{ a = "urn:a" }', "encoding": '"a:encode-x"'}),
        (ON_CHANGE, {"dampening_seconds": "0.01", "sync_on_start": "false"}),
        (ON_CHANGE, {"excluded_changes": '["create", "delete", "insert", "move", "replace"]'}),
        (STREAM, {}),
        (STREAM, {"subtree": "\"<e xmlns='urn:e'/>\"", "replay_seconds": "3600"}),
        (STREAM, {"stop_time": '"2026-01-01T00:00:01Z"', "replay_start_time": f'"{TIME}"'}),
    ],
)
def test_what_goes_together(base: dict[str, str], keys: dict[str, str]) -> None:
    assert len(parse(base, **keys).subscriptions) == 1


def test_properties() -> None:
    (periodic,) = parse(PERIODIC).subscriptions
    assert (periodic.asked_datastore, periodic.period) == ("operational", 10 * SECOND)
    (stream,) = parse(STREAM).subscriptions
    assert (stream.asked_datastore, stream.period, stream.asked_encoding) == (
        *(None, None),
        "encode-xml",
    )


def on(name: str, devices: str, dependency: str = "") -> str:
    more = {"dependency": f'"{dependency}"'} if dependency else {}
    return section(PERIODIC, name=f'"{name}"', devices=devices, **more)


DEVICES = "".join(
    f'[[device]]\nname = "{name}"\n[device.netconf]\nhost = "{name}"\nusername = "u"\n'
    'password_env = "P"\n'
    for name in ("core1", "core2")
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (on("a", '["*"]') + on("b", '["core1"]', "a"), ""),
        (on("a", '["core1", "core2"]') + on("b", '["core1"]', "a"), ""),
        (on("a", '["core1"]') + on("b", '["*"]', "a"), "a is not on all of its devices"),
        (on("a", '["core1"]') + on("b", '["core2"]', "a"), "a is not on all of its devices"),
        (
            on("a", '["*"]', "c") + on("b", '["*"]', "a") + on("c", '["*"]', "b"),
            "a would wait for itself",
        ),
        (on("a", '["*"]', "b") + on("b", '["*"]', "c") + on("c", '["*"]', "b"), "b would wait"),
    ],
)
def test_dependencies_exist_everywhere_and_form_no_ring(text: str, fault: str) -> None:
    if not fault:
        assert len(parse_config(DEVICES + text).subscriptions) == 2
        return
    with pytest.raises(ConfigError) as failed:
        parse_config(DEVICES + text)
    assert fault in str(failed.value)


@pytest.mark.parametrize(
    ("one", "other", "fault"),
    [
        ({"dscp": "16"}, {"dscp": "16"}, ""),
        ({"dscp": "16"}, {"dscp": "8", "transport": ""}, ""),
        ({"dscp": "16", "devices": '["core1"]'}, {"dscp": "8", "devices": '["core2"]'}, ""),
        ({"dscp": "0"}, {}, ""),
        ({"dscp": "16"}, {}, "a is on the same session with dscp 16"),
        ({}, {"dscp": "16", "devices": '["core2"]'}, "a is on the same session with dscp 0"),
    ],
)
def test_one_session_has_one_dscp(one: dict[str, str], other: dict[str, str], fault: str) -> None:
    """RFC 8639 §2.3."""
    on_session = {"transport": '"netconf"'}
    text = DEVICES + "".join(
        section(PERIODIC, name=f'"{name}"', **on_session | keys)
        for name, keys in (("a", one), ("b", other))
    )
    if not fault:
        assert len(parse_config(text).subscriptions) == 2
        return
    with pytest.raises(ConfigError) as failed:
        parse_config(text)
    assert f"subscription[2].dscp: {fault}" in str(failed.value)


def test_moments() -> None:
    expected = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    assert moment(TIME) == moment("2026-01-01T01:00:00+01:00") == expected
    assert moment("1970-01-01T00:00:00.000001Z") == 1000
    for text in ("2026-01-01T00:00:00", "2262-06-01T00:00:00Z", "1677-01-01T00:00:00Z", ""):
        with pytest.raises(ValueError):
            moment(text)
