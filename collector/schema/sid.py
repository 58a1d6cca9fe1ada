"""``.sid`` files -> ``SidTable`` (RFC 9595).

Does: read the files of folders; say what is wrong with one and go on with the others. Does not:
assign numbers (``pyang --sid-generate-file`` does).

Rules: an obsolete item counts for nothing; of two meanings of one number the first file, by name,
is believed, and it is said. Numbers are decimal texts in a file (RFC 7951 §6.1), a number is taken
as well, and so are the names that drafts of RFC 9595 had for the lists.

Our own ``yang/sid-experimental`` has numbers for what the simulator sends: in the range for
experiments, or proposed in a draft; none of them is registered.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from collector.errors import UsageError
from collector.model import SID_MAX, SidTable
from collector.schema.loader import bundled_modules_folder

SUFFIX: Final = ".sid"
MAX_OCTETS: Final = 32 << 20
"""Of one file; ours."""
MAX_ITEMS: Final = 1_000_000
"""Of all files together; ours."""
_ROOTS: Final = ("ietf-sid-file:sid-file", "sid-file")


def experimental_sids_folder() -> Path:
    """The folder of our own ``.sid`` files; see above."""
    return bundled_modules_folder() / "sid-experimental"


def load_sids(folders: Iterable[str | Path]) -> tuple[SidTable, tuple[str, ...]]:
    """What the ``.sid`` files of folders say, and what is wrong with them, a sentence each.

    Raises:
        UsageError: a folder that is not there or has no such file.
    """
    table = _Table()
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}")
        files = sorted(folder.rglob(f"*{SUFFIX}"))
        if not files:
            raise UsageError(f"there is no {SUFFIX} file in {folder}")
        for path in files:
            try:
                if path.stat().st_size > MAX_OCTETS:
                    raise ValueError(f"larger than {MAX_OCTETS} octets")
                table.add(path, msgspec.json.decode(path.read_bytes()))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                table.wrong.append(f"{path}: no .sid file: {type(error).__name__}: {error}")
    return SidTable(table.paths, table.identities), tuple(table.wrong)


class _Table:
    def __init__(self) -> None:
        self.paths: dict[int, str] = {}
        self.identities: dict[int, str] = {}
        self.wrong: list[str] = []
        self._others: dict[int, str] = {}
        """Modules and features: never on the wire, but nobody else may have their numbers."""

    def add(self, path: Path, content: Any) -> None:
        """The items of one file. Raises ValueError, KeyError, TypeError: it is none."""
        root = next((content[name] for name in _ROOTS if name in content), content)
        module = root["module-name"]
        items = root.get("item", root.get("items"))
        if not isinstance(module, str) or not isinstance(items, list):
            raise TypeError("it names no module or has no items")
        for item in items:
            if item.get("status") != "obsolete":
                self._add(path, module, item)

    def _add(self, path: Path, module: str, item: dict[str, Any]) -> None:
        sid, identifier = int(item["sid"]), item["identifier"]
        if not isinstance(identifier, str) or not 0 < sid <= SID_MAX:
            raise ValueError(f"{identifier!r} has the SID {sid}")
        kind = item["namespace"]
        own, name = self._others, identifier
        if kind == "data":
            own = self.paths
        elif kind == "identity":
            own, name = self.identities, f"{module}:{identifier}"
        before = next(
            (one[sid] for one in (self.paths, self.identities, self._others) if sid in one), None
        )
        if before is None:
            if len(self.paths) + len(self.identities) + len(self._others) >= MAX_ITEMS:
                raise ValueError(f"more than {MAX_ITEMS} items")
            own[sid] = name
        elif before != name:
            self.wrong.append(f"{path}: SID {sid} is {before} already, not {name}")
