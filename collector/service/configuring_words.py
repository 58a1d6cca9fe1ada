"""What ``collector configure`` found and did, in words and as JSON.

Does not: print, look at devices (``configuring``). Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from collector.service.configuring import DeviceLook
from collector.subscriber.configured.words import differences, what
from collector.views.text import clean
from collector.wire.subscriptions.config import Edit

_LONGEST_LINE = 2000
"""Letters (ours): a filter is to be read whole."""


def to_plain(one: DeviceLook) -> Mapping[str, Any]:
    """For ``--json``."""
    plan = None if one.look is None else one.look.plan
    return {
        "device": one.device,
        "datastore": None if one.look is None else one.look.datastore,
        "changes": [] if plan is None else [_edit_to_plain(edit) for edit in plan.edits],
        "subscriptions": {} if plan is None else plan.ids,
        "conflicts": [] if plan is None else list(plan.conflicts),
        "notes": [] if plan is None else list(plan.notes),
        "doubts": [] if one.look is None else list(one.look.doubts),
        "written": one.written,
        "confirmed": one.done is not None and one.done.confirmed,
        "not_shown": (one.done.not_shown or None) if one.done is not None else None,
        "saved": _saved(one),
        "not_saved": one.not_saved or None,
        "error": one.error or None,
    }


def _saved(one: DeviceLook) -> bool | None:
    """Does it start with what is wanted; None: it starts with running, or that is not known."""
    if one.look is None or not one.look.startup:
        return None
    return one.done.saved if one.done is not None else not one.look.saving.unsaved


def _edit_to_plain(edit: Edit) -> Mapping[str, Any]:
    action = "create" if edit.before is None else "remove" if edit.after is None else "change"
    leaves = {one.leaf: [one.before, one.after] for one in differences(edit)}
    return {"action": action, "entry": what(edit), "leaves": leaves}


def to_lines(one: DeviceLook) -> list[str]:
    """For people: a sentence for the device, then its changes leaf by leaf."""
    return [clean(line, _LONGEST_LINE) for line in _lines(one)]


def _lines(one: DeviceLook) -> list[str]:
    """As the device has it: names and texts there are anybody's."""
    if one.look is None:
        return [f"{one.device}: {one.error}"]
    plan = one.look.plan
    lines = [f"{one.device}: {_summary(one)}"]
    for edit in plan.edits:
        sign = "+" if edit.before is None else "-" if edit.after is None else "~"
        lines.append(f"  {sign} {what(edit)}")
        if edit.after is not None:
            made = edit.before is None
            lines += [f"      {_leaf(*pair, made=made)}" for pair in _pairs(edit)]
    lines += [f"  ! {sentence}" for sentence in plan.conflicts]
    lines += [f"  {sentence}" for sentence in plan.notes]
    if not one.written:
        lines += [f"  ? {sentence}" for sentence in one.look.doubts]
    if one.done is not None and one.done.not_shown:
        lines.append(f"  ? {one.done.not_shown}")
    lines += [f"  {sentence}" for sentence in _saving_lines(one)]
    if one.error:
        lines.append(f"  ! {one.error}")
    return lines


def _saving_lines(one: DeviceLook) -> Iterator[str]:
    """What there is to say of a startup datastore."""
    look, done = one.look, one.done
    if look is None or not look.startup:
        return
    if one.not_saved:
        yield f"! not copied to startup, so that a reboot loses it: {one.not_saved}"
        yield "  save it there yourself, or say --startup"
    elif done is not None and done.saved:
        yield "saved: running was copied to startup"
    elif done is None and look.saves:
        yield "running is copied to startup, with which the device starts"
    elif done is not None and one.written:
        yield "it starts with another datastore: save this there, or a reboot ends it"


def _summary(one: DeviceLook) -> str:
    assert one.look is not None
    if not one.changes:
        if one.look.plan.conflicts:
            return "in the way"
        return "as wanted, but not in startup" if one.look.saving.unsaved else "as wanted"
    number = f"{one.changes} change{'s' if one.changes > 1 else ''}"
    if not one.written:
        return f"{number} to write in {one.look.datastore}"
    confirmed = one.done is not None and one.done.confirmed
    return f"{number} written in {one.look.datastore}{', seen and confirmed' if confirmed else ''}"


def _pairs(edit: Edit) -> Iterable[tuple[str, str | None, str | None]]:
    return ((one.leaf, one.before, one.after) for one in differences(edit))


def _leaf(leaf: str, before: str | None, after: str | None, *, made: bool) -> str:
    """``made``: the whole entry is new, so that it goes without saying what was there."""
    said = ["nothing" if one is None else one for one in (before, after)]
    return f"{leaf:<20} {said[1] if made else ' -> '.join(said)}"
