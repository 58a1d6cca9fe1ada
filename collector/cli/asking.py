"""What ``query`` and ``verdicts`` share: the store together with the rows that are not in it yet.

Does: get the open rows, from the running collector or computed from the end of the journal when
none runs or answers, and open the store; with lanes, of every folder that one of them writes or
wrote. Does not: print.
Rules: open rows first, manifest second, so that a segment that is stored in between is in one of
them (see ``store.open_rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collector import control
from collector.cli.options import DEFAULT_CONFIG
from collector.command_line import complain
from collector.errors import UsageError
from collector.lanes.folders import folders_with_data, lane_number, load_assignment
from collector.store.manifest import load_manifest, store_folder
from collector.store.open_rows import OpenRows, decode_open_rows
from collector.store.query import Part, QuerySession, open_parts
from collector.views.progress import progress

ANSWER_SECONDS = 15.0
"""Then the journal is read instead (ours)."""
TRIES = 3


@contextmanager
def asked(folder: Path) -> Iterator[QuerySession]:
    """A session over everything that is known in ``folder``. Raises UsageError, SinkError."""
    with progress("reading what is not in the store yet", None):
        parts = [
            Part(one, open_rows(one), None if one == folder else lane_number(one))
            for one in folders_with_data(folder)
        ]
    stored = [one for one in parts if one.open_rows or store_folder(one.folder).is_dir()]
    with open_parts(stored or parts) as session:
        yield session


def open_rows(folder: Path) -> Sequence[OpenRows]:
    """Rows that are not in the store yet."""
    assigned = load_assignment(folder)
    supervised = assigned is not None and assigned.lanes > 1
    # the supervisor of lanes answers in the data folder itself, and has no rows
    if not supervised and control.is_running(folder):
        try:
            return decode_open_rows(
                control.ask_bytes(folder, "open_rows", timeout_seconds=ANSWER_SECONDS)
            )
        except UsageError as error:
            complain(f"collector: {error}; its journal is read instead")
    return _computed(folder)


def _computed(folder: Path) -> Sequence[OpenRows]:
    """Out of the journal, once more if a starting collector has stored some of them meanwhile."""
    from collector.pipeline import open_rows as computed

    rows: Sequence[OpenRows] = ()
    for _ in range(TRIES):
        before = load_manifest(store_folder(folder)).stored_offset
        rows = computed(folder)
        if load_manifest(store_folder(folder)).stored_offset == before:
            break
    return rows


def provide_leaves(
    session: QuerySession,
    folder: str | None,
    config_file: str | None,
    since: int | None,
    until: int | None,
) -> None:
    """The table ``leaves`` made of ``updates`` now, with the modules that a configuration names.

    Raises:
        ConfigError: the configuration cannot be used.
        UsageError: too many updates.
    """
    from collector.config import Config, load_config
    from collector.pipeline.leaves import LeafMaker, leaves_on_demand
    from collector.pipeline.schemas import load_schemas

    config = Config()
    if config_file is not None or (folder is None and Path(DEFAULT_CONFIG).exists()):
        config = load_config(config_file or DEFAULT_CONFIG)
    with progress("looking into the updates", None):
        known = load_schemas(config, lambda note: complain(f"collector: {note}"))
        maker = LeafMaker(config, known, every=True)
        leaves_on_demand(session, maker, since, until)
    if lost := sum(maker.left_out.values()):
        complain(f"collector: {lost} updates could not be read, or not as a whole")
