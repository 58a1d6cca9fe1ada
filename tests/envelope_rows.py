"""Rows of ``envelopes.decode_batch`` against what ``notification.decode`` says of each.

``CORES``: the ways through ``decode_batch``, name -> the compiled core or None for pure Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from collector import fast
from collector.errors import WireError
from collector.model import NO_SIDS, MediaType, Notification, SidTable
from collector.wire.notifications import notification
from collector.wire.notifications.envelopes import CONTENT_KINDS, Envelopes, decode_batch
from tests.columns import between, plain

JSON = int(MediaType.YANG_DATA_JSON)
CORES: dict[str, fast.Native | None] = {"pure Python": None}
if fast.native is not None:
    CORES["compiled"] = fast.native
decode_alone = notification.decode
"""As it is, whatever the fixture of conftest puts in the place of the name ``decode``."""


@contextmanager
def core(name: str) -> Iterator[None]:
    """One of ``CORES`` is live."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "native", CORES[name])
        yield


def said_alone(
    payload: bytes, media_type: int, sids: SidTable = NO_SIDS
) -> Notification | WireError:
    """What the decoder of one message says."""
    try:
        return decode_alone(payload, media_type, sids)
    except WireError as error:
        return error


def compare(
    found: Envelopes,
    payloads: Sequence[bytes],
    media_types: Sequence[int],
    sids: SidTable = NO_SIDS,
) -> list[Notification | WireError]:
    """Each row says what its message alone says; returned."""
    told = []
    for row, (payload, media_type) in enumerate(zip(payloads, media_types, strict=True)):
        said = said_alone(payload, media_type, sids)
        told.append(said)
        if isinstance(said, WireError):
            other = found.others[row]
            assert isinstance(other, WireError), payload
            assert (other.reason, str(other)) == (said.reason, str(said)), payload
        elif said.kind not in CONTENT_KINDS or said.bundled:
            assert found.others[row] == said, payload
        else:
            assert row not in found.others, payload
            key, event, observed, counted = plain(
                (
                    found.subscription_id[row], found.event_time[row],
                    found.observation_time[row], found.sequence_number[row],
                )
            )  # fmt: skip
            assert found.incomplete_update[row] in (0, 1), payload
            in_row = (
                key, found.generator[row], found.kind[row], event, observed,
                bool(found.incomplete_update[row]), counted,
            )  # fmt: skip
            alone = (
                said.subscription_id, said.generator, said.kind, said.event_time,
                said.observation_time, said.incomplete_update, said.sequence_number,
            )  # fmt: skip
            assert in_row == alone, payload
            assert [*map(type, in_row)] == [*map(type, alone)], payload
    return told


def check_batch(payloads: Sequence[bytes], media_types: Sequence[int] = ()) -> Envelopes:
    """The batch through the core that is live, each row compared."""
    media_types = media_types or [JSON] * len(payloads)
    found = decode_batch(between(payloads), media_types)
    compare(found, payloads, media_types)
    return found


def checked_decode(payload: bytes, media_type: int, sids: SidTable = NO_SIDS) -> Notification:
    """``notification.decode`` that also looks whether columns say the same, in every core."""
    for name in CORES:
        with core(name):
            found = decode_batch(between([payload]), [media_type], lambda row: sids)
            compare(found, [payload], [media_type], sids)
    return decode_alone(payload, media_type, sids)
