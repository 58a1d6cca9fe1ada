"""Read captures, or the journal of a device, for ``collector conformance``.

Does: find out which of both is meant, run everything that came through rules and engine. Does not:
know a rule, parse options or print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.cli.decoding import looked_into
from collector.cli.options import data_folder
from collector.config import Config, KnownSubscriptionSettings
from collector.conformance import Inspector, Level, Report
from collector.core.settings import EngineSettings
from collector.errors import UsageError
from collector.journal import JournalReader
from collector.lanes.folders import folders_with_data
from collector.model import ReceivedBatch, SidTable
from collector.pipeline import CaptureFiles, Observer, engine_settings, judge_captures, replay
from collector.pipeline.capture_files import STANDARD_INPUT
from collector.pipeline.replay import Look
from collector.pipeline.settings import inventory_of
from collector.views.progress import progress


class Asked(Struct, frozen=True):
    """What the command line says, beside the sources."""

    devices: tuple[str, ...] = ()
    config_file: str | None = None
    folder: str | None = None
    ports: tuple[int, ...] = ()
    known: tuple[KnownSubscriptionSettings, ...] = ()
    max_segment_size: int | None = None


def check(sources: tuple[str, ...], asked: Asked) -> tuple[Report, tuple[str, ...]]:
    """The report, and a sentence for each capture that could not be read to its end.

    Raises:
        UsageError: there is no such file or device.
        ConfigError: the configuration cannot be used.
    """
    if any(one == STANDARD_INPUT or _is_file(Path(one)) for one in sources):
        return _check_captures(sources, asked)
    if len(sources) > 1:
        raise UsageError(f"there is no file {sources[0]}; of devices only one is read at a time")
    if asked.ports or asked.devices:
        raise UsageError("--port and --device are for captures")
    return _check_device(sources[0], asked), ()


def _is_file(path: Path) -> bool:
    """Anything that can be read, a pipe included; a folder is none."""
    return path.exists() and not path.is_dir()


def _check_captures(sources: tuple[str, ...], asked: Asked) -> tuple[Report, tuple[str, ...]]:
    config = looked_into(asked.config_file, asked.known)
    inspector = Inspector(asked.devices, max_segment_size=asked.max_segment_size)
    observer = Observer(inspector.observe, inventory=inventory_of(config), datagrams=True)
    ports = asked.ports
    with CaptureFiles(sources, ports=ports) as files, progress("reading", files.octets) as advance:
        files.advance = advance
        files.watch = observer.datagram
        replayed = judge_captures(files, config, show=inspector.receive, look=observer.records)
    report = inspector.finish()
    if not report.devices and not replayed.damage:
        raise UsageError(
            "no UDP-notif was found"
            + (" of this device" if asked.devices else "; name its port with --port N")
        )
    return report, replayed.damage


def _check_device(device: str, asked: Asked) -> Report:
    try:
        folder = data_folder(asked.folder, asked.config_file)
    except UsageError as error:
        raise UsageError(f"there is no file {device}, and {error}") from None
    inspector = Inspector((device,), max_segment_size=asked.max_segment_size)
    seen: set[str] = set()
    told = engine_settings(Config(known_subscriptions=asked.known)).known

    def adjust(journalled: EngineSettings) -> EngineSettings:
        return msgspec.structs.replace(journalled, known=journalled.known | told)

    for one in folders_with_data(folder):
        segments = len(JournalReader(one).segments())
        if not segments:
            continue
        observer = Observer(inspector.observe)
        with progress("reading the journal", segments) as advance:
            replay(
                one,
                adjust=adjust,
                show=inspector.receive,
                look=_noting(observer, seen),
                every_period=True,
                advance=advance,
            )
    report = inspector.finish()
    if not report.devices:
        names = ", ".join(sorted(name for name in seen if name)[:10]) or "none at all"
        raise UsageError(
            f"there is no file {device}, and no message of such a device in the journal of {folder}"
            f" (messages there are of: {names})"
        )
    return report


def _noting(observer: Observer, seen: set[str]) -> Look:
    """Observe, and note which devices there are."""

    def look(batch: ReceivedBatch, devices: Sequence[str], sids: Mapping[str, SidTable]) -> None:
        seen.update(devices)
        observer.records(batch, devices, sids)

    return look


def fails(report: Report, word: str) -> bool:
    """Whether a device that sends notification messages breaks a rule of this level."""
    level = Level(word.upper())
    speaking = [one for one in report.devices if one.messages] or report.devices
    return any(one.fails(level) for one in speaking) or not any(
        tally.checked for one in speaking for tally in one.tallies
    )
