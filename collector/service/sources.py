"""The receivers that a configuration asks for, each found by its entry point and built.

Does: turn a section of the configuration into what a receiver is built with. Does not: start one.
Rules: one section, one entry point, one line of ``_OPTIONS``; what is not enabled is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from collector.config import Config
from collector.interfaces import Clock, Intake, Receiver
from collector.pipeline.settings import reassembly_limits, strict_sources, wire_quirks
from collector.plugins import receiver_class


def _udp_notif(config: Config) -> dict[str, Any]:
    settings = config.udp_notif
    return {
        "address": settings.address,
        "port": settings.port,
        "receive_buffer": settings.receive_buffer_bytes,
        "strict_sources": strict_sources(config),
        "quirks": wire_quirks(config),
        "limits": reassembly_limits(config),
    }


def _dtls(config: Config) -> dict[str, Any]:
    """Its own keys, and how datagrams are read in general."""
    udp = _udp_notif(config)
    for key in ("address", "port"):
        del udp[key]
    return udp | _section("dtls")(config)


def _section(name: str) -> Callable[[Config], dict[str, Any]]:
    """All keys of a section under their own names, but for ``enabled``."""

    def options(config: Config) -> dict[str, Any]:
        return {k: v for k, v in structs.asdict(getattr(config, name)).items() if k != "enabled"}

    return options


_OPTIONS: Final[Mapping[str, tuple[str, Callable[[Config], dict[str, Any]]]]] = {
    "udp-notif": ("udp_notif", _udp_notif),
    "dtls": ("dtls", _dtls),
    "https-notif": ("https_notif", _section("https_notif")),
    "grpc-dialout": ("grpc_dialout", _section("grpc_dialout")),
}
"""entry point -> section of the configuration, and what the receiver is built with."""

_WORDS: Final = {
    "udp-notif": "UDP-notif",
    "dtls": "UDP-notif over DTLS",
    "https-notif": "HTTPS",
    "grpc-dialout": "gRPC",
}


def receivers_of(
    config: Config, intake: Intake, clock: Clock, *, opened: Any = None
) -> Iterator[Receiver]:
    """The enabled receivers, not started.

    Args:
        opened: a UDP socket that was opened already, shared by several lanes.

    Raises:
        ConfigError: one is not installed, or its library is not.
    """
    for name, (section, options) in _OPTIONS.items():
        if getattr(config, section).enabled:
            given = options(config)
            if name == "udp-notif":
                given["opened"] = opened
            make: Any = receiver_class(name)
            yield make(intake, clock, **given)


def are_behind(receivers: Sequence[Receiver]) -> bool:
    """Whether one of them waits with what came earlier than now (``Receiver.behind``).

    What one has read ahead, a batch from the time when the disk was full, goes before what others
    bring now, which else would have to look as old as that batch.
    """
    for receiver in receivers:
        if receiver.behind and getattr(receiver, "reads_ahead", False):
            receiver.drain()
    return any(receiver.behind for receiver in receivers)


def where(config: Config, receiver: Receiver) -> str:
    """Where a receiver listens, for people."""
    section, _ = _OPTIONS.get(receiver.name, (receiver.name, None))
    address = getattr(getattr(config, section, None), "address", "?")
    return f"{address} port {getattr(receiver, 'local_port', 0)} ({_WORDS[receiver.name]})"
