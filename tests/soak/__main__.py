"""``python -m tests.soak``: minutes of a real collector with devices that break at random.

Exit status 0: every verdict is the one that was deserved, and memory, descriptors, tasks and
threads of the collector do not grow; 3: so it seems, but too little could be compared, for the
devices were late or the faults too dense; 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak.figures import growths
from tests.soak.judging import Judgement, judge, verdicts_in
from tests.soak.lab import Lab, Wish, lab

TOO_LITTLE = 3
"""Exit status: nothing is wrong, and too little is proven."""
SHOWN = 20
"""Differences that are printed."""


def main(arguments: list[str]) -> int:
    """Run it and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    usual = Wish()
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--devices", type=int, default=usual.devices)
    parser.add_argument("--cards", type=int, default=usual.cards)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--period", type=float, default=usual.period, help="seconds")
    parser.add_argument("--reload", type=float, default=usual.reload_seconds, help="seconds apart")
    parser.add_argument("--folder", type=Path, help="kept; a new one is made")
    wanted = parser.parse_args(arguments)
    wish = Wish(
        wanted.seconds, wanted.devices, wanted.cards, wanted.seed, wanted.period, wanted.reload
    )
    if wanted.folder is not None:
        wanted.folder.mkdir(parents=True)
        return asyncio.run(soak(wanted.folder, wish))
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        return asyncio.run(soak(Path(folder), wish))


async def soak(folder: Path, wish: Wish) -> int:
    """The exit status."""
    say(f"{wish.devices} devices of {wish.cards} cards, {wish.seconds:g} s, seed {wish.seed}")
    async with lab(folder, wish) as running:
        await running.run(say)
        status = await running.stop()
        running.keep()
    judgement = judge(running.truths, verdicts_in(running.data))
    return report(running, judgement, status)


def report(running: Lab, judgement: Judgement, status: int) -> int:
    """Print everything; the exit status."""
    say(
        f"{judgement.compared} periods of {judgement.devices} devices compared: "
        + ", ".join(f"{number} {word}" for word, number in sorted(judgement.outcomes.items()))
    )
    say(f"not compared, since the truth is not sure: {judgement.doubts or 'none'}")
    for sentence in judgement.differences[:SHOWN]:
        say(f"DIFFERENT: {sentence}")
    for name in judgement.unheard:
        say(f"NOTHING COMPARED of {name}")
    for name in judgement.undecided:
        say(f"nothing compared of {name}: the truth is never sure")
    found = growths(running.samples, judgement.ended)
    for growth in found:
        say(growth.sentence())
    problems = [line for line in running.log("collector").splitlines() if "Traceback" in line]
    say(
        f"{len(judgement.differences)} differences, {len(problems)} tracebacks, collector ended"
        f" with {status}, {running.reloads} reloads"
    )
    bounded = bool(found) and all(one.is_bounded for one in found)
    if not judgement.is_right or problems or status or not bounded:
        return 1
    return 0 if judgement.is_enough else TOO_LITTLE


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
