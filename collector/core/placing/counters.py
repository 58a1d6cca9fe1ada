"""What a message's id means for the periods of a device: holes are blamed, restarts said.

Does: follow each message in both books of its counter, and draw the conclusions once it is placed.
Does not: know the rules of ids (``message_ids``) or of blame (``gaps``); it joins the two.
Rules: docs/verdicts.md, "Counter and its scope", "Ids", "Gaps and suspects".
"""

from __future__ import annotations

from collections.abc import Iterable

from collector.core.context import Context, Seen
from collector.core.expectation.deadlines import amendable
from collector.core.judging import forgetting
from collector.core.judging.judge import is_past
from collector.core.memory.state import (
    ALL_KEYS,
    NO_SUBSCRIPTION,
    Counter,
    Device,
    Hole,
    Restart,
    Run,
)
from collector.core.numbering import gaps, message_ids, two_books
from collector.core.numbering.message_ids import Finding
from collector.core.numbering.seen_ids import PATIENCE, Signature
from collector.model import Rejected, StateChanged, Unreassembled, Update

NOBODYS_KEPT = 16
"""State changes of a device of which it is not known who sent them (ours)."""
HELD_UP_SHARE = 8
"""Held up is a record when ids behind its own came more than this share of a period before it."""

_KEPT = frozenset((Finding.DUPLICATE, Finding.FILLS, Finding.OVERTAKEN))
"""What holds for every notification of a message; a gap or a restart is its first one's."""
Numbered = Update | StateChanged


def counter_of(
    context: Context,
    device: Device,
    source: str,
    publisher_id: int | None,
    generator: str,
    arrival: int,
) -> Counter | None:
    """The counter behind a header id; without one the generator stands for it.

    Without a header the ids are the sequence numbers of messages, which every publisher process
    counts for itself (draft-ietf-netconf-notif-envelope §3.2; Huawei's generator_sn likewise).
    """
    header = generator if publisher_id is None else publisher_id
    counter = device.counters.get((source, header))
    if counter is None:
        if len(device.counters) >= context.settings.limits.counters_per_device:
            device.count_refused("counters")
            if not _make_room(device, arrival - context.settings.forget_after):
                return None
        counter = device.counters[source, header] = Counter(source, header)
    return counter


def speaker_of(device: Device, record: StateChanged) -> str | None:
    """Whose id a state change carries, where no header says it: a text as for ``counter_of``.

    It names no generator, but takes part in the count of the process that sent it. That is the
    counter of its source which has that id next, or misses it, if there is just one; else the only
    counter of the source. None: nobody can tell, so that the id is not followed.
    """
    named = record.notification.generator
    if record.publisher_id is not None:
        return str(record.publisher_id)
    if named is not None or record.message_id is None:
        return named
    of_source = {
        header: counter
        for (source, header), counter in device.counters.items()
        if source == record.source and isinstance(header, str)
    }
    due = [h for h, counter in of_source.items() if message_ids.is_due(counter, record.message_id)]
    if len(due) == 1:
        return due[0]
    return record.source if of_source.keys() <= {record.source} else None


def _make_room(device: Device, before: int) -> bool:
    """Forget the counter that has been silent for longest, if since ``before``."""
    key, oldest = min(device.counters.items(), key=lambda item: item[1].last_arrival)
    if oldest.last_arrival >= before:
        return False
    del device.counters[key]
    return True


def observe(
    context: Context,
    device: Device,
    record: Numbered,
    generator: str,
    key: int,
    event_time: int | None,
    period: int,
) -> list[Seen]:
    """Follow the id in both books; the second one only where there are two keys.

    A further notification of the same message has the id of the first one, which was followed.
    """
    if record.message_id is None:
        return []
    if context.bundle:
        return _of_bundle(context.bundle, key)
    seen = _follow(context, device, record, generator, key, event_time, period)
    if context.bundle is not None:
        context.bundle = seen
    return seen


def _of_bundle(seen: Iterable[Seen], key: int) -> list[Seen]:
    return [
        (run, found, hole) if found in _KEPT else (run, Finding.NEXT, None)
        for run, found, hole in seen
        if run.key in (ALL_KEYS, key)
    ]


def _follow(
    context: Context,
    device: Device,
    record: Numbered,
    generator: str,
    key: int,
    event_time: int | None,
    period: int,
) -> list[Seen]:
    assert record.message_id is not None
    counter = counter_of(
        context, device, record.source, record.publisher_id, generator, record.arrival
    )
    if counter is None:
        return []
    kind = record.kind if isinstance(record, Update) else record.notification.kind
    signature: Signature = (
        record.message_id, event_time, key, generator, str(kind), record.arrival,
    )  # fmt: skip
    limits = context.settings.limits
    if len(counter.each) > 1:
        _sweep(device, counter, key, record.arrival)
    each = two_books.run_for_key(counter, key, limits.keys_per_counter)
    forced = context.settings.per_subscription.get(device.name)
    if forced is not None:
        force(context, counter, forced)
    runs = two_books.followed(counter, each)
    if each is not None and each in runs and message_ids.is_duplicate(each, signature, period):
        # what one book knows to be doubled costs neither; the run of one subscription knows best
        return [(run, Finding.DUPLICATE, None) for run in runs]
    if message_ids.begins_late(counter, each, record.message_id):
        runs = tuple(run for run in runs if run is each) or runs
    begins, paid = two_books.begins_beside(counter, each), counter.cost_all
    seen = [(run, *message_ids.observe(run, signature, period, limits.open_holes)) for run in runs]
    if begins:
        two_books.take_back(counter, paid)
    if device.nobodys and record.publisher_id is None:
        seen = [_excused(device, record.source, one) for one in seen]
    if each is not None and any(found is not Finding.NEXT for _, found, _ in seen):
        if forced is None:
            _decide(context, counter)
        else:
            force(context, counter, forced)
        runs = two_books.followed(counter, each)
        seen = [one for one in seen if one[0] in runs]
    return seen


def _sweep(device: Device, counter: Counter, key: int, now: int) -> None:
    """Drop the runs of subscriptions that are over: nothing that is judged depends on them.

    Not while a message of one may still be on its way, and not the one of the message in hand. Only
    with messages that never go the straight way: else batch borders would say when.
    """
    if now - counter.swept < PATIENCE or (key in counter.each and two_books.is_far_behind(counter)):
        return
    counter.swept = now
    over = [
        one for one, run in counter.each.items()
        if one != key and _is_over(device, one, now - run.last_arrival)
    ]  # fmt: skip
    if key not in counter.each and len(over) == len(counter.each):
        over.remove(max(over, key=lambda one: counter.each[one].last_arrival))
    if over and two_books.forget_runs(counter, over):
        gaps.acquit(counter)


def _is_over(device: Device, key: int, silent_for: int) -> bool:
    one = device.subscriptions.get(key)
    if one is not None:
        return not one.live and silent_for >= amendable(one.period)
    known = key == NO_SUBSCRIPTION or key in device.unknown
    return not known and silent_for >= amendable(0)


def force(context: Context, counter: Counter, per_subscription: bool) -> None:
    """The operator says which book counts."""
    if two_books.force(counter, per_subscription):
        _switched(context, counter)
        if counter.each:
            two_books.lay_aside(counter)
            gaps.acquit(counter)


def _excused(device: Device, source: str, one: Seen) -> Seen:
    """A gap of ids that nobody's messages had is none."""
    run, found, hole = one
    if found is not Finding.GAP or hole is None:
        return one
    for sender, taken in device.nobodys:
        missed = sender == source and message_ids.hole_with(run, taken) is hole
        if missed and message_ids.excuse(run, hole, taken):
            return run, Finding.NEXT, None
    return one


def observe_state_change(
    context: Context, device: Device, record: StateChanged, key: int, period: int
) -> list[Seen]:
    """Follow the id of a state change, where it is known whose it is."""
    speaker = "" if context.bundle else speaker_of(device, record)
    if speaker is None:
        if record.message_id is not None:
            device.nobodys = [*device.nobodys, (record.source, record.message_id)][-NOBODYS_KEPT:]
        return []
    event_time = record.notification.event_time
    return observe(context, device, record, speaker, key, event_time, period)


def _decide(context: Context, counter: Counter) -> None:
    """Costs have changed: does the other book count now, is one not worth following?"""
    if two_books.decide(counter):
        _switched(context, counter)
    if two_books.is_far_behind(counter):
        two_books.lay_aside(counter)
        gaps.acquit(counter)


def counted(seen: list[Seen]) -> Finding | None:
    """What the book that counts says; None without ids."""
    for run, found, _ in seen:
        if run.in_force:
            return found
    return None


def was_overtaken(seen: list[Seen], arrival: int, period: int) -> bool:
    """Did later messages of its counter come so long before it that it was held up?

    What the network shuffles within a moment proves nothing about half a period.
    """
    for run, found, hole in seen:
        if run.in_force:
            if hole is not None and found is Finding.FILLS:
                return arrival - hole.opened > period // HELD_UP_SHARE
            return found is Finding.OVERTAKEN
    return False


def conclude(
    context: Context, seen: list[Seen], here: gaps.Suspect | None, record: Numbered
) -> None:
    """Holes, restarts and periods that wait for a counter to speak.

    Args:
        here: where the message was placed, None for one that belongs to no period.
    """
    for run, found, hole in seen:
        if found is not Finding.NEXT or run.waiting or run.unmet:
            _conclude(context, run, found, hole, here, record)
        if here is not None and found not in (Finding.FILLS, Finding.OVERTAKEN):
            run.last_originator, run.last_index = here


def _conclude(
    context: Context,
    run: Run,
    found: Finding,
    hole: Hole | None,
    here: gaps.Suspect | None,
    record: Numbered,
) -> None:
    if hole is not None and found is Finding.GAP:
        _blame(context, record.device, run, hole, here)
    elif hole is not None:
        for originator, _ in hole.suspects:
            originator.recount = True
        mark(context, hole.suspects)
    elif found is Finding.RESTART:
        _restarted(context, record, run, here)
    if here is not None:
        for waiting in run.unmet:
            gaps.blame(waiting, [here] if gaps.is_suspect_index(*here) else [])
            mark(context, waiting.suspects)
        run.unmet = ()
    before, run.waiting = run.waiting, ()
    for originator, index in before:
        if originator.subscription.live and is_past(originator, index):
            context.mark(originator.subscription, index)


def _blame(context: Context, device: str, run: Run, hole: Hole, here: gaps.Suspect | None) -> None:
    """Fix the suspects of a hole: by arcs, else its two neighbours."""
    suspects = _suspects(context, run, hole.before_arrival, hole.after_arrival, here)
    gaps.blame(hole, suspects)
    if not hole.suspects and run.in_force:
        forgetting.say_unattributed(context, device, hole, hole.opened)
    for subscription, index in gaps.affected(hole.suspects):
        period = subscription.periods.get(index)
        if period is not None and period.row is not None:  # a hole makes nothing complete
            context.mark(subscription, index)


def _suspects(
    context: Context, run: Run, start: int, end: int, here: gaps.Suspect | None
) -> list[gaps.Suspect]:
    limit = context.settings.limits.suspects
    return gaps.suspects_between(run, start, end, limit) or _neighbours(run, here)


def _neighbours(run: Run, here: gaps.Suspect | None) -> list[gaps.Suspect]:
    near: list[gaps.Suspect] = []
    if run.last_originator is not None:
        near.append((run.last_originator, run.last_index))
    if here is not None:
        near.append(here)
    return [one for one in near if gaps.is_suspect_index(*one)]


def _restarted(context: Context, record: Numbered, run: Run, here: gaps.Suspect | None) -> None:
    """Ids began anew: who misses the period it falls in may have been restarted."""
    assert run.before_restart is not None
    restart = Restart(run)
    gaps.accuse(restart, _suspects(context, run, run.before_restart, record.arrival, here))
    if run.in_force:
        counter = run.counter
        context.event(
            record.arrival, record.device, f"{counter.source} {counter.header_id}", "restart",
            f"Message IDs began anew at {record.message_id}.",
        )  # fmt: skip
    mark(context, restart.suspects)


def _switched(context: Context, counter: Counter) -> None:
    """The other book counts now: what the first one touched is judged again."""
    for originator in counter.originators:
        originator.recount = True
        for index in {*originator.holes, *originator.restarts}:
            context.mark(originator.subscription, index)


def mark(context: Context, suspects: Iterable[gaps.Suspect]) -> None:
    """Verdicts that may depend on these suspects are judged again."""
    for subscription, index in gaps.affected(suspects):
        context.mark(subscription, index)


def without_message(context: Context, device: Device, record: Unreassembled | Rejected) -> None:
    """A message that is half built or was refused: its id is a hole of its own."""
    if record.message_id is None or record.publisher_id is None:
        return
    counter = counter_of(context, device, record.source, record.publisher_id, "", record.arrival)
    if counter is None:
        return
    half_built = isinstance(record, Unreassembled)
    at = record.first_arrival if isinstance(record, Unreassembled) else record.arrival
    cause = "unreassembled" if half_built else "rejected"
    limit = context.settings.limits.open_holes
    for run in message_ids.runs_for_lone_id(counter, record.message_id, at):
        before, lone = message_ids.arrive_without_message(run, record.message_id, at, cause, limit)
        if before is not None:
            _blame(context, device.name, run, before, None)
        if lone is not None:
            _blame_lone(context, run, lone, at)


def _blame_lone(context: Context, run: Run, lone: Hole, at: int) -> None:
    """Who may have sent a message of which only the id is known: by arcs, by the nearest one where
    it met none, else its neighbours, the one behind it when that comes."""
    limit = context.settings.limits
    suspects = gaps.suspects_between(run, at, at, limit.suspects) or gaps.nearest(run, at)
    if not suspects:
        suspects = _neighbours(run, None)
        run.unmet = (*run.unmet, lone)[-limit.open_holes :]
    gaps.blame(lone, suspects)
    mark(context, lone.suspects)
