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
def replay(folder: str, out_folder: str | None, config_file: str | None, as_json: bool) -> int:
    """Judge the journal in FOLDER again, into another folder.

    Same journal, same configuration, same rows; another configuration shows what another grace or
    another list would have said. The folder itself is never changed.
    """
    from pathlib import Path

    from collector.config import load_config
    from collector.errors import UsageError
    from collector.pipeline import replay as run_replay

    if out_folder is not None and Path(out_folder).resolve() == Path(folder).resolve():
        raise UsageError("--out names the folder itself; a replay never changes what it reads")
    config = None if config_file is None else load_config(config_file)
    return run_replay(
        Path(folder),
        None if out_folder is None else Path(out_folder),
        config=config,
        json_output=as_json,
    )
