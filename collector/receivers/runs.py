"""Messages whose segments lie one behind the other: how they come in a train.

Does: find them among the headers of a batch. Does not: put them together (``core.reassembly``).
"""

from __future__ import annotations

import numpy as np

from collector.wire.udp_notif import HeaderColumns


def whole_runs(columns: HeaderColumns) -> dict[int, int]:
    """First row -> row behind the last one, where the segments of a message lie one behind the
    other in order and all of them are there; their sources are not compared."""
    segment, number = columns.segment, columns.number.astype(np.int64)
    if len(segment) < 2:
        return {}
    goes_on = segment[1:] & segment[:-1] & ~columns.last[:-1] & (np.diff(number) == 1)
    for column in (
        columns.publisher_id, columns.message_id, columns.media_type, columns.private_space,
    ):  # fmt: skip
        goes_on &= column[1:] == column[:-1]
    starts = np.flatnonzero(np.concatenate(([True], ~goes_on)))
    ends = np.append(starts[1:], len(segment))
    whole = segment[starts] & (number[starts] == 0) & columns.last[ends - 1] & (ends - starts > 1)
    return dict(zip(starts[whole].tolist(), ends[whole].tolist(), strict=True))
