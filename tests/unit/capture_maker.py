"""Captures for tests: what line cards send over UDP-notif, packed and stamped.

Times are seconds after ``START``. Payloads are JSON typed from the drafts' forms; nothing of the
collector's codecs but the headers of UDP-notif and pcap is used.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector.model import SECOND, MediaType, Verdict
from collector.pipeline import CaptureFiles, JournalledConfig, Replayed, judge_captures
from collector.store.said import Said
from collector.wire.captures.packets import UdpPacket
from collector.wire.captures.pcap import write_pcap
from collector.wire.udp_notif.datagrams import encode_message

START = 1_700_000_040
"""A multiple of 60."""
SOURCE = "192.0.2.7"
PORT = 10003


def stamp(seconds: float) -> int:
    return START * SECOND + round(seconds * SECOND)


def text_of(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat(timespec="milliseconds")


def push_update(at: float, generator: str, subscription: int = 1, size: int = 0) -> bytes:
    """A push-update in the form of draft-zhou §6 with an RFC 8040 wrapper."""
    update: dict[str, Any] = {
        "id": subscription,
        "ietf-distributed-notif:message-publisher-id": int(generator),
        "datastore-contents": {"ietf-interfaces:interfaces": {"pad": "x" * size}},
    }
    body = {"eventTime": text_of(at), "ietf-yang-push:push-update": update}
    return json.dumps({"ietf-notification:notification": body}).encode()


def started(
    at: float, generators: Iterable[str], subscription: int = 1, period_cs: int = 100
) -> bytes:
    """subscription-started of a periodic subscription."""
    terms = {
        "id": subscription,
        "ietf-yang-push:datastore": "ietf-datastores:operational",
        "ietf-yang-push:periodic": {"period": period_cs},
        "ietf-distributed-notif:message-publisher-id": [int(one) for one in generators],
    }
    body = {"eventTime": text_of(at), "ietf-subscribed-notifications:subscription-started": terms}
    return json.dumps({"ietf-notification:notification": body}).encode()


def packets(
    at: float,
    payload: bytes,
    *,
    header: int = 1,
    message_id: int = 0,
    source: str = SOURCE,
    source_port: int = 5000,
    port: int = PORT,
    media_type: int = MediaType.YANG_DATA_JSON,
    max_segment_size: int = 1400,
) -> list[UdpPacket]:
    """The datagrams of one message."""
    octets = encode_message(
        payload,
        media_type=media_type,
        publisher_id=header,
        message_id=message_id & 0xFFFF_FFFF,
        max_segment_size=max_segment_size,
    )
    return [raw(at + n / 1e6, one, source, source_port, port) for n, one in enumerate(octets)]


def raw(
    at: float, octets: bytes, source: str = SOURCE, source_port: int = 5000, port: int = PORT
) -> UdpPacket:
    """A datagram as it is."""
    return UdpPacket(stamp(at), source, source_port, "192.0.2.1", port, octets)


def cards(
    periods: int,
    generators: Iterable[str] = ("1", "2"),
    *,
    first: float = 0.0,
    first_id: int = 0,
    source: str = SOURCE,
    subscription: int = 1,
    size: int = 0,
    lost: Callable[[str, int], bool] = lambda generator, index: False,
) -> Iterator[UdpPacket]:
    """One update a second of each card, ids counted per card; ``lost`` are sent but not seen."""
    for index in range(periods):
        for number, generator in enumerate(generators):
            at = first + index + 0.1 * number
            if not lost(generator, index):
                yield from packets(
                    at + 0.01,
                    push_update(at, generator, subscription, size),
                    header=int(generator),
                    message_id=first_id + index,
                    source=source,
                    source_port=5000 + number,
                )


def capture(frames: Iterable[UdpPacket]) -> bytes:
    """The octets of a pcap file."""
    file = io.BytesIO()
    write_pcap(file, frames)
    return file.getvalue()


def write(path: Path, frames: Iterable[UdpPacket]) -> Path:
    path.write_bytes(capture(frames))
    return path


def judged(
    *paths: Path | str, ports: tuple[int, ...] = (), folder: Path | None = None, **settings: Any
) -> tuple[Replayed, list[Said]]:
    """Judge captures as the command does."""
    said: list[Said] = []
    config = JournalledConfig(each_source=True, **settings)
    with CaptureFiles([str(path) for path in paths], ports=ports) as files:
        replayed = judge_captures(files, config, folder=folder, show=said.append)
    return replayed, said


def verdicts(said: Iterable[Said]) -> list[Verdict]:
    return [verdict for one in said for verdict in one.verdicts]


def kinds(said: Iterable[Said]) -> list[str]:
    return [event.kind for one in said for event in one.events]


def last_rows(said: Iterable[Said]) -> list[Verdict]:
    """The newest row of each period, in order."""
    found = {(v.device, v.subscription_id, v.revision, v.period_index): v for v in verdicts(said)}
    return [found[key] for key in sorted(found)]
