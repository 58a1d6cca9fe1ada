"""Python's cycle collector, set for a process that keeps a large state and makes little garbage.

Does not: change what is freed by reference counts, which is nearly everything here. Without it the
collector walks the state of all originators again and again: a third of the time of a message.
"""

from __future__ import annotations

import gc

YOUNG = 50_000
"""New containers between two looks at the young ones (ours; Python's own is 700): the records of a
few seconds of a busy collector."""
MIDDLE = 20
OLD = 50
"""Looks at the younger generation between two at this one; Python adds that the oldest is only
looked at when it grew by a quarter."""


def settle() -> None:
    """Call once everything is loaded: what is there now is never looked at again."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    gc.collect()
    gc.freeze()
