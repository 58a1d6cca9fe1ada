"""Pinned host keys: what can be written, and what it is compared as."""

from __future__ import annotations

import pytest

from collector.config import parse_config, pinned_keys
from collector.errors import ConfigError
from collector.pipeline.settings import decode_config, encode_config

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
"""GitHub publishes both for its SSH servers: none of our own making."""
OTHER = "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"


@pytest.mark.parametrize(
    "text", [KEY, f"{KEY} core7", f"[192.0.2.7]:830 {KEY}", f"core7 {KEY} a comment"]
)
def test_a_public_key_and_its_fingerprint_are_the_same_pin(text: str) -> None:
    pins = pinned_keys([text])
    assert pins is not None
    assert (pins.fingerprints, pins.types) == ({FINGERPRINT}, ("ssh-ed25519",))


def test_with_a_fingerprint_any_type_may_come() -> None:
    pins = pinned_keys([KEY, OTHER, FINGERPRINT + "="])
    assert pins is not None
    assert (pins.fingerprints, pins.types) == ({FINGERPRINT, OTHER}, ())
    assert pinned_keys([]) is None


@pytest.mark.parametrize(
    "text",
    [
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 %%%%",
        KEY.replace("ssh-ed25519", "ssh-rsa"),
        "ssh-dss " + KEY.split()[1],
        "SHA256:",
        "SHA256:AAAA",
        "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
        "",
    ],
)
def test_what_is_no_host_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|neither"):
        pinned_keys([text])


NETCONF = """
[[device]]
name = "core7"
[device.netconf]
username = "u"
password_env = "P"
"""
ON = "[call_home]\nenabled = true\n"


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    return " ".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


@pytest.mark.clause("8071-3.1-c1")
def test_a_device_that_calls_home() -> None:
    text = ON + NETCONF + f'call_home = true\nhost_keys = ["{KEY}"]\n'
    config = parse_config(text)
    assert config.devices[0].sources == ()
    assert config.call_home.port == 4334  # RFC 8071 §6
    assert config.devices[0].netconf is not None
    assert config.devices[0].netconf.call_home
    assert decode_config(encode_config(config)).devices[0].netconf == config.devices[0].netconf


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (NETCONF, "device[1].netconf.host: this key is required"),
        (NETCONF + 'host = "a"\nhost_keys = ["x"]', "neither a public key nor a fingerprint"),
        (NETCONF + f'host = "a"\nhost_keys = ["{KEY}"]\nknown_hosts = "k"', "one of the two"),
        (ON + NETCONF + "call_home = true", "nobody would know which device calls"),
        (NETCONF + f'call_home = true\nhost_keys = ["{KEY}"]', "nobody listens for calls"),
        (ON + NETCONF + f'call_home = true\nhost = "a"\nhost_keys = ["{KEY}"]', "call_home or"),
        (
            ON + NETCONF + f'call_home = true\nsession = "ncclient"\nhost_keys = ["{KEY}"]',
            "calls are taken by asyncssh only",
        ),
        (ON + NETCONF + 'call_home = true\nhost_keys = ["x"]', "neither a public key"),
        ('[call_home]\naddress = "home"', "not an IP address"),
    ],
)
def test_what_cannot_be(text: str, word: str) -> None:
    assert word in fault(text)


def test_with_several_lanes_a_caller_is_known_by_its_address_too() -> None:
    caller = NETCONF + f'call_home = true\nhost_keys = ["{KEY}"]\n'
    lanes = "[collector]\nlanes = 2\n" + ON
    assert "device[1].sources: with several lanes a call reaches the lane" in fault(lanes + caller)
    name = 'name = "core7"\n'
    config = parse_config(lanes + caller.replace(name, f'{name}sources = ["192.0.2.7"]\n'))
    assert config.call_home.enabled


def test_a_key_belongs_to_one_caller() -> None:
    one = NETCONF + f'call_home = true\nhost_keys = ["{KEY}", "{OTHER}"]\n'
    two = one.replace("core7", "core8").replace(KEY, FINGERPRINT).replace(f', "{OTHER}"', "")
    found = fault(ON + one + two)
    assert f"device[2].netconf.host_keys: {FINGERPRINT} belongs to device core7 already" in found
