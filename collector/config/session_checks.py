"""Checks of ``[device.netconf]`` and ``[call_home]``: how a device is known, how to log in.

Rules: as in ``checks``.
"""

from __future__ import annotations

from collections.abc import Iterable

from collector.config.host_keys import ALLOWED, pinned_keys
from collector.config.reading import Faults
from collector.config.sessions import NetconfSettings
from collector.config.settings import Config, DeviceSettings


def check_netconf(netconf: NetconfSettings, faults: Faults, key: str) -> None:
    """One ``[device.netconf]``; ``key`` is its dotted name."""
    _check_log_in(netconf, faults, key)
    _check_peer(netconf, faults, key)
    if netconf.device_handler != "default" and netconf.session != "ncclient":
        faults.add(f"{key}.device_handler", 'works only with session = "ncclient"')


def _check_log_in(netconf: NetconfSettings, faults: Faults, key: str) -> None:
    if netconf.password_file is not None and netconf.password_env is not None:
        faults.add(f"{key}.password_env", "password_file is there too", "one of the two")
    if netconf.key_passphrase_file is not None and netconf.key_passphrase_env is not None:
        faults.add(
            f"{key}.key_passphrase_env", "key_passphrase_file is there too", "one of the two"
        )
    if netconf.key_file is None and (netconf.key_passphrase_file or netconf.key_passphrase_env):
        faults.add(f"{key}.key_file", "a passphrase without a private key", "key_file too")
    if not (netconf.password_file or netconf.password_env or netconf.key_file):
        faults.add(key, "no way to log in is given", "password_file, password_env or key_file")


def _check_peer(netconf: NetconfSettings, faults: Faults, key: str) -> None:
    """Where it is, and which key it has to show."""
    try:
        pins = pinned_keys(netconf.host_keys)
    except ValueError as error:
        faults.add(f"{key}.host_keys", str(error), ALLOWED)
        pins = None
    else:
        if netconf.call_home and pins is None:
            text = "nobody would know which device calls (RFC 8071, section 3.1)"
            faults.add(f"{key}.host_keys", text, ALLOWED)
    if netconf.host_keys and netconf.known_hosts is not None:
        faults.add(f"{key}.known_hosts", "host_keys is there too", "one of the two")
    if not netconf.call_home:
        if not netconf.host:
            faults.add(f"{key}.host", "this key is required", "text, not empty")
        return
    if netconf.host:
        faults.add(f"{key}.host", "the device calls, nobody connects to it", "call_home or host")
    if netconf.session != "asyncssh":
        faults.add(f"{key}.session", "calls are taken by asyncssh only", '"asyncssh"')


def check_call_home(config: Config, devices: Iterable[DeviceSettings], faults: Faults) -> None:
    """Who calls is known by its key alone, so each key belongs to one device."""
    owners: dict[str, str] = {}
    for number, device in enumerate(devices, 1):
        if device.netconf is None or not device.netconf.call_home:
            continue
        key = f"device[{number}].netconf"
        if not config.call_home.enabled:
            faults.add(f"{key}.call_home", "nobody listens for calls", "[call_home] enabled = true")
        if config.collector.lanes > 1 and not device.sources:
            text = "with several lanes a call reaches the lane of its device by its address"
            faults.add(
                f"device[{number}].sources", text, "the address that it calls from, or lanes = 1"
            )
        try:
            pins = pinned_keys(device.netconf.host_keys)
        except ValueError:
            continue  # said already
        for fingerprint in sorted(pins.fingerprints if pins else ()):
            owner = owners.setdefault(fingerprint, device.name)
            if owner != device.name:
                text = f"{fingerprint} belongs to device {owner} already"
                faults.add(f"{key}.host_keys", text, "a key of its own for each device that calls")
