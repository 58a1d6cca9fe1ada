"""The two books of a counter: one run of Message IDs for all, or one for each subscription.

Does: say which book the device keeps, which runs a message is followed in, and begin and drop runs.
Does not: follow ids (``message_ids``).
Rules: docs/verdicts.md, "Counter and its scope". Each oddity costs the book that shows it;
the cheaper one counts. Source ports decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from collector.core.memory.state import NONE_YET, NOTHING, Counter, Hole, Run

COST_LIMIT = 8
LEAD = 2
"""Once decided, the other book has to be cheaper by so much."""


def charge(run: Run, cost: int) -> bool:
    """A book pays; not while one subscription is left, when the other would have paid as well."""
    counter = run.counter
    if len(counter.each) == 1:
        return False
    if run is counter.all:
        counter.cost_all += cost
    else:
        counter.cost_each += cost
    return True


def charge_for_behind(run: Run) -> None:
    """An id came late, or behind what it should be in front of.

    What is behind in the run of its subscription would be behind in the one for all messages as
    well: a common cost, which nobody pays while that one is laid aside. (Not the other way round:
    what is late in the run for all may be next in the one of its subscription.)
    """
    if run is run.counter.all or run.counter.all.last_id is not None:
        charge(run, 1)


def decide(counter: Counter) -> bool:
    """Which book counts? Returns True when that changed; the caller judges again.

    The common cost is taken off both; costs stop at 8. The first book to be cheaper wins, later a
    lead of 2 switches; undecided means one run per header id.
    """
    if counter.cost_all == counter.cost_each:
        counter.cost_all = counter.cost_each = 0
        return False
    common = min(counter.cost_all, counter.cost_each)
    counter.cost_all = min(counter.cost_all - common, COST_LIMIT)
    counter.cost_each = min(counter.cost_each - common, COST_LIMIT)
    lead = counter.cost_all - counter.cost_each
    if counter.decided and abs(lead) < LEAD:
        return False
    counter.decided = True
    if counter.per_key == (lead > 0):
        return False
    counter.per_key = lead > 0
    counter.all.in_force = not counter.per_key
    for run in counter.each.values():
        run.in_force = counter.per_key
    return True


def force(counter: Counter, per_key: bool) -> bool:
    """The operator says which book counts; the other one is not followed.

    To be called when that is said, when a book begins and when one has had to pay. Returns True
    when it changed which book counts.
    """
    counter.decided = True
    counter.cost_all = COST_LIMIT if per_key else 0
    counter.cost_each = 0 if per_key else COST_LIMIT
    all_counts = not (per_key and counter.each)
    if counter.per_key == per_key and counter.all.in_force == all_counts:
        return False
    counter.per_key, counter.all.in_force = per_key, all_counts
    for run in counter.each.values():
        run.in_force = per_key
    return True


def followed(counter: Counter, each: Run | None) -> tuple[Run, ...]:
    """The runs in which a message is followed: one in each book.

    A book that is behind by the limit is not: with many subscriptions behind a header id the wrong
    one sees a hole at every message. It begins afresh once the other one has had to pay. With one
    subscription left both would be the same.

    Args:
        each: the run of the message's subscription; None while there is no second book.
    """
    if each is None:
        return (counter.all,)
    if len(counter.each) == 1:
        return (each,) if counter.per_key else (counter.all,)
    lead = counter.cost_all - counter.cost_each
    if lead >= COST_LIMIT:
        return (each,)
    return (counter.all,) if lead <= -COST_LIMIT else (counter.all, each)


def begins_beside(counter: Counter, each: Run | None) -> bool:
    """Will the run of a subscription, laid aside so far, only begin with this message, while the
    run for all counts?

    It finds nothing odd then, whatever happened: a burst of hundreds of subscriptions in which ten
    messages are lost would make it the cheaper book.
    """
    begins = each is not None and each.last_id is None
    return begins and counter.decided and not counter.per_key


def take_back(counter: Counter, cost_all: int) -> None:
    """What the run for all paid for a message that was no comparison only has the other book
    followed again, and brings it no nearer.

    Args:
        cost_all: what it had paid before.
    """
    followed_from = counter.cost_each - COST_LIMIT + 1
    counter.cost_all = min(counter.cost_all, max(cost_all, followed_from))


def is_far_behind(counter: Counter) -> bool:
    """Is one of the books behind by the limit?"""
    return abs(counter.cost_all - counter.cost_each) >= COST_LIMIT


def lay_aside(counter: Counter) -> None:
    """Forget where the dearer book stood: when it is followed again it has missed much."""
    for run in (counter.all,) if counter.per_key else counter.each.values():
        run.last_id = None
        run.messages = 0
        run.holes = run.unmet = ()


def run_for_key(counter: Counter, key: int, limit: int) -> Run | None:
    """The run of one subscription in the second book; None while there is only one key.

    The second book begins when a second key comes: until then both would be the same.
    """
    run = counter.each.get(key)
    if run is not None:
        return run
    if counter.only_key is None:
        counter.only_key = key
    if key == counter.only_key:
        return None
    if not counter.each:
        first = copied(counter.all, counter.only_key, counter.per_key)
        counter.each = {counter.only_key: first}
        counter.cost_all = counter.cost_each = 0
    if len(counter.each) >= limit:
        return None
    run = counter.each[key] = Run(counter, key, counter.per_key)
    return run


def forget_runs(counter: Counter, over: Collection[int]) -> bool:
    """Drop the runs of subscriptions that are over. With one left the book that counts is enough.

    Args:
        over: keys of runs, not all of them.

    Returns:
        Whether the other book is laid aside by that, until there is a second subscription again.
    """
    counter.each = {key: run for key, run in counter.each.items() if key not in over}
    if len(counter.each) > 1:
        return False
    if counter.per_key:
        lay_aside(counter)
    else:
        (counter.only_key,) = counter.each
        counter.each = NONE_YET
    return True


def copied(run: Run, key: int, in_force: bool) -> Run:
    """The same run in the other book; its holes are blamed on the same suspects."""
    twin = Run(run.counter, key, in_force)
    for name in ("last_id", "last_arrival", "last_time", "last_originator", "last_index",
                 "first_arrival", "messages", "bundled"):  # fmt: skip
        setattr(twin, name, getattr(run, name))
    twin.seen, twin.speakers = run.seen[:], run.speakers[:]
    for hole in run.holes:
        same = Hole(twin, hole.first_id, hole.size, hole.before_arrival, hole.after_arrival,
                    hole.cause)  # fmt: skip
        same.found = set(hole.found) or NOTHING
        same.priced, same.opened = hole.priced, hole.opened
        same.suspects = hole.suspects
        same.blamed = hole.blamed
        for originator, index in same.suspects:
            if index in originator.holes:
                originator.holes[index] += (same,)
                originator.subscription.marks += 1
        twin.holes += (same,)
    return twin
