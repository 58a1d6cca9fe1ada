"""``publisher-sim distort``: a capture file in, a capture file and its truth out.

Does: open files, say what is wrong with them, put the parts together. Files appear by rename.
Does not: work piecemeal; look-ahead needs the whole capture in memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from collector.errors import UsageError, WireError
from collector.wire.captures.packets import UdpPacket
from collector.wire.captures.pcap import read_pcap, write_pcap
from publisher_sim.distort.faults import distort
from publisher_sim.distort.messages import Message
from publisher_sim.distort.periods import guess
from publisher_sim.distort.plan import Plan
from publisher_sim.distort.reading import Reader
from publisher_sim.distort.steady import clone_cards, numbered, repeat, steady_part
from publisher_sim.distort.writing import Header, packets, truth_lines
from publisher_sim.files import write_together


class Request(Struct, frozen=True):
    """What happens to a capture before its faults."""

    source: Path
    target: Path
    repeat: int | None = None
    clone_cards: int | None = None
    clone: str | None = None
    together: bool = False
    periods: Mapping[int, int] = {}
    """subscription id -> ns, beside what the capture says itself."""


class Done(Struct, frozen=True):
    """What to tell."""

    summary: str
    remarks: list[str]
    damaged: bool
    """The capture could be read in part only."""


def distort_file(request: Request, faults: Mapping[str, Any]) -> Done:
    """Read, distort, write.

    Args:
        faults: members of ``plan.Plan``.

    Raises:
        UsageError: a file that cannot be read or written, an unknown originator or subscription.
    """
    if request.source.resolve() == request.target.resolve():
        raise UsageError("OUT.pcap is IN.pcap: the capture would be overwritten")
    found, damage = read_packets(request.source)
    reader = Reader()
    messages = reader.read(found)
    periods = {**guess(messages, reader.periods), **reader.periods, **request.periods}
    plan = Plan(**faults)
    try:
        _check_periods(request, messages)
        prepared = prepare(messages, request, periods)
        known = {
            one.subscription_id: periods[one.subscription_id]
            for one in prepared
            if one.period is not None and one.subscription_id is not None
        }
        slowest = max(known.values(), default=0)
        made = distort(prepared, plan, slowest)
        written = packets(made.messages)
        octets = io.BytesIO()
        write_pcap(octets, written)
    except (ValueError, OverflowError) as error:  # overflow: a time beyond the year 9999
        raise UsageError(str(error)) from error
    asked = {key: value for key, value in faults.items() if value != getattr(Plan(), key)}
    named = {str(number): length for number, length in sorted(known.items())}
    header = Header(request.source.name, plan.seed, asked, named, len(made.truth))
    truth = truth_path(request.target)
    write({truth: truth_lines(header, made.truth), request.target: [octets.getbuffer()]})
    verdicts = ", ".join(
        f"{sum(row.verdict == word for row in made.truth)} {word}"
        for word in ("complete", "loss", "missing", "absent")
    )
    remarks = [f"left out: {count} x {reason}" for reason, count in reader.left_out.items()]
    if not known:
        remarks.append("nothing periodic was found: say --period ID=SECONDS")
    return Done(
        f"{len(written)} datagrams in {request.target}, originator-periods in {truth}: {verdicts}",
        remarks + ([damage] if damage else []),
        bool(damage),
    )


def _check_periods(request: Request, messages: Sequence[Message]) -> None:
    """A period is for a subscription of the capture. Raises ValueError."""
    there = {one.subscription_id for one in messages if one.subscription_id is not None}
    for number in sorted(request.periods.keys() - there):
        known = ", ".join(map(str, sorted(there))) or "none"
        raise ValueError(f"--period: no subscription {number} is in the capture (known: {known})")


def prepare(
    messages: Sequence[Message], request: Request, periods: Mapping[int, int]
) -> list[Message]:
    """Repeated, cloned, moved, numbered. Raises ValueError."""
    result = numbered(list(messages), periods)
    if request.repeat is not None:
        result = repeat(steady_part(result, periods), request.repeat, periods)
    if request.clone_cards is not None:
        result = clone_cards(
            result,
            periods,
            request.clone_cards,
            together=request.together,
            generator=request.clone,
        )
    return result


def read_packets(path: Path) -> tuple[list[UdpPacket], str]:
    """The datagrams of a capture, and what is wrong with it (empty: nothing)."""
    found: list[UdpPacket] = []
    try:
        with path.open("rb") as file:
            try:
                found.extend(read_pcap(file))
            except WireError as error:
                if error.reason in ("not-a-capture", "unknown-link-type"):
                    raise UsageError(f"{path}: {error}") from error
                return found, f"{path} is damaged, what comes before was used: {error}"
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return found, ""


def write(files: Mapping[Path, Iterable[bytes | memoryview]]) -> None:
    """All of them or none. Raises UsageError."""
    try:
        write_together(files)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from error


def truth_path(target: Path) -> Path:
    """Where the truth of a capture stands."""
    plain = target.with_suffix("") if target.suffix in (".pcap", ".pcapng") else target
    return plain.with_name(plain.name + ".truth.jsonl")
