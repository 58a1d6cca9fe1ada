"""The life of originators: who came, left or took another's place, and whom the operator misses.

Does: follow what the device declares for a subscription, whichever list counts, and say each change
once; hold it against the operator's ``expect`` and say when somebody is missing in it.
Does not: change who is required (``expected``), nor look at data (``contradictions``).
Rules: a change is told at once when nothing was told within the hold; else when that is over, as
one difference from what was told last. The hold is max(2 periods, 20 s); it doubles each time, up
to an hour, until nothing was to be told for eight of them. What ``expect`` misses is told when it
lasted for max(2 periods, 20 s), its end likewise. What was told outlives a new revision of the same
selection: who left while no session was up is told with the next list.
Spec: draft-zhou-netconf-multi-stream-originators-10 §7 (subscription-modified with the whole list).
"""

from __future__ import annotations

from collections.abc import Sequence

from collector.core.context import Context
from collector.core.expectation.deadlines import amendable
from collector.core.memory.state import Subscription
from collector.core.memory.state_parts import Life
from collector.model import SECOND

LONGEST_HOLD = 3600 * SECOND
STEADY_HOLDS = 8
"""After so many holds without a word the next one is as short as at first (ours)."""
MOST_SAID = 16
"""Generators of one change that get an event each; of the others one says how many (ours)."""
LATE_PERIODS = 2
"""A generator that sent for so many periods before the list named it was announced late (ours): an
update that only overtakes the list belongs to one."""


def of(subscription: Subscription) -> Life:
    """What is known of its originators."""
    if subscription.life is None:
        subscription.life = Life()
    return subscription.life


def go_on(context: Context, before: Subscription, after: Subscription) -> None:
    """What people know of a series stays true in its next revision, unless that selects others."""
    life, old, new = before.life, before.terms, after.terms
    if life is None or before.name != after.name:
        return
    if (old.selection_filter, old.datastore, old.stream) != (
        new.selection_filter, new.datastore, new.stream
    ):  # fmt: skip
        return
    before.life, after.life = None, life
    life.unheard, life.due = {}, None
    life.told_due = _not_before(life.told_due, after.since)
    life.short_due = _not_before(life.short_due, after.since)
    _schedule(context, after, life)


def _not_before(due: int | None, since: int) -> int | None:
    return None if due is None else max(due, since)


# --------------------------------------------------------------------------- what is declared
def declares(
    context: Context, subscription: Subscription, declared: tuple[str, ...], arrival: int
) -> None:
    """The device said a list."""
    life = of(subscription)
    before, life.declared = life.declared, context.same(tuple(dict.fromkeys(declared)))
    if before is None:
        life.told, life.hold = life.declared, amendable(subscription.period)
        life.spoke_at = arrival - STEADY_HOLDS * life.hold
    elif frozenset(life.declared) != frozenset(before):
        life.changes += 1
        if life.told_due is None:
            life.told_due = max(arrival, life.spoke_at + life.hold)
        if life.told_due <= arrival:
            _tell(context, subscription, life, arrival)
    _hold_against_expect(subscription, life, arrival)
    _schedule(context, subscription, life)


def declares_again(
    context: Context, subscription: Subscription, declared: tuple[str, ...], arrival: int
) -> None:
    """The device modified the subscription, not its terms; perhaps not its list either."""
    life = of(subscription)
    steady = arrival - max(life.spoke_at, subscription.since) >= life.hold
    if not steady or frozenset(declared) != frozenset(life.told) or life.changes:
        return  # a list comes with our own requests, too
    _speaks(subscription, life, arrival)
    context.event(
        arrival, subscription.device, subscription.name, "decomposed_anew",
        f"{subscription.device} modified {subscription.name} and kept its list of generators: "
        "nodes may have moved between them.",
    )  # fmt: skip


def look(context: Context, subscription: Subscription, now: int) -> None:
    """What was held back is told."""
    life = of(subscription)
    life.due = None
    if life.told_due is not None and life.told_due <= now:
        _tell(context, subscription, life, now)
    if life.short_due is not None and life.short_due <= now:
        _tell_expect(context, subscription, life, now)
    _schedule(context, subscription, life)


def _schedule(context: Context, subscription: Subscription, life: Life) -> None:
    times = [time for time in (life.told_due, life.short_due) if time is not None]
    context.deadlines.life_at(subscription, life, min(times, default=None))


def _speaks(subscription: Subscription, life: Life, now: int) -> None:
    steady = now - life.spoke_at >= STEADY_HOLDS * life.hold
    life.hold = amendable(subscription.period) if steady else min(2 * life.hold, LONGEST_HOLD)
    life.spoke_at = now


def _tell(context: Context, subscription: Subscription, life: Life, now: int) -> None:
    """In what the list differs from the one that people know."""
    before, after = life.told, life.declared or ()
    came = [name for name in after if name not in frozenset(before)]
    gone = [name for name in before if name not in frozenset(after)]
    changes, since = life.changes, life.spoke_at
    life.told, life.changes, life.told_due = after, 0, None
    _speaks(subscription, life, now)
    if not came and not gone:
        _say(
            context, subscription, now, subscription.name, "list_unsteady",
            f"The list of {subscription.name} changed {changes} times within "
            f"{_seconds(now - since)} and names the same generators as before.",
        )  # fmt: skip
        return
    pairs = _replacements(before, after, came, gone)
    for name in came[:MOST_SAID]:
        if name in pairs:
            _replaced(context, subscription, pairs[name], name, now)
        else:
            _added(context, subscription, life, name, now)
    for name in [one for one in gone if one not in pairs.values()][:MOST_SAID]:
        _say(
            context, subscription, now, name, "originator_removed",
            f"Generator {name} is no longer on the list of {subscription.name}.",
        )  # fmt: skip
    for names, kind, word in ((came, "added", "came"), (gone, "removed", "left")):
        if len(names) > MOST_SAID:
            _say(
                context, subscription, now, subscription.name, f"originator_{kind}",
                f"{len(names)} generators {word} at once in the list of {subscription.name}.",
            )  # fmt: skip
    life.strangers = {name: one for name, one in life.strangers.items() if name not in after}


def _replacements(
    before: Sequence[str], after: Sequence[str], came: Sequence[str], gone: Sequence[str]
) -> dict[str, str]:
    """Who came -> whose place it took: the list is ordered, and one for one says it as well."""
    if len(came) == len(gone) == 1:
        return {came[0]: gone[0]}
    left, new = frozenset(gone), frozenset(came)
    return {
        now: then for then, now in zip(before, after, strict=False) if then in left and now in new
    }


def _replaced(context: Context, subscription: Subscription, old: str, new: str, now: int) -> None:
    _say(
        context, subscription, now, new, "originator_replaced",
        f"Generator {new} took the place of {old} in the list of {subscription.name}: the line "
        "card was replaced, has another id, or gave its nodes away.",
    )  # fmt: skip


def _added(context: Context, subscription: Subscription, life: Life, name: str, now: int) -> None:
    stranger, known = life.strangers.get(name), subscription.originators.get(name)
    if stranger is not None and stranger.present >= LATE_PERIODS:
        _say(
            context, subscription, now, name, "originator_announced_late",
            f"Generator {name} is on the list of {subscription.name} now; it had been sending for "
            f"{_seconds(now - stranger.since)} before.",
        )  # fmt: skip
    else:
        back = stranger is None and known is not None and known.heard
        _say(
            context, subscription, now, name, "originator_added",
            f"Generator {name} is on the list of {subscription.name} {'again' if back else 'now'}.",
        )  # fmt: skip


# --------------------------------------------------------------------------- what is learned
def learned(context: Context, subscription: Subscription, before: Sequence[str], now: int) -> None:
    """A learned list grew: newcomers, and perhaps one whose place one of them took."""
    known = subscription.originators
    after = subscription.lists[-1].members
    came = [name for name in after if name not in frozenset(before)]
    for name in came[:MOST_SAID]:
        began = known[name].first_arrival
        silent = [one for one in before if known[one].last_arrival < began]
        took = ""
        kind = "originator_added"
        if len(silent) == len(came) == 1:
            kind = "originator_replaced"
            took = f"; it came when {silent[0]} had fallen silent and may have taken its place"
        _say(
            context, subscription, now, name, kind,
            f"Generator {name} sends updates of {subscription.name} and is expected from now on"
            f"{took}.",
        )  # fmt: skip


# --------------------------------------------------------------------------- the operator
def expects(
    context: Context, subscription: Subscription, expect: tuple[str, ...] | None, arrival: int
) -> None:
    """The operator's list, or none: what was missing by the one before is over at once."""
    if not expect and subscription.life is None:
        return
    life = of(subscription)
    life.expect = tuple(dict.fromkeys(expect or ()))
    _hold_against_expect(subscription, life, arrival)
    if not expect and life.short:
        _tell_expect(context, subscription, life, arrival)
    _schedule(context, subscription, life)


def not_declared(life: Life) -> tuple[str, ...]:
    """Whom the operator expects and the device does not name; nobody while it names none."""
    if life.declared is None:
        return ()
    declared = frozenset(life.declared)
    return tuple(name for name in life.expect if name not in declared)


def _hold_against_expect(subscription: Subscription, life: Life, now: int) -> None:
    if not_declared(life) == life.short:
        life.short_due = None
    elif life.short_due is None:
        life.short_due = now + amendable(subscription.period)


def _tell_expect(context: Context, subscription: Subscription, life: Life, now: int) -> None:
    life.short, life.short_due = not_declared(life), None
    name, device, number = subscription.name, subscription.device, len(life.expect)
    if life.short:
        shown = ", ".join(life.short[:MOST_SAID])
        more = f" and {len(life.short) - MOST_SAID} more" if len(life.short) > MOST_SAID else ""
        text = (
            f"{device} declares {number - len(life.short)} of the {number} generators that are "
            f"expected for {name}; not {shown}{more}."
        )
    elif life.expect:
        text = f"{device} declares all {number} generators that are expected for {name} again."
    else:
        text = f"No generators are expected for {name} of {device} any more."
    kind = "declares_less" if life.short else "declares_enough"
    _say(context, subscription, now, name, kind, text)


def _say(
    context: Context, subscription: Subscription, now: int, subject: str, kind: str, text: str
) -> None:
    context.event(now, subscription.device, subject, kind, text)


def _seconds(duration: int) -> str:
    return f"{duration / SECOND:.0f} s"
