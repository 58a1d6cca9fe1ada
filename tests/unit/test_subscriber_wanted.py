"""Terms that are asked for, and the way from the configuration to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from collector.config import parse_config
from collector.errors import ConfigError, ProtocolError
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.subscriber.asked import anchor_after, anchor_offset, can_modify, terms_to_ask
from collector.subscriber.exchanges.refusals import can_heal
from collector.subscriber.sessions.session import SessionSettings
from collector.subscriber.wanted import by_device, wanted_from

TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
    period=60 * SECOND,
    encoding="encode-json",
)


def seconds(number: float) -> CollectorTime:
    return CollectorTime(round(number * SECOND))


@pytest.mark.parametrize(
    ("now", "period", "offset", "anchor"),
    [
        (0.0, 60, 0, 60),
        (57.9, 60, 0, 60),
        (58.0, 60, 0, 60),
        (58.1, 60, 0, 120),
        (1000.0, 1, 0, 1002),
        (1000.1, 1, 0, 1003),
        (58.0, 60, 7, 67),
        (66.0, 60, 7, 127),
        (5.0, 60, 7, 7),
    ],
)
def test_anchor(now: float, period: int, offset: int, anchor: int) -> None:
    found = anchor_after(seconds(now), period * SECOND, offset * SECOND)
    assert found == DeviceTime(anchor * SECOND)


def test_offsets_spread_many_devices_and_stay() -> None:
    names = [f"core{number}" for number in range(1000)]
    assert {anchor_offset(name, 60 * SECOND, 50) for name in names} == {0}
    offsets = [anchor_offset(name, 60 * SECOND, 51) for name in names]
    assert all(0 <= offset < 60 * SECOND and offset % 10_000_000 == 0 for offset in offsets)
    per_second = [sum(o // SECOND == s for o in offsets) for s in range(60)]
    assert max(per_second) < 50, "a thousand devices fall on 60 seconds"
    # the check value of CRC-32 (ISO-HDLC), modulo 6000 hundredths
    assert anchor_offset("123456789", 60 * SECOND, 51) == 0xCBF43926 % 6000 * 10_000_000
    assert anchor_offset("core1", 1, 51) == 0


def test_anchor_and_encoding_are_filled_in() -> None:
    asked = terms_to_ask(replace(TERMS, encoding=None), "core1", seconds(100), 1)
    assert asked == replace(TERMS, encoding="encode-xml", anchor_time=DeviceTime(120 * SECOND))
    assert terms_to_ask(TERMS, "core1", seconds(100), 1).encoding == "encode-json"
    fixed = replace(TERMS, anchor_time=DeviceTime(7))
    assert terms_to_ask(fixed, "core1", seconds(100), 100) == fixed
    on_change = replace(TERMS, period=None, on_change=OnChange())
    assert terms_to_ask(on_change, "core1", seconds(100), 1) == on_change


@pytest.mark.parametrize(
    ("change", "can"),
    [
        ({}, True),
        ({"period": SECOND}, True),
        ({"anchor_time": DeviceTime(1)}, True),
        ({"stop_time": DeviceTime(1)}, True),
        ({"selection_filter": SelectionFilter("xpath", "/other:things")}, True),
        ({"encoding": "encode-xml"}, False),
        ({"datastore": "running"}, False),
        ({"dscp": 8}, False),
        ({"period": None, "on_change": OnChange()}, False),
    ],
)
def test_what_modify_subscription_can_change(change: dict[str, object], can: bool) -> None:
    assert can_modify(TERMS, replace(TERMS, **change)) is can


@pytest.mark.parametrize(
    ("tag", "identity", "heals"),
    [
        ("resource-denied", "insufficient-resources", True),
        ("resource-denied", "", True),
        ("operation-failed", "", True),
        ("operation-failed", "unchanging-selection", False),
        ("invalid-value", "period-unsupported", False),
        ("operation-not-supported", "", False),
        ("access-denied", "", False),
        ("unknown-element", "", False),
    ],
)
def test_refusals_that_heal(tag: str, identity: str, heals: bool) -> None:
    assert can_heal(ProtocolError("no", tag=tag, identity=identity)) is heals


CONFIG = """
[[device]]
name = "core1"
[device.netconf]
host = "192.0.2.1"
username = "collector"
password_env = "CORE1_PASSWORD"
rpc_timeout_seconds = 5
[[device]]
name = "core2"
sources = ["192.0.2.2"]
[[device]]
name = "core3"
[device.netconf]
host = "2001:db8::3"
port = 2022
username = "collector"
key_file = "/keys/id"
known_hosts = "/keys/known_hosts"
session = "ncclient"
device_handler = "iosxr"
[[subscription]]
name = "interfaces"
xpath = "/if:interfaces"
namespaces = { if = "urn:ietf:params:xml:ns:yang:ietf-interfaces" }
period_seconds = 10
[[subscription]]
name = "hardware"
devices = ["core3"]
subtree = "<hardware/>"
period_seconds = 0.5
encoding = "encode-xml"
anchor = "2026-01-01T00:00:00Z"
expect = ["linecard1"]
"""


def test_from_the_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    devices, wanted = wanted_from(parse_config(CONFIG, file=str(tmp_path / "c.toml")))
    assert [(device.name, device.session) for device in devices] == [
        ("core1", "asyncssh"),
        ("core3", "ncclient"),
    ]
    one, three = (device.settings for device in devices)
    assert (one.host, one.port, one.username) == ("192.0.2.1", 830, "collector")
    assert (one.rpc_timeout, one.connect_timeout) == (5 * SECOND, 10 * SECOND)
    assert (one.known_hosts, one.key_file) == ("~/.ssh/known_hosts", "")
    assert (three.key_file, three.known_hosts) == ("/keys/id", "/keys/known_hosts")
    assert (three.device_handler, three.where) == ("iosxr", "[2001:db8::3]:2022")

    assert one.password is not None
    assert three.password is not None
    monkeypatch.delenv("CORE1_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="CORE1_PASSWORD"):
        one.password()
    monkeypatch.setenv("CORE1_PASSWORD", "very secret")
    assert one.password() == "very secret"
    assert three.password() is None
    assert "very secret" not in repr(devices)

    assert [(each.name, each.device) for each in wanted] == [
        ("interfaces", "core1"),
        ("interfaces", "core3"),
        ("hardware", "core3"),
    ]
    assert wanted[0].expect is None
    assert wanted[2].expect == ("linecard1",)
    assert wanted[0].terms == SubscriptionTerms(
        datastore="operational",
        selection_filter=SelectionFilter(
            "xpath", "/if:interfaces", {"if": "urn:ietf:params:xml:ns:yang:ietf-interfaces"}
        ),
        period=10 * SECOND,
        encoding="encode-json",
    )
    assert wanted[2].terms == SubscriptionTerms(
        datastore="operational",
        selection_filter=SelectionFilter("subtree", "<hardware/>"),
        period=SECOND // 2,
        anchor_time=DeviceTime(1_767_225_600 * SECOND),
        encoding="encode-xml",
    )
    assert by_device(wanted)["core3"].keys() == {"interfaces", "hardware"}


def test_on_the_session_updates_are_xml(tmp_path: Path) -> None:
    file = str(tmp_path / "c.toml")
    text = CONFIG.replace('name = "interfaces"', 'name = "interfaces"\ntransport = "netconf"')
    _, wanted = wanted_from(parse_config(text, file=file))
    assert wanted[0].terms.encoding == "encode-xml"


def test_the_same_configuration_reads_as_the_same_access(tmp_path: Path) -> None:
    file = str(tmp_path / "c.toml")
    assert wanted_from(parse_config(CONFIG, file=file)) == wanted_from(
        parse_config(CONFIG, file=file)
    )


def test_where() -> None:
    assert SessionSettings("core1.example", "u").where == "core1.example:830"
