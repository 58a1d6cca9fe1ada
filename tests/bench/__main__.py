"""What a message costs: ``python -m tests.bench``.

Each stage alone in CPU microseconds, then the whole way on loopback: a sender on one core, a
collector on another, at given rates or in search of the highest one without loss; latency, start,
memory, how the cost grows, and whether the fast way says the same as the slow one.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tests.bench import lines, parts
from tests.bench.options import ON_REQUEST, PARTS, Options
from tests.bench.payloads import ENCODINGS
from tests.bench.report import Report, plain
from tests.bench.scaling import AXES

_FOLDER = click.Path(file_okay=False, path_type=Path)
PURE = "COLLECTOR_PURE_PYTHON"
"""Read when ``collector.fast`` is imported, here and in every process that is started."""
_WIDTH = 150
"""Columns where the output is no terminal."""


@click.command(context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--quick", is_flag=True, help="Tiny sizes: shows that it works, measures nothing.")
@click.option("--stage", "stages", type=click.Choice([*PARTS, *ON_REQUEST]), multiple=True,
              metavar="NAME", help=f"Only this one; repeatable: {', '.join(PARTS)}; "
              f"and, not measured otherwise, {', '.join(ON_REQUEST)}.")  # fmt: skip
@click.option("--search", "searching", is_flag=True,
              help="Search the highest rate without loss: doubling, then bisection.")  # fmt: skip
@click.option("--budget", type=click.FloatRange(1), default=240, show_default=True,
              help="Seconds for the search.")  # fmt: skip
@click.option("--plot", type=_FOLDER,
              help="Measure how the cost grows, and write a picture (SVG) of each.")  # fmt: skip
@click.option("--axis", "axes", type=click.Choice([*AXES]), multiple=True, metavar="NAME",
              help=f"For --plot, only this; repeatable: {', '.join(AXES)}.")  # fmt: skip
@click.option("--compare", "comparing", is_flag=True,
              help="The same input through the fast way and through the slow one.")  # fmt: skip
@click.option("--rate", "rates", type=click.IntRange(8, 5_000_000), multiple=True,
              help="Messages a second; repeatable; with --search the first to try.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(1, 3600), default=5.0, show_default=True,
              help="Seconds of measured traffic at each rate.")  # fmt: skip
@click.option("--devices", type=click.IntRange(1, 100_000),
              help="Devices; their cards send more at higher rates. [default: 1000, with "
              "--updates as many as the rate takes]")  # fmt: skip
@click.option("--cards", type=click.IntRange(1, 200), default=8, show_default=True,
              help="Line cards of a device.")  # fmt: skip
@click.option("--updates", type=click.IntRange(1, 1000),
              help="Messages of a card in a period. [default: follows from the rate]")  # fmt: skip
@click.option("--octets", type=click.IntRange(400, 60_000), default=900, show_default=True,
              help="Octets of a payload.")  # fmt: skip
@click.option("--encoding", type=click.Choice([*ENCODINGS]), default="json", show_default=True,
              help="Of the payloads.")  # fmt: skip
@click.option("--mtu", type=click.IntRange(200, 65_507), default=1400, show_default=True,
              help="Octets of a datagram at most; longer messages go in segments.")  # fmt: skip
@click.option("--loss", type=click.FloatRange(0, 0.9), default=0.0, show_default=True,
              help="Share of the datagrams that get lost on the way; the verdicts are compared "
              "with what is true.")  # fmt: skip
@click.option("--period", type=click.FloatRange(0.1, 60), default=1.0, show_default=True,
              help="Seconds of one period, about.")  # fmt: skip
@click.option("--lanes", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Processes of the collector that share the port.")  # fmt: skip
@click.option("--pure", is_flag=True, help="Without the compiled core, where there is one.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Where journals and stores are written. [default: the system's]")  # fmt: skip
def main(**wanted: Any) -> None:
    """Measure CPU time, rates, latency and memory of the data path.

    Without --stage, --search, --plot or --compare everything but those is measured, in about five
    minutes. Lines of progress go to standard error.

    \b
    Examples:
      python -m tests.bench --stage decode --stage engine
      python -m tests.bench --search --devices 1000 --cards 8
      python -m tests.bench --search --octets 8950
      python -m tests.bench --stage end-to-end --rate 40000 --loss 0.01
      python -m tests.bench --plot pictures --axis devices --axis encoding
    """
    if wanted.pop("pure") and os.environ.get(PURE) != "1":
        again = [sys.executable, "-m", "tests.bench", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {PURE: "1"})
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up
    options = Options(**wanted).settled()
    report = Report(platform.platform())
    parts.measure(options, report)
    if options.as_json:
        json.dump(plain(report), sys.stdout, indent=1)
        print()
        return
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    for table in lines.tables(report):
        console.print(table)
    for line in lines.summary(report):
        console.print(line, highlight=False)


if __name__ == "__main__":
    main()
