"""``publisher-sim distort``."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector.command_line import Whole
from publisher_sim.cli.numbers import Number

EXAMPLE = """GEN is an originator's id, `any` (one by the seed) or, for --clock, `all`. Options that
name a GEN may be given several times. The whole capture is in memory, about 2.7 times its size.

--clock all:+SECONDS --begin 0 moves all record times from the first message on, as
needed to send an old capture live.

Example: publisher-sim distort lab.pcap bad.pcap --repeat 4 --drop 0.01 --silent 16974839:3
"""

SHARE = Number(0, 1)
SECONDS = Number(0, 1e9, max_open=True)
PERIODS = Number(0, 1e9, max_open=True)


def spelled(parse: Callable[[str], Any]) -> Callable[..., tuple[Any, ...]]:
    """A callback that reads every value of a repeatable option."""

    def read(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> Any:
        try:
            return tuple(parse(text) for text in texts)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


def _span(text: str) -> Any:
    from publisher_sim.distort.plan import span

    return span(text)


def _moved(text: str) -> Any:
    from publisher_sim.distort.plan import moved

    return moved(text)


def _period(text: str) -> tuple[int, int]:
    number, sign, value = text.partition("=")
    if not (number.isascii() and number.isdecimal() and sign):
        raise ValueError(f"{text!r} is not ID=SECONDS")
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0.001 <= seconds <= 1e9:
        raise ValueError(f"{text!r}: SECONDS is a number from 0.001 to 1000000000")
    return int(number), round(seconds * 1_000_000_000)


def _once_each(periods: tuple[tuple[int, int], ...]) -> dict[int, int]:
    found: dict[int, int] = {}
    for number, length in periods:
        if number in found:
            raise click.BadParameter(f"subscription {number} has two", param_hint="'--period'")
        found[number] = length
    return found


Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def _several(
    name: str, metavar: str, words: str, parse: Callable[[str], Any] | None = None
) -> Decorator:
    callback = None if parse is None else spelled(parse)
    return click.option(name, multiple=True, metavar=metavar, help=words, callback=callback)


@click.command(epilog=EXAMPLE)
@click.argument("source", metavar="IN.pcap", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("target", metavar="OUT.pcap", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--repeat", type=Whole(1, 10_000), help="The steady part N times.")
@click.option("--clone-cards", type=Whole(2, 1000), help="One originator as N cards.")
@click.option("--clone", metavar="GEN", help="Whom to clone; the one that sends most.")
@click.option("--together", is_flag=True, help="Clones at nearly the same time, not spread.")
@click.option("--drop", type=SHARE, default=0.0, help="Share of datagrams lost.")
@click.option("--lose-messages", type=SHARE, default=0.0, help="Share of messages lost whole.")
@_several("--silent", "GEN:PERIODS", "Sends nothing for so many periods.", _span)
@_several("--lost", "GEN:PERIODS", "Sends, but all of it is lost on the way.", _span)
@click.option("--outage", type=SECONDS, default=0.0, help="Everything lost for so long.")
@click.option("--duplicate", type=SHARE, default=0.0, help="Share of messages that come twice.")
@click.option("--reorder", type=SECONDS, default=0.0, help="Shuffle within so many seconds.")
@click.option("--jitter", type=SECONDS, default=0.0, help="Mean delay of each message.")
@_several("--clock", "GEN:+SECONDS", "Record times move, from one moment on.", _moved)
@_several("--restart", "GEN", "Ids of its publisher begin at 0 again.")
@_several("--restart-missed", "GEN", "The same, and one period is missed.")
@_several("--late", "GEN:SECONDS", "One period comes late (at most 0.8 periods).", _moved)
@click.option("--garbage-time", type=SHARE, default=0.0, help="Share with a nonsense time.")
@click.option("--no-time", is_flag=True, help="Without event and observation times.")
@_several("--leave", "GEN", "Stops for good.")
@_several("--join", "GEN", "Begins late.")
@_several("--period", "ID=SECONDS", "Period of a subscription, if the capture lacks it.", _period)
@click.option(
    "--begin", type=PERIODS, default=5.0, show_default=True, help="Periods before faults."
)
@click.option("--end", type=PERIODS, default=2.0, show_default=True, help="Periods after faults.")
@click.option("--seed", type=Whole(0), default=0, show_default=True)
def distort(source: Path, target: Path, **options: Any) -> None:
    """Rewrite the UDP-notif messages of a capture with faults whose truth is known.

    Beside OUT.pcap, OUT.truth.jsonl says for every originator and period what was sent, lost or
    never sent, and the verdict that it deserves.
    """
    from publisher_sim.distort.files import Request, distort_file

    seconds = {key: options.pop(key) for key in ("outage", "reorder", "jitter")}
    options |= {key: round(value * 1_000_000_000) for key, value in seconds.items()}
    options["lose"] = options.pop("lose_messages")
    options["periods"] = _once_each(options.pop("period"))
    steps = ("repeat", "clone_cards", "clone", "together", "periods")
    request = Request(source, target, **{key: options.pop(key) for key in steps})
    done = distort_file(request, options)
    click.echo(done.summary)
    for line in done.remarks:
        click.echo(line, err=True)
    if done.damaged:
        click.get_current_context().exit(2)
