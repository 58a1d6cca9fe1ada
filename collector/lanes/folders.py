"""Where lanes keep their data, and what it means when their number has changed.

One lane keeps its data in the data folder itself, several in ``lane-0``, ``lane-1`` ... below it.
What an earlier run with another number of lanes left stays where it is: queries read all of these
folders. What was learned of a device does not go with it into another lane.

Does: find the folders; keep, in ``lanes.json``, which device was in which lane; say in a sentence
what moved. Does not: read or change journals and stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.durable import replace_file
from collector.errors import SinkError
from collector.store.manifest import FOLDER as STORE

LANE = "lane-"
ASSIGNMENT = "lanes.json"
JOURNAL = "journal"
_NAMED = 5
"""Devices that a sentence names (ours)."""


class Assignment(Struct, frozen=True):
    """Which device was in which lane."""

    lanes: int
    devices: dict[str, int]
    ended: bool = False
    """Whether all lanes came to a good end."""
    format: int = 1


def lane_folder(data_folder: Path, lane: int) -> Path:
    """Where lane ``lane`` of several keeps its data."""
    return data_folder / f"{LANE}{lane}"


def lane_number(folder: Path) -> int | None:
    """The lane that keeps its data in ``folder``; None where it is no such folder."""
    number = folder.name.removeprefix(LANE)
    is_lane = folder.name.startswith(LANE) and number.isascii() and number.isdecimal()
    return int(number) if is_lane else None


def lane_folders(data_folder: Path) -> list[Path]:
    """The folders of lanes that are there, in the order of their numbers."""
    found = ((lane_number(path), path) for path in data_folder.glob(f"{LANE}*"))
    return [path for _, path in sorted((n, path) for n, path in found if n is not None)]


def folders_with_data(data_folder: Path) -> list[Path]:
    """Every folder that a journal or a store is in; the data folder itself where there is none."""
    found = [path for path in (data_folder, *lane_folders(data_folder)) if _has_data(path)]
    return found or [data_folder]


def left_behind(data_folder: Path, lanes: int) -> list[Path]:
    """Folders with data in which nobody writes when ``lanes`` lanes run."""
    used = _used(data_folder, lanes)
    return [path for path in folders_with_data(data_folder) if path not in used and _has_data(path)]


def unfinished(data_folder: Path, lanes: int) -> list[Path]:
    """Those of them that the last run may not have brought to a good end."""
    before = load_assignment(data_folder) or Assignment(1, {})
    if before.ended:
        return []
    last = _used(data_folder, before.lanes)
    return [path for path in left_behind(data_folder, lanes) if path in last]


def _used(data_folder: Path, lanes: int) -> set[Path]:
    return {data_folder} if lanes == 1 else {lane_folder(data_folder, n) for n in range(lanes)}


def _has_data(folder: Path) -> bool:
    return (folder / JOURNAL).is_dir() or (folder / STORE).is_dir()


# --------------------------------------------------------------------------- who was where
def folder_of(data_folder: Path, device: str) -> Path:
    """Where the lane that has a device keeps its data; the data folder itself without lanes."""
    noted = load_assignment(data_folder)
    if noted is None or noted.lanes == 1 or device not in noted.devices:
        return data_folder
    return lane_folder(data_folder, noted.devices[device])


def load_assignment(data_folder: Path) -> Assignment | None:
    """What the last run noted; None where there is nothing that can be read."""
    try:
        return msgspec.json.decode((data_folder / ASSIGNMENT).read_bytes(), type=Assignment)
    except (OSError, msgspec.DecodeError):
        return None


def save_assignment(
    data_folder: Path, lanes: int, devices: Mapping[str, int], *, ended: bool = False
) -> None:
    """Note it for the next run. Raises SinkError."""
    octets = msgspec.json.encode(Assignment(lanes, dict(devices), ended))
    try:
        replace_file(data_folder / ASSIGNMENT, octets)
    except OSError as error:
        raise SinkError(
            f"{data_folder / ASSIGNMENT} cannot be written: {error.strerror}", retryable=True
        ) from error


def moved(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Devices that are in another lane than they were."""
    return [name for name, lane in after.items() if before.get(name, lane) != lane]


def notes_at_start(data_folder: Path, lanes: int, devices: Mapping[str, int]) -> Iterator[str]:
    """What the operator should know when lanes or devices are not where they were."""
    before = load_assignment(data_folder)
    if before is None:
        if lanes == 1 or not _has_data(data_folder):
            return
        # there never were lanes: everything was in the data folder itself
        before = Assignment(1, dict.fromkeys(devices, 0))
    others = moved(before.devices, devices)
    if before.lanes != lanes:
        yield (
            f"The number of lanes was {before.lanes} and is {lanes} now; what is stored stays in"
            " all queries."
        )
        if 1 in (before.lanes, lanes):  # one lane keeps its data in another folder than several
            others = [name for name in devices if name in before.devices]
    if others:
        yield sentence_of_moved(others)
    for folder in left_behind(data_folder, lanes):
        yield (
            f"{folder} is of an earlier run: queries read it, nobody writes or shortens it; delete"
            " it when it is not needed any more."
        )


def sentence_of_moved(names: list[str]) -> str:
    """What it means for a device to be in another lane."""
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return (
        "In another lane than before, so learned anew as if seen for the first time:"
        f" {len(names)} device{'' if len(names) == 1 else 's'} ({shown})."
    )
