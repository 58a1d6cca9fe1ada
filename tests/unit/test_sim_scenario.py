"""Scenario files: what is taken, and how what is not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import ConfigError
from publisher_sim.cli.scenario_argument import packaged, read_scenario
from publisher_sim.scenario import load_scenario, parse_scenario

CARD = '[[card]]\nname = "lc1"\npublisher_id = 101\ninterfaces = ["eth1/0"]\n'
"""A table that most files below need."""


def fault(**values: object) -> str:
    lines = ["[[fault]]"]
    for key, value in values.items():
        lines.append(f"{key} = {value!r}" if not isinstance(value, str) else f'{key} = "{value}"')
    return CARD + "\n".join(lines) + "\n"


def test_an_empty_file_is_a_device_with_defaults() -> None:
    scenario = parse_scenario("")
    assert scenario.control_mode == "mso"
    assert scenario.netconf.port == 8300
    assert [one.name for one in scenario.publishers] == ["master"]
    assert scenario.effective_grace == 500_000_000
    assert scenario.grace is None


def test_every_packaged_scenario_can_be_used() -> None:
    assert "four-cards" in packaged()
    for name in packaged():
        assert read_scenario(name).card


def test_message_faults_last_one_tick_and_cards_stay_away() -> None:
    text = fault(kind="drop", at_period=5) + '[[fault]]\nkind="kill"\ncard="lc1"\nat_period=9\n'
    drop, kill = parse_scenario(text).fault
    assert (drop.until, kill.until) == (6, None)


def over(transport: str, more: str = "") -> str:
    return f"[receiver]\ntransport = '{transport}'\n{more}"


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("nam = 1", "", "unknown field"),
        ("periods = 'x'", "periods", "Expected `int`"),
        ("[[card]]\nname = 'a'", "card[0]", "publisher_id"),
        ("name = ''", "name", "is no name"),
        ('name = "core7\\n"', "name", "is no name"),
        (CARD.replace("eth1/0", r"eth\u0001"), "card[0].interfaces", "printable"),
        (CARD.replace("eth1/0", ""), "card[0].interfaces", "is no name"),
        (CARD + "transient = [' a']", "card[0].transient", "without blanks"),
        ("[master]\nhardware = ['']", "master.hardware", "is no name"),
        (CARD.replace("lc1", r"lc\u0000"), "card[0].name", "printable"),
        (CARD.replace("lc1", "x" * 256), "card[0].name", "255"),
        ("address = 'core7'", "address", "no address"),
        ("[receiver]\nport = 0", "receiver.port", "out of range"),
        ("[push]\nmax_segment_size = 20", "push.max_segment_size", "64 to 65507"),
        ("[push]\nencodings = []", "push.encodings", "is empty"),
        (
            "[push]\nencodings = ['encode-xml']\nencoding = 'encode-json'",
            "push.encoding",
            "encode-xml",
        ),
        (over("netconf", "[push]\nencodings = ['encode-cbor']"), "push.encodings", "over netconf"),
        (over("grpc-cisco", "[push]\nencodings = ['encode-xml']"), "push.encodings", "encode-gpb"),
        (over("grpc-huawei", "[push]\nheader = 'rfc5277'"), "push.header", "envelope"),
        (
            over("udp-notif", CARD + "generator_id = 'linecard 1'"),
            "card[0].generator_id",
            "netconf or https-notif",
        ),
        (
            "control_mode = 'distributed-notif-18'\n"
            + over("netconf", CARD + "generator_id = 'linecard 1'"),
            "card[0].generator_id",
            "mso",
        ),
        (over("netconf", CARD + "generator_id = '1'"), "card.generator_id", "used twice"),
        (over("tcp"), "receiver.transport", "tcp"),
        (over("dtls", "[receiver.tls]\ncertificate = 'a.pem'"), "receiver.tls.key", "both"),
        (over("netconf", fault(kind="corrupt", at_period=9)), "fault[0].kind", "udp-notif or dtls"),
        (
            over("https-notif", fault(kind="drop", at_period=9) + "datagrams = true\n"),
            "fault[0].datagrams",
            "not cut",
        ),
        ("grace_seconds = 0.0", "grace_seconds", "out of range"),
        ("[master]\nloss_detection_seconds = 4", "master.loss_detection_seconds", "0 to 3"),
        (CARD.replace("101", "1"), "card.publisher_id", "used twice"),
        ("[master]\ninterfaces = ['eth1/0']\n" + CARD, "card.interfaces", "used twice"),
        (CARD + "phase = 0.4\narc = 0.1", "card[0].phase", "0.45"),
        (fault(kind="burn", at_period=5), "fault[0].kind", "burn"),
        (fault(kind="drop", at_period=4), "fault[0].at_period", "fifth period"),
        (fault(kind="drop", at_period=9, until_period=9), "fault[0].until_period", "not after"),
        (fault(kind="drop", at_period=9, until_period=59), "fault[0].until_period", "two periods"),
        (fault(kind="drop", at_period=9, probability=1.5), "fault[0].probability", "0 to 1"),
        (fault(kind="drop", at_period=9, card="lc9"), "fault[0].card", "lc1, master"),
        (fault(kind="kill", at_period=9, card="master"), "fault[0].card", "lc1"),
        (fault(kind="move", at_period=9, card="lc1"), "fault[0].moves_to", "take over"),
        (fault(kind="delay", at_period=9, seconds=0.5), "fault[0].seconds", "below 0.25"),
        (fault(kind="delay", at_period=9, seconds=25.0), "fault[0].seconds", "to 20"),
        (fault(kind="reorder", at_period=9, seconds=0.3), "fault[0].seconds", "below 0.25"),
        (fault(kind="clock_skew", at_period=9, seconds=0.5), "fault[0].seconds", "half a period"),
        (
            fault(kind="delay", at_period=9, until_period=11, seconds=1.2),
            "fault[0].until_period",
            "several ticks",
        ),
        ("x = ", "", "not TOML"),
        (fault(kind="suspend", at_period=9, reason="rain"), "fault[0].reason", "unsupportable"),
        (fault(kind="drop", at_period=9, reason="rain"), "fault[0].reason", "allowed: none"),
        ("[receiver]\naddress = '::1'", "receiver.address", "IPv4 for both"),
        ("control_mode = 'other'", "control_mode", "other"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, key: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text, file="device.toml")
    assert caught.value.file == "device.toml"
    assert caught.value.key == key
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("transport", "header", "numbers"),
    [
        ("udp-notif", "rfc5277", "message-id"),
        ("dtls", "envelope", "message-id"),
        ("https-notif", "envelope", "sequence-number"),
        ("https-notif", "rfc5277", "none"),
        ("netconf", "envelope", "sequence-number"),
        ("netconf", "notification-messages", "sequence-number"),
        ("grpc-cisco", "envelope", "none"),
        ("grpc-huawei", "envelope", "sequence-number"),
    ],
)
def test_which_numbers_show_a_loss(transport: str, header: str, numbers: str) -> None:
    found = parse_scenario(over(transport, f"[push]\nheader = '{header}'"))
    assert found.continuity == numbers
    assert found.encoding == found.encodings[0]


@pytest.mark.parametrize("text", [":4334", "a:", "a:x", "a:0", "a:70000"])
def test_nobody_to_call(text: str) -> None:
    with pytest.raises(ConfigError, match="is nobody to call") as caught:
        parse_scenario(f'[netconf]\ncall_home = "{text}"')
    assert caught.value.key == "netconf.call_home"


def test_somebody_has_to_come_or_to_be_called() -> None:
    with pytest.raises(ConfigError, match="nobody could come"):
        parse_scenario("[netconf]\nlisten = false")
    called = parse_scenario('[netconf]\nlisten = false\ncall_home = "[::1]:4000"')
    assert called.netconf.collector == ("::1", 4000)


def test_late_delays_keep_their_distance() -> None:
    one = fault(kind="delay", at_period=10, seconds=1.2)
    other = '[[fault]]\nkind = "delay"\nat_period = 20\nseconds = 1.2\n'
    with pytest.raises(ConfigError, match="20 periods apart"):
        parse_scenario(one + other)
    assert parse_scenario(one + other.replace("20", "30"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_scenario(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="four-cards"):
        read_scenario("no-such-scenario")


def test_packaged_devices_can_all_run_on_one_machine() -> None:
    addresses = [read_scenario(name).address for name in packaged()]
    assert len(set(addresses)) == len(addresses)
