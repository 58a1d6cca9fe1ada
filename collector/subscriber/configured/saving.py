"""Whether what is running is also what a device starts with (RFC 6241 §8.7), and may be made so.

Does: hold running against startup. Does not: copy (``writing``). Pure functions.

Rule: a copy takes everything along that is running, so that what others have changed and not saved
would be saved with ours: then it is not made unless the operator says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct

from collector.wire.subscriptions.config import Configuration, Edit
from collector.wire.values import xml

OTHERS = "others have changes in running that are not in startup, and a copy would save them too"


class Saving(Struct, frozen=True):
    """Of one device, which has a startup datastore."""

    unsaved: bool = False
    """Startup lacks something of ours, or will once the plan is carried out."""
    hindered: str = ""
    """Why running is not to be copied there unasked, a clause; empty: nothing speaks against it."""


def saving(
    running: tuple[xml.Element, Configuration],
    startup: tuple[xml.Element, Configuration],
    edits: Collection[Edit],
    ids: Collection[int],
    instances: Collection[str],
) -> Saving:
    """What a look at both shows.

    Args:
        running: everything in it, and what of that is about subscriptions.
        startup: the same.
        edits: what is to be changed in running.
        ids: of our subscriptions.
        instances: names of our receivers.
    """
    touched = [entry for edit in edits for entry in (edit.before, edit.after) if entry is not None]
    ours = {_key(one) for one in touched}
    ours |= {("id", number) for number in ids} | {("name", name) for name in instances}
    here, there = dict(_entries(running[1])), dict(_entries(startup[1]))
    differing = {key for key in here.keys() | there.keys() if here.get(key) != there.get(key)}
    others = differing - ours or _elsewhere(running[0]) != _elsewhere(startup[0])
    return Saving(bool(edits) or bool(differing & ours), OTHERS if others else "")


def _key(entry: Any) -> tuple[str, str | int]:
    number = getattr(entry, "id", None)
    return ("name", entry.name) if number is None else ("id", number)


def _entries(found: Configuration) -> Iterator[tuple[tuple[str, str | int], Any]]:
    for entry in (*found.instances, *found.subscriptions):
        yield _key(entry), entry
    for what, why in found.unreadable.items():
        yield ("unreadable", what), why


def _elsewhere(data: xml.Element) -> list[xml.Element]:
    return [node for node in data.children if node.name != "subscriptions"]
