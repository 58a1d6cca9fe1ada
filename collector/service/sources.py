"""Receivers and further outputs that a configuration asks for, found by entry point and built.

Does: turn a section of the configuration into what a plug-in is built with. Does not: start one.
Rules: one section, one entry point: ours have a section named as they are, those of other packages
``[receiver.NAME]`` and ``[sink.NAME]``. All else a plug-in says itself (``interfaces.Configured``).
What is not enabled is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from collector.config import Config
from collector.errors import CollectorError, ConfigError
from collector.interfaces import Clock, Intake, Receiver, Sink
from collector.model import FIRST_FURTHER_TRANSPORT
from collector.pipeline.settings import reassembly_limits, strict_sources, wire_quirks
from collector.plugins import receiver_class, sink_class
from collector.sections import enabled, keys_of, own_sections
from collector.service.plugged import PluggedIntake, PluggedReceiver, PluggedSink

FURTHER: Final[Mapping[str, Callable[[Config], Any]]] = {
    "receive_buffer_bytes": lambda config: config.udp_notif.receive_buffer_bytes,
    "strict_sources": strict_sources,
    "quirks": wire_quirks,
    "limits": reassembly_limits,
}
"""What a receiver can want besides the keys of its section, as keywords. ``opened`` is given, too:
a UDP socket that is shared by several lanes."""
MOST: Final = 255 - FIRST_FURTHER_TRANSPORT
"""Receivers of other packages at a time."""


def receivers_of(
    config: Config, intake: Intake, clock: Clock, *, opened: Any = None
) -> Iterator[Receiver]:
    """The enabled receivers, not started.

    Args:
        opened: a UDP socket that was opened already, shared by several lanes.

    Raises:
        ConfigError: one is not installed, or its library is not; a key cannot be used.
    """
    for name, section in own_sections(config):
        given = structs.asdict(section)
        if given.pop("enabled"):
            cls: Any = receiver_class(name)
            yield cls(intake, clock, **given | _wanted(cls, config, opened))
    for number, name in transports_of(config).items():
        between = PluggedIntake(intake, clock, name, number)
        keys = keys_of("receiver", name, config.receivers[name])
        foreign: Any = receiver_class(name)
        keys |= _wanted(foreign, config, opened)
        made = _built(f"receiver.{name}", foreign, (between, clock), keys)
        guarded: Any = PluggedReceiver(made, name, between)
        yield guarded


def _wanted(cls: Any, config: Config, opened: Any) -> dict[str, Any]:
    """Raises ConfigError: it wants what nobody has."""
    wants = frozenset(getattr(cls, "wants", ()))
    unknown = wants - FURTHER.keys() - {"opened"}
    if unknown:
        raise ConfigError(
            f"receiver {cls.name} wants {', '.join(sorted(map(str, unknown)))}",
            allowed=", ".join((*FURTHER, "opened")),
        )
    found = {name: value(config) for name, value in FURTHER.items() if name in wants}
    return found | ({"opened": opened} if "opened" in wants else {})


def transports_of(config: Config) -> dict[int, str]:
    """Number -> name, of the enabled receivers of other packages. Raises ConfigError."""
    wanted = sorted(enabled(config.receivers))
    if len(wanted) > MOST:
        raise ConfigError(f"more than {MOST} receivers of other packages", key="receiver")
    return dict(enumerate(wanted, FIRST_FURTHER_TRANSPORT))


def sinks_of(config: Config) -> Iterator[Sink]:
    """The enabled outputs, not started. Raises ConfigError."""
    for name in enabled(config.sinks):
        keys = keys_of("sink", name, config.sinks[name])
        yield PluggedSink(_built(f"sink.{name}", sink_class(name), (), keys), name)


def _built(section: str, cls: Any, given: tuple[Any, ...], keys: Mapping[str, Any]) -> Any:
    """Raises ConfigError."""
    try:
        return cls(*given, **keys)
    except CollectorError:
        raise
    except Exception as error:
        raise ConfigError(
            f"it cannot be made: {type(error).__name__}: {error}", key=section
        ) from error


def keep_times(receivers: Sequence[Receiver]) -> bool:
    """Do datagrams that waited follow with the times at which they came?

    Those of one socket do. Of two, one is read after the other, and the journal's order is that of
    time; of receivers of other packages nobody knows.
    """
    foreign = any(isinstance(one, PluggedReceiver) for one in receivers)
    return not foreign and sum(getattr(one, "stamps", False) for one in receivers) <= 1


def where(config: Config, receiver: Receiver) -> str:
    """Where a receiver listens, for people."""
    section = dict(own_sections(config)).get(receiver.name)
    table = config.receivers.get(receiver.name, {})
    address = getattr(section, "address", None) or table.get("address", "")
    title, port = getattr(receiver, "title", receiver.name), getattr(receiver, "local_port", 0)
    return f"{address} port {port} ({title})".lstrip() if port else str(title)
