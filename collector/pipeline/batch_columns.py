"""Columns that the pipeline makes of a journal batch before anything is decoded."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from collector.model import FLAG_IDS, FLAG_PRIVATE, ReceivedBatch

_PRIVATE: Final = 0x10
"""Added to a media type of the private space, which no encoding here knows (udp-notif-26 §3.2)."""


def rows_with(codes: array[int], wanted: Sequence[int]) -> list[int]:
    """The rows that have one of some codes."""
    found: list[int] = np.flatnonzero(np.isin(np.frombuffer(codes, np.uint32), wanted)).tolist()
    return found


def media_types(batch: ReceivedBatch, start: int, end: int) -> array[int]:
    """Media types; those of the private space as numbers that no encoding has."""
    found, flags = batch.media_type[start:end], bytes(batch.flags[start:end])
    if flags.count(FLAG_IDS) == len(flags):
        return found
    return array(
        "H",
        [
            media_type | _PRIVATE if flag & FLAG_PRIVATE else media_type
            for media_type, flag in zip(found, flags, strict=True)
        ],
    )


def ids(column: array[int], start: int, end: int, known: Any, instead: Any) -> array[int]:
    """Ids of the transport's header where they are ``known``, else what there is ``instead``."""
    found = np.frombuffer(column, np.uint32)[start:end].astype(np.int64)
    return array("q", np.where(known, found, instead).tobytes())
