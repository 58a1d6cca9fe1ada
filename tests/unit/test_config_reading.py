"""The configuration: what is taken, what is refused, and what the refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.config import (
    FAULTS_SHOWN,
    Config,
    check_config,
    device_of_source,
    load_config,
    parse_config,
    read_config_table,
    redacted,
)
from collector.errors import ConfigError
from collector.model import SECOND

DEVICE = """
[[device]]
name = "core7"
sources = ["192.0.2.7", "::ffff:192.0.2.71"]
[device.netconf]
host = "core7.example.net"
username = "telemetry"
password_env = "CORE7_PASSWORD"
"""
SUBSCRIPTION = """
[[subscription]]
name = "counters"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 10
"""


def faults(text: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "c.toml"
    file.write_text(text)
    config, found = check_config(file)
    assert (config is None) == bool(found)
    return [str(fault).removeprefix(f"{file}: ") for fault in found]


def test_an_empty_file_is_a_configuration_with_the_promised_defaults() -> None:
    config = parse_config("")
    assert (config.udp_notif.address, config.udp_notif.port) == ("127.0.0.1", 10003)
    assert (config.metrics.address, config.metrics.port) == ("127.0.0.1", 9464)
    assert config.reassembly.window_seconds == 10
    assert config.reassembly.max_segments == 128
    assert config.reassembly.max_message_bytes == 256 * 1024
    assert config.journal.commit_interval_ms == 20
    assert config.journal.segment_bytes == 64 * 2**20
    assert config.verdicts.forget_after_seconds == 24 * 3600
    assert config.devices == () == config.subscriptions


def test_devices_and_subscriptions_are_read_in_one_spelling() -> None:
    config = parse_config(DEVICE + SUBSCRIPTION)
    device, subscription = config.devices[0], config.subscriptions[0]
    assert device.sources == ("192.0.2.7", "192.0.2.71")
    assert device_of_source(config) == {"192.0.2.7": "core7", "192.0.2.71": "core7"}
    assert device.netconf is not None
    assert device.netconf.port == 830
    assert subscription.period == 10 * SECOND
    assert subscription.anchor_time is None
    assert subscription.grace is None


def test_an_address_as_host_is_the_source_where_none_is_given() -> None:
    text = DEVICE.replace('sources = ["192.0.2.7", "::ffff:192.0.2.71"]', "")
    config = parse_config(text.replace("core7.example.net", "2001:DB8::7"))
    assert config.devices[0].sources == ("2001:db8::7",)


def test_anchor_and_grace_are_given_in_ns() -> None:
    config = parse_config(
        DEVICE + SUBSCRIPTION + 'anchor = "2026-01-01T12:00:00+01:00"\ngrace_seconds = 0.25\n'
    )
    assert config.subscriptions[0].anchor_time == 1_767_265_200 * SECOND
    assert config.subscriptions[0].grace == SECOND // 4


def test_periods_of_hundredths_of_a_second_are_exact() -> None:
    config = parse_config(DEVICE + SUBSCRIPTION.replace("10\n", "0.29\n"))
    assert config.subscriptions[0].period == 290_000_000


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        '[collector]\ndata_dir = "d"\n[alerts]\nfile = "/var/a.jsonl"\n'
        + DEVICE.replace('password_env = "CORE7_PASSWORD"', 'password_file = "p"\nkey_file = "k"')
    )
    config = load_config(file)
    assert config.collector.data_dir == str(tmp_path / "d")
    assert config.alerts.file == "/var/a.jsonl"
    netconf = config.devices[0].netconf
    assert netconf is not None
    assert netconf.password_file == str(tmp_path / "p")
    assert netconf.key_file == str(tmp_path / "k")


def test_generator_names_are_keyed_by_header_id_or_address() -> None:
    config = parse_config(
        DEVICE + '[device.generators]\n"007" = "linecard 7"\n"2001:DB8::1" = "linecard 1"\n'
    )
    assert config.devices[0].generators == {"7": "linecard 7", "2001:db8::1": "linecard 1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[udp_notif]\nprot = 1", "udp_notif.prot: unknown key, did you mean port?"),
        ("[udpnotif]\n", "udpnotif: unknown key, did you mean udp_notif?"),
        (
            "[[subscription]]\nmode = 'auto'",
            "subscription[1].mode: this is read from what the device says; leave it out",
        ),
        (
            "[udp_notif]\nport = 70000",
            "udp_notif.port: 70000 cannot be used (allowed: a whole number from 0 to 65535)",
        ),
        (
            "[udp_notif]\nport = true",
            "udp_notif.port: true cannot be used (allowed: a whole number from 0 to 65535)",
        ),
        (
            "[reassembly]\nwindow_seconds = nan",
            "reassembly.window_seconds: nan cannot be used"
            " (allowed: a number above 0 up to 20)",
        ),
        (
            "[reassembly]\nwindow_seconds = 20.5",
            "reassembly.window_seconds: 20.5 cannot be used"
            " (allowed: a number above 0 up to 20)",
        ),
        (
            '[collector]\nlog_level = "loud"',
            'collector.log_level: "loud" cannot be used'
            ' (allowed: one of "debug", "error", "info", "warning")',
        ),
        (
            '[udp_notif]\naddress = "localhost"',
            'udp_notif.address: "localhost" is not an IP address'
            ' (allowed: an address as "127.0.0.1" or "::")',
        ),
        (
            "udp_notif = 3",
            "udp_notif: 3 is not a section (allowed: [udp_notif] with keys under it)",
        ),
        (
            "[device]\nname = 'a'",
            "device: [device] stands for one section (allowed: [[device]], which can be repeated)",
        ),
        (
            "[alerts]\ncommand = 'rm -rf'",
            'alerts.command: "rm -rf" cannot be used (allowed: a list [..] of texts)',
        ),
        (
            "[reassembly]\nmax_half_built = 1",
            "reassembly.max_half_built_per_peer: more than max_half_built for all peers",
        ),
        (
            "[https_notif]\nenabled = true",
            "https_notif.certificate_file: TLS needs it (allowed: a file in PEM)",
        ),
        ("[https_notif]\npath = '/'", None),
        ("[https_notif]\nenabled = true\nplain_http = true", None),
        (
            "[https_notif]\nenabled = true\nplain_http = true\naddress = '::'",
            "https_notif.plain_http: it would go unprotected over the network (allowed: TLS)",
        ),
        (
            "[https_notif]\npath = '/a?b'",
            'https_notif.path: "/a?b" is not a path (allowed: "/yang-push")',
        ),
        (
            "[dtls]\nenabled = true\ncertificate_file = 'c'\nkey_file = 'k'",
            "dtls.client_ca_file: nobody could be verified without it "
            "(allowed: a file in PEM, or client_certificates = \"none\")",
        ),
        (
            "[grpc_dialout]\nenabled = true\nplaintext = true\naddress = '0.0.0.0'",
            "grpc_dialout.plaintext: it would go unprotected over the network (allowed: TLS,"
            " or insecure = true)",
        ),
        ("[grpc_dialout]\nenabled = true\nplaintext = true", None),
        (
            "[collector]\nlanes = 2\n[grpc_dialout]\nenabled = true\nplaintext = true",
            "grpc_dialout.enabled: only UDP-notif is steered to several lanes (allowed: lanes = 1)",
        ),
        (
            "[[device]]\nname = 'a'",
            "device[1].sources: a device needs addresses that it sends from, certificates, or "
            "[device.netconf]",
        ),
        (
            "[[device]]\nname = 'a'\nsources = ['core7']",
            'device[1].sources: "core7" is not an IP address (allowed: addresses, no names)',
        ),
        (
            "[[device]]\nname = 'a'\nsources = ['192.0.2.1']\n[device.generators]\nx = 'b'",
            'device[1].generators."x": neither a Message Publisher ID nor an address'
            " (allowed: 0 to 4294967295, or an IP address)",
        ),
        (
            "[[device]]\nname = 'a'\nsources = ['192.0.2.1']\n[[device]]\nname = 'b'\n"
            "sources = ['::ffff:192.0.2.1']",
            "device[2].sources: 192.0.2.1 belongs to device a already",
        ),
        (
            "[[device]]\nname = 'a'\ncertificates = ['c.example']\n[[device]]\nname = 'b'\n"
            "certificates = ['C.example', 'd.example']",
            "device[2].certificates: C.example belongs to device a already",
        ),
        (
            "[[device]]\nname = 'a'\nsources = ['192.0.2.1']\n" * 2,
            'device[2].name: "a" is taken by device[1] already',
        ),
        (
            DEVICE + "port = 0",
            "device[1].netconf.port: 0 cannot be used"
            " (allowed: a whole number from 1 to 65535)",
        ),
        (
            DEVICE + 'password = "hunter2"',
            "device[1].netconf.password: a secret does not belong into this file"
            " (allowed: password_file or password_env)",
        ),
        (
            DEVICE + 'password_file = "p"',
            "device[1].netconf.password_env: password_file is there too (allowed: one of the two)",
        ),
        (
            DEVICE.replace('password_env = "CORE7_PASSWORD"', ""),
            "device[1].netconf: no way to log in is given"
            " (allowed: password_file, password_env or key_file)",
        ),
        (
            DEVICE + 'key_passphrase_env = "p"',
            "device[1].netconf.key_file: a passphrase without a private key"
            " (allowed: key_file too)",
        ),
        (
            DEVICE + 'key_file = "k"\nkey_passphrase_env = "p"\nkey_passphrase_file = "p"',
            "device[1].netconf.key_passphrase_env: key_passphrase_file is there too"
            " (allowed: one of the two)",
        ),
        (
            DEVICE + 'device_handler = "iosxr"',
            'device[1].netconf.device_handler: works only with session = "ncclient"',
        ),
        (
            DEVICE.replace("username", "user"),
            "device[1].netconf.user: unknown key, did you mean username?",
        ),
        (
            DEVICE + SUBSCRIPTION + "devices = ['core8']",
            'subscription[1].devices: no device is called "core8" (allowed: "*", core7)',
        ),
        (
            "[[device]]\nname = 'a'\nsources = ['192.0.2.1']\n" + SUBSCRIPTION + "devices = ['a']",
            "subscription[1].devices: device a has no [device.netconf] to subscribe over",
        ),
        (
            SUBSCRIPTION + "subtree = '<a/>'",
            "subscription[1]: what to subscribe to (allowed: either xpath, subtree or filter_name)",
        ),
        (
            SUBSCRIPTION.replace("xpath", "subtree"),
            None,
        ),
        (
            SUBSCRIPTION.replace('xpath = "/ietf-interfaces:interfaces"', "subtree = '<a><b></a>'"),
            "subscription[1].subtree: not well-formed XML"
            " (mismatched tag: line 1, column 16)",
        ),
        (
            SUBSCRIPTION.replace("/ietf", "ietf"),
            'subscription[1].xpath: "ietf-interfaces:interfaces" does not start at the root'
            " (allowed: /module:node/..)",
        ),
        (
            SUBSCRIPTION.replace("10\n", "0.015\n"),
            "subscription[1].period_seconds: periods go in steps of 0.01 s (RFC 8641 §4.2)",
        ),
        (
            SUBSCRIPTION.replace("period_seconds = 10", ""),
            "subscription[1].period_seconds: when updates are sent"
            " (allowed: a number, or on_change = true)",
        ),
        (
            SUBSCRIPTION + "anchor = '2026-01-01T00:00:00'",
            'subscription[1].anchor: "2026-01-01T00:00:00" cannot be used'
            ' (allowed: "auto" or an RFC 3339 time with zone, as 2026-01-01T00:00:00Z)',
        ),
        (
            SUBSCRIPTION + "transport = 'netconf'\nencoding = 'encode-json'",
            "subscription[1].encoding: encode-json does not go over a NETCONF session"
            " (RFC 8640, section 6) (allowed: encode-xml)",
        ),
        (
            SUBSCRIPTION + "anchor = 'noon'",
            'subscription[1].anchor: "noon" cannot be used'
            ' (allowed: "auto" or an RFC 3339 time with zone, as 2026-01-01T00:00:00Z)',
        ),
    ],
)  # fmt: skip
def test_a_fault_names_the_key_and_what_is_allowed(
    text: str, expected: str | None, tmp_path: Path
) -> None:
    found = faults(text, tmp_path)
    assert found[:1] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("webhook", "good"),
    [
        ("https://alerts.example.net/x?token=abc", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://alerts.example.net/x?token=abc", False),
        ("ftp://localhost/", False),
        ("file:///etc/passwd", False),
        ("https:///x", False),
        ("https://[::1", False),
        ("alerts", False),
    ],
)
def test_a_webhook_is_https_or_stays_on_this_machine(
    webhook: str, good: bool, tmp_path: Path
) -> None:
    found = faults(f'[alerts]\nwebhook = "{webhook}"', tmp_path)
    assert (found == []) == good
    assert "token" not in "".join(found)


def test_all_faults_are_found_at_once_and_the_first_is_raised(tmp_path: Path) -> None:
    text = "[udp_notif]\nport = -1\nprot = 2\n[[device]]\nname = ''\nsources = []\n"
    found = faults(text, tmp_path)
    assert [fault.split(":")[0] for fault in found] == [
        "udp_notif.prot",
        "udp_notif.port",
        "device[1].name",
    ]
    with pytest.raises(ConfigError) as raised:
        parse_config(text, file="c.toml")
    assert raised.value.key == "udp_notif.prot"
    assert raised.value.file == "c.toml"
    assert len(raised.value.__notes__) == 2


def test_a_wrong_value_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    found = faults('[collector]\nlog_level = "\\u001b[2J' + "x" * 500 + '"', tmp_path)
    assert "\x1b" not in found[0]
    assert len(found[0]) < 200


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xff", "UTF-8"),
        (b"[udp_notif", "not TOML"),
        (b"a = " + b"[" * 100_000, "not TOML"),
        (b" " * (16 * 2**20 + 1), "16"),
    ],
)
def test_a_file_that_is_no_configuration(content: bytes, word: str, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(content)
    config, found = check_config(file)
    assert config is None
    assert word in str(found[0])


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file or directory; collector init"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path)


def test_the_journal_gets_no_token(tmp_path: Path) -> None:
    text = (
        "[alerts]\nwebhook = 'https://user:pass@h.example/path?token=t0ken'\n"
        "command = ['/bin/page', '--key', 's3cret']\n"
    )
    plain = redacted(parse_config(text + DEVICE))
    shown = repr(plain)
    assert plain["alerts"]["webhook"] == "https://h.example/..."
    assert plain["alerts"]["command"] == ["/bin/page", "..."]
    assert "t0ken" not in shown
    assert "s3cret" not in shown
    assert "pass@" not in shown
    assert plain["device"][0]["netconf"]["password_env"] == "CORE7_PASSWORD"


def test_plain_tables_go_through_the_same_checks() -> None:
    assert read_config_table({}) == parse_config("")
    with pytest.raises(ConfigError, match=r"^command line: udp_notif\.port"):
        read_config_table({"udp_notif": {"port": "x"}}, file="command line")


def test_a_configuration_cannot_be_changed() -> None:
    config = parse_config("")
    assert isinstance(config, Config)
    with pytest.raises(AttributeError):
        config.udp_notif.port = 1  # type: ignore[misc]


def test_a_mistake_in_every_section_does_not_fill_the_screen() -> None:
    text = "".join(f'[[device]]\nname = "r{one}"\naddress = "x"\n' for one in range(1000))
    with pytest.raises(ConfigError) as raised:
        parse_config(text)
    notes = raised.value.__notes__
    assert len(notes) == FAULTS_SHOWN
    assert notes[-1] == "and 980 more: collector check-config"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (r'xpath = "/m:x\u0007"', "xpath"),
        (r'namespaces = { m = "urn:\u0001" }', "namespaces"),
        (r'module_versions = { "m\u001b" = "1" }', "module_versions"),
        (r'stop_time = "\u007f"', "stop_time"),
    ],
)
def test_what_no_message_can_carry_is_refused(tmp_path: Path, line: str, key: str) -> None:
    (fault,) = faults(f'[[subscription]]\nname = "s"\nstream = "x"\n{line}\n', tmp_path)
    assert fault.startswith(f"subscription[1].{key}: ")
    assert fault.endswith("cannot be used (allowed: text without control characters)")


def test_a_name_does_not_end_with_a_line(tmp_path: Path) -> None:
    (fault,) = faults('[[device]]\nname = "core7\\n"\n', tmp_path)
    assert fault.startswith('device[1].name: "core7?" cannot be used')


def test_an_xpath_may_have_several_lines(tmp_path: Path) -> None:
    assert faults(SUBSCRIPTION.replace('faces"', 'faces\\n\\t/a:b"'), tmp_path) == []


def test_octets_that_are_no_text_are_refused() -> None:
    """As the command line gives them."""
    table = {"subscription": [{"name": "s", "stream": "x", "xpath": "/m:\udcff"}]}
    with pytest.raises(ConfigError, match="text without control characters"):
        read_config_table(table, file="command line")
