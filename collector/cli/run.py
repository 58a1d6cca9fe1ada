"""``collector run``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from collector.cli.options import config_option

if TYPE_CHECKING:
    from collector.config import Config


@click.command(epilog="Example: collector run -c collector.toml")
@config_option
def run(config_file: str) -> int:
    """Receive, judge and store, until stopped.

    Subscribes to the devices of the configuration, takes what their line cards push, and says for
    every period who delivered. SIGTERM and Ctrl-C end it in good order; collector reload makes it
    read the configuration again. With collector.lanes above 1 so many processes share the work,
    and every other command still sees one collector.
    """
    # said before Arrow is loaded: its own heap gives back little of what a segment took
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from collector.service.memory import one_heap

    one_heap()
    from collector.config import load_config
    from collector.lanes import run as run_lanes
    from collector.sections import faults_of, first_of
    from collector.service.configured_ids import with_ids

    def load() -> Config:
        config = load_config(config_file)
        if faults := faults_of(config, config_file):
            raise first_of(faults)
        return with_ids(config)

    return run_lanes(load(), reload_from=load)
