"""The device of the demo and what goes wrong with it, as a scenario file of the simulator."""

from __future__ import annotations

from msgspec import Struct

OVERHEAD_SECONDS = 5.0
"""Of the duration: starting processes, waiting for the anchor, closing the books."""
FIRST_FAULT = 7
"""Periods; the simulator's rules want five without a fault."""


class DemoScenario(Struct, frozen=True):
    """A scenario, and what to tell people while it runs."""

    toml: str
    title: str
    timeline: tuple[tuple[int, str], ...]
    """(period number, sentence), in order."""


def demo_scenario(duration_seconds: float, cards: int, seed: int) -> DemoScenario:
    """A device of ``cards`` line cards: one silent, datagrams dropped, one pulled and put back."""
    periods = int(duration_seconds - OVERHEAD_SECONDS)
    spare = periods - FIRST_FAULT - 3
    silent_until = FIRST_FAULT + max(2, spare // 6)
    drop_at = silent_until + max(1, spare // 10)
    drop_until = drop_at + max(3, spare // 4)
    pull_at = drop_until + max(1, spare // 10)
    pull_until = max(pull_at + 3, periods - max(4, spare // 4))
    silent, pulled = max(1, cards - 1), cards
    faults = (
        _fault("silent", FIRST_FAULT, silent_until, card=f"linecard{silent}"),
        _fault("drop", drop_at, drop_until, probability=0.15),
        _fault("pull", pull_at, pull_until, card=f"linecard{pulled}"),
    )
    return DemoScenario(
        toml=_head(periods, seed) + "".join(_card(n, cards) for n in range(1, cards + 1))
        + "".join(faults),
        title=f"A device with {cards} line cards, one subscription, a period of 1 s",
        timeline=(
            (FIRST_FAULT, f"Next: card {100 + silent} falls silent."),
            (drop_at, "Next: the network drops 15 % of the messages."),
            (pull_at, f"Next: card {100 + pulled} is pulled; the master tells the new list."),
            (pull_until, f"Next: card {100 + pulled} is put back."),
        ),
    )  # fmt: skip


def _head(periods: int, seed: int) -> str:
    return f"""\
name = "demo-router"
address = "127.0.1.1"
seed = {seed}
periods = {periods}
grace_seconds = 0.5

[netconf]
password_file = "password"

[push]
updates_per_period = 3

[master]
publisher_id = 1
hardware = ["chassis", "psu1"]
"""


def _card(number: int, cards: int) -> str:
    names = ", ".join(f'"eth{number}/{port}"' for port in range(3))
    return f"""
[[card]]
name = "linecard{number}"
publisher_id = {100 + number}
interfaces = [{names}]
phase = {0.01 + 0.2 * number / (cards + 1):.3f}
arc = 0.1
"""


def _fault(
    kind: str, at_period: int, until_period: int, *, card: str = "", probability: float = 1.0
) -> str:
    where = f'card = "{card}"\n' if card else ""
    return f"""
[[fault]]
kind = "{kind}"
at_period = {at_period}
until_period = {until_period}
{where}probability = {probability}
"""
