"""A plan applied to messages: one door for the command and for tests.

    distort(messages, plan) -> Distorted(messages, truth)

Order: what the device does not send, how it counts, its clocks; then what the network does. Every
part draws from a random stream of its own, so that one fault more does not move the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from msgspec import Struct

from publisher_sim.distort import device, network
from publisher_sim.distort.device import Choice
from publisher_sim.distort.messages import Message, copied
from publisher_sim.distort.plan import Plan, Window
from publisher_sim.distort.truth import PeriodTruth, beside_holes, truth_of


class Distorted(Struct):
    """What arrives, and what is true about it."""

    messages: list[Message]
    """In order of arrival; those never sent or lost whole are left out."""
    truth: list[PeriodTruth]


def distort(messages: Sequence[Message], plan: Plan, slowest: int) -> Distorted:
    """Let things go wrong; the messages given are not changed.

    Args:
        messages: numbered, with periods, in order of arrival.
        plan: what goes wrong.
        slowest: longest period, ns: ``begin`` and ``end`` of the plan count these.

    Raises:
        ValueError: an originator that is not there.
    """
    sent = copied(messages)
    times = {one.number: one.time for one in messages}
    window = window_of(messages, plan, slowest)

    def choice(part: str) -> tuple[Choice, Random]:
        random = Random(f"{plan.seed} {part}")
        return Choice(sent, window, random), random

    device.keep_silent(sent, choice("silent")[0], plan)
    device.restart(sent, choice("restart")[0], plan)
    device.set_clocks(sent, *_with(choice("clock"), plan))
    network.lose(sent, *_with(choice("lose"), plan))
    network.hold_up(sent, *_with(choice("delay"), plan))
    if plan.duplicate:
        sent += network.double(sent, *_with(choice("double"), plan))
    there = [one for one in sent if not one.never and len(one.lost) < one.datagrams]
    network.shuffle(there, *_with(choice("shuffle"), plan))
    there.sort(key=lambda one: one.at)
    return Distorted(there, truth_of(sent, times, plan, beside_holes(messages)))


def _with(chosen: tuple[Choice, Random], plan: Plan) -> tuple[Choice, Plan, Random]:
    return chosen[0], plan, chosen[1]


def window_of(messages: Sequence[Message], plan: Plan, slowest: int) -> Window:
    """From the begin-th period to the end-th before the last message."""
    periodic = [one.at for one in messages if one.period is not None]
    if not periodic:
        return Window(messages[0].at if messages else 0, messages[-1].at if messages else 0)
    since = periodic[0] + round(plan.begin * slowest)
    return Window(since, max(since, periodic[-1] - round(plan.end * slowest)))
