"""Plug-ins of other packages at work: what they do wrong is said, and costs nobody else anything.

Does: stand between a receiver and the intake, and look at what it hands over, name its transport
and count; stand around receiver and sink, and turn what they raise into sentences. Does not: find
or configure them (``sources``), or help against one that blocks.
Rules: a batch that is not well formed is refused before the journal sees it; no message is from the
future; a receiver that fails in ``drain`` counts as one that does not listen, which health says.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from collector.errors import CollectorError, ConfigError, SinkError, UsageError, WireError
from collector.interfaces import Clock, Intake, Said, Sink
from collector.model import Coded, ReceivedBatch, RecordKind

STOP_SECONDS: Final = 10.0
"""How long one may take to stop (ours)."""
_FORM: Final = ReceivedBatch()
"""What the columns of a batch are."""

log = logging.getLogger("collector")


class PluggedIntake:
    """``interfaces.Intake`` for one receiver."""

    def __init__(self, intake: Intake, clock: Clock, name: str, transport: int) -> None:
        """``transport``: the number that its records get."""
        self._intake, self._clock = intake, clock
        self._name, self._transport = name, transport
        self.messages = 0
        """Taken from it."""

    @property
    def unreadable(self) -> Mapping[int, WireError]:
        """See ``interfaces.Telling``."""
        found: Mapping[int, WireError] = getattr(self._intake, "unreadable", {})
        return found

    def take(self, batch: ReceivedBatch) -> int:
        """See ``interfaces.Intake``. Raises IntakeFullError, and UsageError: no such batch."""
        wrong = _wrong(batch)
        if wrong:
            raise UsageError(f"receiver {self._name} handed over what is no batch: {wrong}")
        count, now = len(batch), self._clock.now()
        batch.transport = array("B", [self._transport]) * count
        if max(batch.received_at) > now:
            batch.received_at = array("q", [min(time, now) for time in batch.received_at])
        offset = self._intake.take(batch)
        self.messages += count
        return offset

    async def committed(self, offset: int) -> None:
        """See ``interfaces.Intake``."""
        await self._intake.committed(offset)


def _wrong(batch: ReceivedBatch) -> str:
    """What the journal could not take, in a few words; empty: nothing."""
    if not isinstance(batch, ReceivedBatch) or not len(batch):
        return "it has no records"
    for column in ReceivedBatch.__slots__:
        found, form = getattr(batch, column), getattr(_FORM, column)
        if type(found) is not type(form) or len(found) != len(batch):
            return f"column {column} is not as long as the others, or of another type"
        if isinstance(found, array) and found.typecode != form.typecode:
            return f"column {column} has numbers of another size"
        if isinstance(found, Coded) and not all(type(word) is str for word in found.words):
            return f"column {column} holds more than text"
        if isinstance(found, Coded) and max(found.codes) >= len(found.words):
            return f"column {column} has codes without a word"
    if set(batch.kind) != {RecordKind.DATA}:
        return "its records are not of kind DATA"
    times = batch.received_at
    if any(before > after for before, after in pairwise(times)):
        return "its times go back"
    return ""


class PluggedReceiver:
    """A receiver of another package, as one of ours (``interfaces.Receiver``)."""

    def __init__(self, receiver: Any, name: str, intake: PluggedIntake) -> None:
        self._receiver, self._intake = receiver, intake
        self.name = name
        self.fault = ""
        """What ``drain`` raised last; empty when it did its work."""

    def __getattr__(self, name: str) -> Any:
        """What it can do besides: ``local_port``, ``reload_certificates``, ..."""
        return getattr(self._receiver, name)

    @property
    def behind(self) -> bool:
        """See ``interfaces.Receiver``; one that fails keeps nobody from going on."""
        return not self.fault and bool(getattr(self._receiver, "behind", False))

    @property
    def listening(self) -> bool:
        """Whether it is at work."""
        return not self.fault and bool(getattr(self._receiver, "listening", True))

    def stats(self) -> dict[str, int]:
        """What was taken from it, and what it counts itself as whole numbers."""
        own: object = {}
        try:
            own = getattr(self._receiver, "stats", dict)()
        except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
            self._failed("cannot say what it counts", error)
        found = own.items() if isinstance(own, Mapping) else ()
        counted = {str(word): number for word, number in found if type(number) is int}
        return counted | {"messages": self._intake.messages}

    async def start(self) -> None:
        """Return when listening. Raises ConfigError."""
        try:
            await self._receiver.start()
        except CollectorError:
            raise
        except Exception as error:
            raise ConfigError(
                f"it cannot start: {_said(error)}", key=f"receiver.{self.name}"
            ) from error

    def drain(self) -> int:
        """Hand over what waits now; never raises."""
        try:
            taken = int(self._receiver.drain() or 0)
        except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
            self._failed("failed", error)
            return 0
        self.fault = ""
        return taken

    async def stop(self) -> None:
        """Hand over the rest and close, in ``STOP_SECONDS``."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._receiver.stop()
        except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
            self._failed("did not stop in good order", error)

    def _failed(self, what: str, error: Exception) -> None:
        """Said when it changes, not each time."""
        fault = f"{what}: {_said(error)}"
        if fault != self.fault:
            log.error("Receiver %s %s", self.name, fault)
        self.fault = fault


class PluggedSink:
    """A sink of another package, as one of ours (``interfaces.Sink``); what it does wrong in
    ``write`` the intake says."""

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink = sink
        self.name = name

    def start(self) -> None:
        """Raises SinkError."""
        try:
            self._sink.start()
        except CollectorError:
            raise
        except Exception as error:
            raise SinkError(
                f"output {self.name} cannot start: {_said(error)}", retryable=False
            ) from error

    def write(self, said: Said) -> None:
        """Raises SinkError, and whatever it likes."""
        self._sink.write(said)

    def flush(self) -> None:
        """Likewise."""
        self._sink.flush()

    def stop(self) -> None:
        """Likewise."""
        self._sink.stop()


def _said(error: Exception) -> str:
    """A foreign error on one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
