"""What ``collector replay`` is to judge: captures or a journal, with which terms.

Does: put the options into a configuration and start the right reader. Does not: judge or print.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from collector.command_line import complain
from collector.config import Config, KnownSubscriptionSettings, device_of_source, load_config
from collector.core.settings import EngineSettings
from collector.errors import UsageError
from collector.journal import JournalReader
from collector.lanes.folders import folders_with_data
from collector.pipeline import (
    CaptureFiles,
    JournalledConfig,
    Replayed,
    engine_settings,
    judge_captures,
    replay,
)
from collector.pipeline.schemas import load_sid_tables
from collector.pipeline.settings import JournalledSids
from collector.views.progress import progress
from collector.views.replay_summary import SERIES_KEPT
from collector.views.replaying import ReplayShow

_IDS = 2**32
_LONGEST = 42_949_672.95
"""s; a period is at most 2^32-1 hundredths (RFC 8641 §4.2)."""


def given_terms(
    periods: tuple[str, ...], expected: tuple[str, ...]
) -> tuple[KnownSubscriptionSettings, ...]:
    """``[DEVICE/]ID=SECONDS`` and ``[DEVICE/]ID=GEN,GEN`` as sections of a configuration.

    Raises:
        UsageError: one of them cannot be understood, or a subscription has two.
    """
    seconds = _by_subscription("--period", periods)
    lists = _by_subscription("--expect", expected)
    return tuple(
        KnownSubscriptionSettings(
            id=key[1],
            devices=(key[0],),
            period_seconds=_seconds(seconds[key]) if key in seconds else None,
            expect=_generators(lists[key]) if key in lists else (),
        )
        for key in dict.fromkeys([*seconds, *lists])
    )


def _by_subscription(option: str, texts: tuple[str, ...]) -> dict[tuple[str, int], str]:
    """(device, id) -> value."""
    found: dict[tuple[str, int], str] = {}
    for text in texts:
        key, value = _split(option, text)
        if key in found:
            where = "" if key[0] == "*" else f" of {key[0]}"
            raise UsageError(f"{option} is given twice for subscription {key[1]}{where}")
        found[key] = value
    return found


def _split(option: str, text: str) -> tuple[tuple[str, int], str]:
    where, equals, value = text.partition("=")
    device, _, number = where.rpartition("/")
    if not (equals and value and number.isascii() and number.isdecimal()) or int(number) >= _IDS:
        example = "1=60 or 192.0.2.7/1=60" if option == "--period" else "1=101,102"
        raise UsageError(f'{option} "{text}" is not a subscription id and a value, as {example}')
    return (device or "*", int(number)), value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= _LONGEST or abs(seconds * 100 - round(seconds * 100)) > 1e-6:
        raise UsageError(
            f'--period: "{text}" is no period; seconds from 0.01 on in steps of 0.01 (RFC 8641)'
        )
    return seconds


def _generators(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError(f'--expect: "{text}" names no generator')
    return names


def judge_sources(
    sources: tuple[str, ...],
    config_file: str | None,
    known: tuple[KnownSubscriptionSettings, ...],
    ports: tuple[int, ...],
    folder: str | None,
    show: ReplayShow,
) -> tuple[str, ...]:
    """Judge, print, and return a sentence for each capture that could not be read to its end.

    Raises:
        UsageError: sources or folder cannot be used.
        ConfigError: the configuration cannot be used.
        SinkError: the rows cannot be written.
    """
    target = None if folder is None else Path(folder)
    config = None if config_file is None else load_config(config_file)
    folders = [source for source in sources if Path(source).is_dir()]
    if folders:
        if len(sources) > 1:
            raise UsageError(f"{folders[0]} is a folder; replay takes one journal, or captures")
        if ports:
            raise UsageError("--port is for captures; a journal knows where its records came from")
        replayed = _judge_folder(Path(folders[0]), target, config, known, show)
    else:
        replayed = _judge_captures(sources, target, config or Config(), known, ports, show)
    show.finish(replayed, target)
    if replayed.records:
        for one in _not_there(known, replayed, show):
            click.echo(one, err=True)
    before = "; what came before was judged" if replayed.records else ""
    return tuple(f"{sentence}{before}" for sentence in replayed.damage)


def _judge_folder(
    source: Path,
    target: Path | None,
    config: Config | None,
    known: tuple[KnownSubscriptionSettings, ...],
    show: ReplayShow,
) -> Replayed:
    """The journal of a collector; with lanes, one after the other."""
    journals = [one for one in folders_with_data(source) if JournalReader(one).segments()]
    if journals in ([], [source]):
        return _judge_journal(source, target, config, known, show)
    if target is not None and target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty; a replay starts a new store")
    parts = [
        _judge_journal(
            one, target and (target if one == source else target / one.name), config, known, show
        )
        for one in journals
    ]
    return _together(parts)


def _together(parts: list[Replayed]) -> Replayed:
    """What the journals of several lanes came to."""
    rejected: dict[str, int] = {}
    for part in parts:
        for reason, number in part.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + number
    return Replayed(
        records=sum(part.records for part in parts),
        first_arrival=min((part.first_arrival for part in parts if part.records), default=0),
        last_arrival=max(part.last_arrival for part in parts),
        states=[state for part in parts for state in part.states],
        unknown=[one for part in parts for one in part.unknown],
        rejected=rejected,
    )


def _not_there(
    known: tuple[KnownSubscriptionSettings, ...], replayed: Replayed, show: ReplayShow
) -> Iterator[str]:
    """A sentence for terms that were given for nothing: most often the id is mistyped."""
    if len(show.summary.series) >= SERIES_KEPT:
        return  # not all of them are known any more
    there = {(one.device, one.id) for one in show.summary.series.values()}
    there |= {(one.device, one.subscription_id) for one in replayed.unknown}
    ids = {number for _, number in there}
    for one in known:
        (device,) = one.devices
        if (device, one.id) not in there and (device != "*" or one.id not in ids):
            where = "" if device == "*" else f" of {device}"
            yield (
                f"Subscription {one.id}{where}, for which terms were given, is not in what was read"
            )


def _judge_journal(
    source: Path,
    target: Path | None,
    config: Config | None,
    known: tuple[KnownSubscriptionSettings, ...],
    show: ReplayShow,
) -> Replayed:
    if target is not None and target.resolve() == source.resolve():
        raise UsageError("--store names the folder itself; a replay never changes what it reads")

    def adjust(journalled: EngineSettings) -> EngineSettings:
        settings = journalled if config is None else engine_settings(config)
        told = engine_settings(Config(known_subscriptions=known)).known
        return msgspec.structs.replace(settings, known=settings.known | told)

    files = len(JournalReader(source).segments())
    with progress("reading the journal", files, rows=show.rows) as advance:
        return replay(
            source,
            target,
            adjust=adjust,
            sources=None if config is None else device_of_source(config),
            show=show.receive,
            advance=advance,
        )


def capture_config(
    config: Config, known: tuple[KnownSubscriptionSettings, ...]
) -> JournalledConfig:
    """What a capture is read with: the configuration, terms given, each source a device."""
    plain = {entry.name: getattr(config, entry.name) for entry in msgspec.structs.fields(Config)}
    plain["known_subscriptions"] = (*config.known_subscriptions, *known)  # the later one counts
    tables = load_sid_tables(config, lambda note: complain(f"collector: {note}"))
    sids = {name: JournalledSids(one.paths, one.identities) for name, one in tables.items()}
    return JournalledConfig(**plain, each_source=True, sids=sids)


def _judge_captures(
    sources: tuple[str, ...],
    target: Path | None,
    config: Config,
    known: tuple[KnownSubscriptionSettings, ...],
    ports: tuple[int, ...],
    show: ReplayShow,
) -> Replayed:
    asked = capture_config(config, known)
    with (
        CaptureFiles(sources, ports=ports) as files,
        progress("reading", files.octets, rows=show.rows) as advance,
    ):
        files.advance = advance
        return judge_captures(files, asked, folder=target, show=show.receive)
