"""Subscriptions that are configured on devices: their keys, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collector.config import KnownSubscriptionSettings, check_config, parse_config
from collector.pipeline.settings import engine_settings
from collector.service.configured_watch import configured_ids
from collector.subscriber.wanted import wanted_from

CONFIG = """
[[device]]
name = "core7"
[device.netconf]
host = "192.0.2.7"
username = "telemetry"
password_env = "CORE7_PASSWORD"
[[receiver_instance]]
name = "here"
address = "192.0.2.1"
port = 10003
[[receiver_instance]]
name = "web"
transport = "https"
address = "192.0.2.1"
port = 8443
tls = true
[[subscription]]
name = "counters"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 10
configured_id = 100
receivers = ["here"]
expect = ["101"]
"""


def faults(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = CONFIG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "c.toml"
    file.write_text(text)
    _, found = check_config(file)
    return [str(fault).removeprefix(f"{file}: ") for fault in found]


def test_it_is_known_by_its_name_and_never_asked_for() -> None:
    config = parse_config(CONFIG)
    (access,), wanted = wanted_from(config)
    assert wanted == ()
    assert access.looked_at
    (unasked,), _ = wanted_from(parse_config(CONFIG + "[cross_check]\ninterval_seconds = 0"))
    assert not unasked.looked_at
    known = engine_settings(config).for_id("core7", 100)
    assert known is not None
    assert (known.name, known.expect) == ("counters", ("101",))
    assert known.terms is not None
    assert known.terms.period == 10_000_000_000


def test_what_fits_together(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


HERE, ID = 'receivers = ["here"]', "configured_id = 100"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ([(ID, "")], "subscription[1].receivers: only what is configured"),
        ([(HERE, HERE + "\nconfigured_replay = true")], "only what a stream kept"),
        ([(HERE, "")], "subscription[1].receivers: nobody would get it"),
        ([(HERE, 'receivers = ["there"]')], 'no receiver instance is called "there"'),
        ([(HERE, 'receivers = ["here", "web"]')], "one transport for all"),
        ([(HERE, HERE + '\ntransport = "netconf"')], "subscription[1].transport: nobody's session"),
        ([(HERE, 'receivers = ["web"]\nencoding = "encode-cbor"')], "does not go over https"),
        ([(HERE, HERE + '\nencoding = "encode-gpb"')], "does not go over udp-notif"),
        ([(HERE, HERE + "\nstop_after_seconds = 60")], "settled when a device is asked"),
        ([('name = "web"', 'name = "here"')], '"here" is taken'),
        ([("tls = true", 'spelling = "udp-notif-26"')], "is not of https"),
        ([("tls = true", 'tls_parameters = "<a/>"')], "no meaning without tls"),
        ([("tls = true", 'tls = true\ntls_parameters = "<a>"')], "not well-formed"),
        (
            [("[[subscription]]", '[[subscription]]\nname = "twin"\nxpath = "/a:b"\n'
              'on_change = true\nconfigured_id = 100\nreceivers = ["here"]\n[[subscription]]')],
            "100 is that of subscription[1]",
        ),
    ],
)  # fmt: skip
def test_what_does_not(tmp_path: Path, changes: list[tuple[str, str]], word: str) -> None:
    found = faults(tmp_path, *changes)
    assert any(word in fault for fault in found), found


def test_the_same_id_on_other_devices(tmp_path: Path) -> None:
    other = (
        CONFIG[: CONFIG.index("[[receiver_instance]]")]
        .replace("core7", "core8")
        .replace("192.0.2.7", "192.0.2.8")
    )
    subscription = CONFIG[CONFIG.index("[[subscription]]") :]
    text = CONFIG.replace(ID, ID + '\ndevices = ["core7"]') + other + subscription.replace(
        ID, ID + '\ndevices = ["core8"]'
    ).replace('"counters"', '"others"')  # fmt: skip
    file = tmp_path / "c.toml"
    file.write_text(text)
    assert check_config(file)[1] == []


def test_the_ids_of_what_is_configured() -> None:
    """With the id that it was found under on a device."""
    config = parse_config(CONFIG)
    assert configured_ids(config) == {"core7": {"counters": (100,)}}
    taken = KnownSubscriptionSettings(id=7, devices=("core7",), name="counters")
    under_another = msgspec.structs.replace(config, known_subscriptions=(taken,))
    assert configured_ids(under_another) == {"core7": {"counters": (7, 100)}}
    nowhere = CONFIG.replace(ID, ID + '\ndevices = ["core8"]').replace("core7", "core8") + (
        '[[device]]\nname = "core9"\nsources = ["192.0.2.9"]\n'
    )
    assert list(configured_ids(parse_config(nowhere))) == ["core8"]


def test_what_is_put_back_has_to_be_looked_for(tmp_path: Path) -> None:
    restore = [(ID, ID + "\nconfigured_restore = true")]
    assert faults(tmp_path, *restore) == []
    never = "[cross_check]\ninterval_seconds = 0\n[[device]]"
    looks = [*restore, ("[[device]]", never)]
    assert any("nobody finds a loss" in fault for fault in faults(tmp_path, *looks))
