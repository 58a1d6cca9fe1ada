"""``collector replay``."""

from __future__ import annotations

import click

from collector.cli.options import json_option


@click.command(epilog="Example: collector replay yang-push-data --out judged-again")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--out", "out_folder", type=click.Path(file_okay=False), metavar="DIR",
    help="Folder for the new rows, must be empty; without it they are printed.",
)  # fmt: skip
@click.option(
    "-c", "--config", "config_file", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Judge with this configuration instead of the one that the journal remembers.",
)  # fmt: skip
@json_option
def replay(folder: str, out_folder: str | None, config_file: str | None, as_json: bool) -> None:
    """Judge the journal in FOLDER again, into another folder.

    Same journal, same configuration, same rows; another configuration shows what another grace or
    another list would have said. The folder itself is never changed.
    """
    from pathlib import Path

    from collector.config import load_config
    from collector.errors import UsageError
    from collector.journal import JournalReader
    from collector.pipeline import replay as judge_again
    from collector.views.progress import progress
    from collector.views.replaying import ReplayShow

    source, target = Path(folder), None if out_folder is None else Path(out_folder)
    if target is not None and target.resolve() == source.resolve():
        raise UsageError("--out names the folder itself; a replay never changes what it reads")
    config = None if config_file is None else load_config(config_file)
    show = ReplayShow(as_json, quiet=target is not None)
    files = len(JournalReader(source).segments())
    with progress("reading the journal", files) as advance:
        records = judge_again(source, target, config=config, show=show.receive, advance=advance)
    show.finish(records, target)
