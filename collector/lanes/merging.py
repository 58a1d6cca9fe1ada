"""One answer out of those of all lanes. Pure: plain values in, plain values out.

Rules: whole numbers are added up, except offsets, which belong to one journal; rows are put one
after the other and say their lane; a lane without an answer is named with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Answers = Mapping[int, Mapping[str, Any] | str]
"""Lane -> what it answers, or why it does not."""

NOT_ANSWERING = "lanes_not_answering"
UNKNOWN_SHOWN = 50
"""Unknown senders in one answer (ours)."""
_OF_ONE_LANE = ("data_dir", "healthy", "health", "config_reloads")


def merged_status(answers: Answers, lanes: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Sums over all lanes, where they listen, and a row for each.

    ``lanes``: what the supervisor itself knows of each, the beginning of its row.
    """
    merged: dict[str, Any] = {"listening": []}
    rows = []
    for lane, known in lanes.items():
        answer = answers[lane]
        if isinstance(answer, str):
            rows.append({**known, "health": answer})
            continue
        offsets = {name: value for name, value in answer.items() if name.endswith("_offset")}
        _add(merged, {k: v for k, v in answer.items() if k not in offsets}, lane)
        row = {**known, "health": answer.get("health", "")}
        rows.append(row | {"datagrams": answer.get("datagrams_received", 0)} | offsets)
    return merged | {"lanes": rows}


def _add(merged: dict[str, Any], answer: Mapping[str, Any], lane: int) -> None:
    for name, value in answer.items():
        if name in _OF_ONE_LANE:
            continue
        if isinstance(value, bool | str) or value is None:
            merged.setdefault(name, value)
        elif isinstance(value, int | float):
            merged[name] = merged.get(name, 0) + value
        elif isinstance(value, list):
            merged.setdefault(name, []).extend(_with_lane(value, lane))
        elif isinstance(value, Mapping):
            _add(merged.setdefault(name, {}), value, lane)


def merged_devices(answers: Answers) -> dict[str, Any]:
    """All devices and generators with their lane; the unknown senders who sent most."""
    merged: dict[str, Any] = {"devices": [], "generators": [], "unknown_senders": []}
    for lane, answer in answers.items():
        if isinstance(answer, str):
            continue
        for name, rows in answer.items():
            if isinstance(rows, list):
                merged.setdefault(name, []).extend(_with_lane(rows, lane))
    merged["unknown_senders"].sort(key=lambda row: row.get("messages", 0), reverse=True)
    del merged["unknown_senders"][UNKNOWN_SHOWN:]
    return merged | not_answering(answers)


def not_answering(answers: Answers) -> dict[str, Any]:
    """A sentence for each lane without an answer; nothing where all answer."""
    silent = [f"lane {lane}: {why}" for lane, why in answers.items() if isinstance(why, str)]
    return {NOT_ANSWERING: silent} if silent else {}


def _with_lane(rows: list[Any], lane: int) -> list[Any]:
    return [{**row, "lane": lane} if isinstance(row, Mapping) else row for row in rows]
