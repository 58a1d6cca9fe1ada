"""Read captures for ``collector decode``: one pass, through the code that judges them.

Does not: parse options or print.
"""

from __future__ import annotations

import msgspec

from collector.cli.replaying import capture_config
from collector.command_line import complain
from collector.config import Config, KnownSubscriptionSettings, load_config
from collector.pipeline import CaptureFiles, JournalledConfig, Observer, judge_captures
from collector.pipeline.schemas import load_schemas
from collector.pipeline.settings import inventory_of
from collector.views.decoding import DecodeShow, Enough
from collector.views.progress import progress


def looked_into(
    config_file: str | None, known: tuple[KnownSubscriptionSettings, ...]
) -> JournalledConfig:
    """What a capture is read with when every period is looked into. Raises ConfigError."""
    config = Config() if config_file is None else load_config(config_file)
    all_periods = msgspec.structs.replace(config.verdicts, coverage_sample=1.0)
    return capture_config(msgspec.structs.replace(config, verdicts=all_periods), known)


def _note(sentence: str) -> None:
    complain(f"collector: {sentence}")


def decode_captures(
    names: tuple[str, ...],
    config_file: str | None,
    known: tuple[KnownSubscriptionSettings, ...],
    ports: tuple[int, ...],
    show: DecodeShow,
) -> tuple[str, ...]:
    """Show the messages; returns a sentence for each capture not read to its end.

    Raises:
        UsageError: a file cannot be opened.
        ConfigError: the configuration cannot be used.
    """
    config = looked_into(config_file, known)
    if show.contents:
        show.schema_of = load_schemas(config, _note).schema_of
    observer = Observer(show.observe, inventory=inventory_of(config))
    replayed = None
    with (
        CaptureFiles(names, ports=ports) as files,
        progress("reading", files.octets, rows=True) as advance,
    ):
        files.advance = advance
        files.watch = observer.datagram
        try:
            replayed = judge_captures(files, config, show=show.receive, look=observer.records)
        except Enough:
            damage: tuple[str, ...] = ()
        else:
            damage = replayed.damage
    show.finish(replayed)
    before = "; what came before is shown" if show.shown else ""
    return tuple(f"{sentence}{before}" for sentence in damage)
