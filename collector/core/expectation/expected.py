"""Who is expected: the list in force, since when, declared by whom, and the learned list.

Does not: say verdicts. A subscription's lists are in ``Subscription.lists``, oldest first.
Rules: docs/verdicts.md, "Who is expected" and "Change of the list".
"""

from __future__ import annotations

from typing import NamedTuple

from collector.core.memory import arcs
from collector.core.memory.state import Subscription
from collector.core.memory.state_parts import ListInForce
from collector.model import Provenance

FIRST_LOCK = 2
"""A learned list locks with this period with data at the earliest."""
NEWCOMER_PERIODS = 2
"""A newcomer is required once present in so many periods running."""


class Expected(NamedTuple):
    """Who must deliver in a period, and who may."""

    members: tuple[str, ...]
    """Required: what all lists in force around the period have in common, in their order."""
    allowed: frozenset[str]
    """What any of them has."""
    provenance: Provenance


def window(subscription: Subscription, index: int) -> tuple[int, int]:
    """[start, end) by the publisher's clock in which lists and changes count for a period."""
    assert subscription.offset is not None
    period = subscription.period
    start = arcs.nominal(subscription.offset, period, index) - period // 2
    return start, start + period


def suspended(subscription: Subscription, index: int) -> bool:
    """Was it suspended at some instant of a period's window, as far as we were told?"""
    if not subscription.suspensions:
        return False
    start, end = window(subscription, index)
    return any(
        since is not None and since < end and (until is None or until > start)
        for since, until in subscription.suspensions
    )


def is_settled(subscription: Subscription, index: int) -> bool:
    """Does only the newest list count for a period (the common case)?"""
    if not subscription.lists:
        return True
    since = subscription.lists[-1].since
    return since is None or window(subscription, index)[0] >= since


def at(subscription: Subscription, index: int) -> Expected | None:
    """Who is expected in a period; None while no list is known."""
    if not subscription.lists:
        return None
    newest = subscription.lists[-1]
    if is_settled(subscription, index):
        return Expected(newest.members, newest.allowed, newest.provenance)
    in_force = _in_force(subscription, index)
    if not in_force:
        return None
    common = [name for name in in_force[0].members if all(name in one.allowed for one in in_force)]
    allowed = frozenset().union(*(one.allowed for one in in_force))
    return Expected(tuple(common), allowed, in_force[-1].provenance)


def _in_force(subscription: Subscription, index: int) -> list[ListInForce]:
    start, end = window(subscription, index)
    found: list[ListInForce] = []
    until: int | None = None
    for one in reversed(subscription.lists):
        begins = one.since is None or one.since < end
        if begins and (until is None or until > start):
            found.append(one)
        until = one.since
        if until is not None and until <= start:
            break
    return found[::-1]


def leaves(subscription: Subscription, name: str, index: int, until: int) -> bool:
    """Did a list without ``name`` come into force after a period, at the latest at ``until``?"""
    _, end = window(subscription, index)
    return any(
        one.since is not None and one.since >= end and one.arrival <= until
        and name not in one.allowed
        for one in subscription.lists
    )  # fmt: skip


def add_list(
    subscription: Subscription,
    since: int | None,
    arrival: int,
    members: tuple[str, ...],
    provenance: Provenance,
    limit: int,
) -> None:
    """A list comes into force; duplicates in it are merged."""
    lists = subscription.lists
    if lists and since is not None and lists[-1].since is not None:
        since = max(since, lists[-1].since)
    lists.append(ListInForce(since, arrival, tuple(dict.fromkeys(members)), provenance))
    if len(lists) > limit:
        lists[1].since = lists[0].since  # the oldest that is left stands for it
        del lists[0]


# --------------------------------------------------------------------------- the learned list
def learn(subscription: Subscription, index: int, heard: set[str], time: int, limit: int) -> bool:
    """Period ``index`` closed with ``heard`` present: the learned list may lock or grow.

    Returns:
        True when a list came into force, from the next period on.
    """
    if subscription.locked:
        members = _with_newcomers(subscription, heard)
    else:
        members = _locked(subscription, heard)
    if members is None:
        return False
    add_list(subscription, window(subscription, index)[1], time, members, Provenance.LEARNED, limit)
    return True


def _locked(subscription: Subscription, heard: set[str]) -> tuple[str, ...] | None:
    if not heard:
        return None
    nobody_new = heard <= subscription.known
    subscription.rounds += 1
    subscription.known |= heard
    if nobody_new and subscription.rounds >= FIRST_LOCK:
        subscription.locked = True
        return tuple(sorted(heard | subscription.heard_before))
    subscription.heard_before = frozenset(heard)
    return None


def _with_newcomers(subscription: Subscription, heard: set[str]) -> tuple[str, ...] | None:
    members = subscription.lists[-1].members
    joined: list[str] = []
    for originator in subscription.originators.values():
        if originator.name in members:
            continue
        originator.heard_run = originator.heard_run + 1 if originator.name in heard else 0
        if originator.heard_run >= NEWCOMER_PERIODS:
            joined.append(originator.name)
    return tuple(sorted({*members, *joined})) if joined else None


def forget(
    subscription: Subscription, index: int, time: int, after: int, limit: int
) -> tuple[str, ...]:
    """Drop learned members that stayed away for ``after`` ns; returns who was dropped.

    When nobody would be left the list stays: that is for ``closing`` to end.
    """
    if not subscription.locked or subscription.lists[-1].provenance is not Provenance.LEARNED:
        return ()
    members = subscription.lists[-1].members
    gone = tuple(
        name for name in members
        if time - subscription.originators[name].last_arrival > after
    )  # fmt: skip
    if gone and len(gone) < len(members):
        rest = tuple(name for name in members if name not in gone)
        since = window(subscription, index)[1]
        add_list(subscription, since, time, rest, Provenance.LEARNED, limit)
        return gone
    return ()
