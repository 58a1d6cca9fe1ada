"""The declared list against the data: who sends unannounced, who is announced and never sends.

Does: say it when it lasted, and when it is over. Does not: touch a verdict or a list; rows name
strangers as ``unexpected`` and the unheard as missing all the time.
Rules: looked at when a period closes that brought anything. A stranger is said after 2 periods, as
never announced after 5; it is forgotten after 5 without it, or when a list names it (``life``).
Who is on the list and was not heard is said after 5 periods in which others sent. The difference
as a whole is said after 5 periods running, and so is its end. Everything is said once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.core.context import Context
from collector.core.memory.state import Subscription
from collector.core.memory.state_parts import Life, Slot, Stranger
from collector.core.originators import life as lives

UNANNOUNCED = 2
CONTRADICTIONS = 5
"""Periods after which it is no mishap any more."""
STRANGERS = 64
"""Strangers of one subscription that are followed (ours)."""


def follow(
    context: Context, subscription: Subscription, slots: Mapping[str, Slot], now: int
) -> None:
    """A period closed with these senders under a declared list."""
    if subscription.quiet:
        return
    life = lives.of(subscription)
    newest = subscription.lists[-1]
    known = subscription.originators
    never = [
        name for name in newest.members
        if (one := known.get(name)) is None or one.first_index is None
    ]  # fmt: skip
    strangers = [name for name in slots if name not in newest.allowed]
    _follow_strangers(context, subscription, life, {name: slots[name] for name in strangers}, now)
    _follow_unheard(context, subscription, life, never, now)
    told = [f"{name} never sends" for name in sorted(never)]
    told += [f"{name} sends and is not declared" for name in sorted(strangers)]
    _follow_list(context, subscription, life, tuple(told), now)
    life.is_open = bool(life.strangers or life.unheard or life.contradiction or life.against_run)


def _follow_strangers(
    context: Context, subscription: Subscription, life: Life, slots: Mapping[str, Slot], now: int
) -> None:
    for name, slot in slots.items():
        one = life.strangers.get(name)
        if one is None:
            if len(life.strangers) >= STRANGERS:
                continue
            one = Stranger(slot.first_arrival)
            life.strangers = life.strangers | {name: one}
        one.present += 1
        one.absent = 0
        if one.present == UNANNOUNCED:
            _say(
                context, subscription, name, "originator_unannounced", now,
                f"Generator {name} sends updates of {subscription.name} and the list that the "
                "device declared does not name it.",
            )  # fmt: skip
        elif one.present == CONTRADICTIONS:
            _say(
                context, subscription, name, "originator_never_announced", now,
                f"Generator {name} has sent updates of {subscription.name} for {CONTRADICTIONS} "
                "periods and was never announced.",
            )  # fmt: skip
    listed = subscription.lists[-1].allowed
    for name in [one for one in life.strangers if one not in slots]:
        if name in listed and life.told_due is not None:
            continue  # how late it was announced is told with the list
        life.strangers[name].absent += 1
        if name in listed or life.strangers[name].absent >= CONTRADICTIONS:
            del life.strangers[name]


def _follow_unheard(
    context: Context, subscription: Subscription, life: Life, never: Sequence[str], now: int
) -> None:
    before, life.unheard = dict(life.unheard), {}
    for name in never:
        periods = life.unheard[name] = before.pop(name, 0) + 1
        if periods == CONTRADICTIONS:
            _say(
                context, subscription, name, "originator_never_sends", now,
                f"Generator {name} is on the list of {subscription.name} and has sent nothing in "
                f"{CONTRADICTIONS} periods in which others did.",
            )  # fmt: skip
    for name, periods in before.items():
        if periods >= CONTRADICTIONS and name in subscription.lists[-1].allowed:
            _say(
                context, subscription, name, "originator_sends_at_last", now,
                f"Generator {name} sends updates of {subscription.name} at last, {periods} periods "
                "after it was announced.",
            )  # fmt: skip


def _follow_list(
    context: Context, subscription: Subscription, life: Life, told: tuple[str, ...], now: int
) -> None:
    """The whole difference; of one that was said only another one that stays is news."""
    said = life.contradiction
    if told == said:
        life.against_run = 0
        return
    same = not said or told == life.against
    life.against, life.against_run = told, life.against_run + 1 if same else 1
    if life.against_run < CONTRADICTIONS:
        return
    life.contradiction, life.against, life.against_run = told, (), 0
    if told:
        kind = "list_contradicts_data"
        text = f"The declared list contradicts the data of {CONTRADICTIONS} periods: "
        shown = told[: lives.MOST_SAID]
        more = f" and {len(told) - len(shown)} more" if len(told) > len(shown) else ""
        text += f"{', '.join(shown)}{more}."
    else:
        kind = "list_fits_data"
        text = f"The declared list of {subscription.name} and the data agree again."
    _say(context, subscription, subscription.name, kind, now, text)


def _say(
    context: Context, subscription: Subscription, subject: str, kind: str, now: int, text: str
) -> None:
    context.event(now, subscription.device, subject, kind, text)
