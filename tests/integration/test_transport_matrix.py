"""Every transport with every encoding that it can carry: verdict log equals truth log.

One run: one collector with all its receivers, one simulated device for each cell of the matrix, all
at the same time; each device has the same troubles, as far as its transport can have them. A new
cell is one line in ``CELLS``; a new transport one in ``ROADS``, too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from collector.comparison import Comparison, compare, read_truth
from collector.model import Provenance, SubscriptionRow, Verdict
from collector.schema.sid import experimental_sids_folder
from publisher_sim.scenario.transports import continuity
from tests.calm import calmest, equal_to_the_truth, proven
from tests.certificates import certified
from tests.lab import Collecting, Facts, fault, lab, scenario_toml
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIODS = 22
GRACE = 1.5
"""Seconds; wide, since all cells share a machine."""
UNCERTAIN = 5
"""Periods of a cell that may be uncertain, since the machine was slow."""


class Road(NamedTuple):
    """How messages of one transport come to the collector."""

    receiver: str = "udp-notif"
    """Entry point of the receiver."""
    sections: Callable[[Path], Mapping[str, Any]] = lambda folder: {}
    """Sections of the collector's configuration; may write certificates into ``folder``."""
    scenario: Callable[[Path], str] = lambda folder: ""
    """Further lines of ``[receiver]``, and tables below it."""
    device: Callable[[Path], Mapping[str, Any]] = lambda folder: {}
    """Further keys of ``[[device]]``."""


ROADS: dict[str, Road] = {
    "udp-notif": Road(),
    "netconf": Road(),
    "https-notif": Road(
        receiver="https-notif",
        sections=lambda folder: {"https_notif": certified(folder).sections()},
        scenario=lambda folder: certified(folder).scenario(),
    ),
    "dtls": Road(
        receiver="dtls",
        sections=lambda folder: {"dtls": certified(folder).sections()},
        scenario=lambda folder: certified(folder).scenario(),
    ),
    "grpc-cisco": Road(
        receiver="grpc-dialout",
        sections=lambda folder: {"grpc_dialout": certified(folder).sections()},
        scenario=lambda folder: certified(folder).scenario(),
    ),
    "grpc-huawei": Road(
        receiver="grpc-dialout",
        sections=lambda folder: {"grpc_dialout": certified(folder).sections()},
        scenario=lambda folder: certified(folder).scenario(),
    ),
}
"""transport of the simulator -> its road."""


class Cell(NamedTuple):
    """One transport with one encoding."""

    transport: str
    encoding: str
    header: str = "envelope"
    mode: str = "mso"
    asked: str = "dynamic"
    """``dynamic``; or how a configured device pushes unasked: ``list``, ``no-list``, and ``middle``
    where subscription-started was never heard and the operator names the period."""
    processes: bool = False
    """Its cards are processes of their own."""
    session: str = "asyncssh"
    """Which implementation of the NETCONF session the collector uses."""
    names: bool = False
    """Its generators have names, not numbers."""
    sids: bool = False
    """CBOR with SIDs for names."""

    @property
    def name(self) -> str:
        """Name of the device, and of the test."""
        usual = {"envelope": "", "mso": "", "dynamic": "", "asyncssh": ""}
        words = [self.transport, self.encoding.removeprefix("encode-")]
        words += ["named"] if self.names else []
        words += ["sids"] if self.sids else []
        special = (self.header, self.mode, self.asked, self.session)
        words += [usual.get(word, word) for word in special]
        return "-".join(word for word in words if word)

    @property
    def numbered(self) -> bool:
        """Do its messages carry numbers that show a loss?"""
        return continuity(self.transport, self.header) != "none"


CELLS = [
    Cell("udp-notif", "encode-json"),
    Cell("udp-notif", "encode-xml"),
    Cell("udp-notif", "encode-cbor"),
    Cell("udp-notif", "encode-json", "rfc5277", "distributed-notif-18"),
    Cell("udp-notif", "encode-json", mode="distributed-notif-19", asked="list"),
    Cell("udp-notif", "encode-xml", asked="no-list"),
    Cell("udp-notif", "encode-cbor", "rfc5277", asked="middle"),
    Cell("dtls", "encode-json"),
    Cell("dtls", "encode-xml"),
    Cell("dtls", "encode-cbor", mode="distributed-notif-18"),
    Cell("dtls", "encode-json", mode="distributed-notif-19", asked="list"),
    Cell("udp-notif", "encode-cbor", mode="distributed-notif-19", asked="list", sids=True),
    Cell("netconf", "encode-xml", processes=True),
    Cell("netconf", "encode-xml", mode="distributed-notif-18"),
    Cell("netconf", "encode-xml", "rfc5277"),
    Cell("netconf", "encode-xml", "notification-messages"),
    Cell("netconf", "encode-xml", names=True, session="ncclient"),
    Cell("https-notif", "encode-json"),
    Cell("https-notif", "encode-xml"),
    Cell("https-notif", "encode-cbor", "rfc5277"),
    Cell("https-notif", "encode-json", mode="distributed-notif-19", asked="list"),
    Cell("https-notif", "encode-xml", "rfc5277", asked="middle"),
    Cell("grpc-cisco", "encode-gpb"),
    Cell("grpc-cisco", "encode-json"),
    Cell("grpc-huawei", "encode-gpb"),
    Cell("grpc-huawei", "encode-json"),
    Cell("grpc-cisco", "encode-gpb", asked="middle"),
    Cell("grpc-huawei", "encode-gpb", asked="middle"),
]


def troubles(cell: Cell) -> str:
    """What goes wrong: on every transport the same, but for what only datagrams can have.

    What is held back keeps to a card of its own: it moves when its card is waited for. The first
    ticks are left alone: connections are made, and it is learned how many messages are usual.
    """
    found = [
        fault("drop", 7, card="linecard1"),
        fault("reorder", 7, 10, card="linecard4", seconds=0.1, probability=0.5),
        fault("silent", 8, card="linecard2"),
        fault("duplicate", 8, 11, card="linecard3", seconds=0.05),
        fault("delay", 11, card="linecard4", seconds=0.15),
    ]
    if cell.asked in ("dynamic", "list"):  # else nobody is told that it is gone
        found.append(fault("kill", 11, 14, card="linecard3"))
    if cell.numbered:
        found.append(fault("drop", 10, card="linecard1", probability=0.5))
        found.append(fault("drop", 12, card="linecard1", probability=0.5))
    if cell.transport in ("udp-notif", "dtls"):
        found.append(fault("corrupt", 13, card="linecard2"))
        found.append(fault("drop", 14, 16, card="linecard1", probability=0.5, datagrams=True))
    return "".join(found)


def scenario(number: int, cell: Cell, folder: Path) -> str:
    push = f'header = "{cell.header}"\nencoding = "{cell.encoding}"\nmax_segment_size = 700'
    push += '\ncbor_keys = "sid"' if cell.sids else ""
    text = scenario_toml(
        cell.name,
        number,
        troubles(cell),
        cards=4,
        periods=PERIODS,
        updates=2 if cell.numbered else 1,
        head=f'control_mode = "{cell.mode}"',
        push=push,
        grace=GRACE,
    )
    if cell.names:
        text = re.sub('name = "linecard(.)"', r'\g<0>\ngenerator_id = "line card \1"', text)
    road = ROADS[cell.transport]
    if cell.asked != "dynamic":
        text += "\n[configured]\n"
        text += {"list": "", "no-list": "announce_list = false\n", "middle": "announce = false\n"}[
            cell.asked
        ]
    return text + f'\n[receiver]\ntransport = "{cell.transport}"\n{road.scenario(folder)}'


class Found(NamedTuple):
    """What came of one cell."""

    comparison: Comparison
    verdicts: list[Verdict]
    states: list[SubscriptionRow]


def compared(truth: Path, verdicts: list[Verdict]) -> Comparison:
    """All but the last periods: the word that it is over may overtake what waits to be sent."""
    return compare([row for row in read_truth(truth) if row.number < PERIODS - 1], verdicts)


def said_to_be_over(facts: Facts) -> bool:
    """Has each device said so of its subscription that says such things?"""
    ended = {row.device for row in facts.subscriptions if row.state == "ended"}
    return ended >= {cell.name for cell in CELLS if cell.asked != "middle"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """All cells at once, by name."""

    async def whole(folder: Path) -> dict[str, Found]:
        scenarios = {
            cell.name: scenario(number, cell, folder) for number, cell in enumerate(CELLS, start=1)
        }
        known = [
            {"id": 100, "devices": [cell.name], "name": "in-the-middle", "period_seconds": 1}
            for cell in CELLS
            if cell.asked == "middle"
        ]
        used = {cell.transport: ROADS[cell.transport] for cell in CELLS}
        sections: dict[str, Any] = {
            "known_subscription": known,
            "verdicts": {"grace_seconds": GRACE, "coverage_sample": 0.0},
        }
        for road in used.values():
            sections |= road.sections(folder)
        collecting = Collecting(
            sections=sections,
            receivers={cell.name: ROADS[cell.transport].receiver for cell in CELLS},
            subscriptions={
                cell.name: {"encoding": cell.encoding} if cell.asked == "dynamic" else None
                for cell in CELLS
            },
            netconf={cell.name: {"session": cell.session} for cell in CELLS},
            devices={
                cell.name: {
                    **ROADS[cell.transport].device(folder),
                    **({"sid_folder": str(experimental_sids_folder())} if cell.sids else {}),
                }
                for cell in CELLS
            },
        )
        processes = frozenset(cell.name for cell in CELLS if cell.processes)
        async with lab(
            folder,
            scenarios,
            processes=processes,
            together=2,
            collecting=collecting,
            grace_seconds=GRACE,
        ) as running:
            await running.finished()
            await until(lambda: said_to_be_over(running.facts))
        facts = running.facts
        return {
            cell.name: Found(
                compared(running.devices[cell.name].truth(), facts.verdicts[cell.name]),
                facts.verdicts[cell.name],
                [row for row in facts.subscriptions if row.device == cell.name],
            )
            for cell in CELLS
        }

    def check(found: dict[str, Found]) -> None:
        for cell in CELLS:
            as_the_truth(found[cell.name], cell)

    folder = Path(tmp_path_factory.mktemp("matrix"))
    return calmest(folder, lambda place: asyncio.run(whole(place)), check)


def as_the_truth(found: Found, cell: Cell) -> None:
    comparison = found.comparison
    equal_to_the_truth(comparison, PERIODS - 5 - UNCERTAIN, cell.name)
    missed = comparison.outcomes.get("INCOMPLETE", 0)
    proven(missed >= 2, f"two INCOMPLETE among {comparison.outcomes}", [comparison])


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_verdicts_equal_the_truth(found: dict[str, Found], cell: Cell) -> None:
    as_the_truth(found[cell.name], cell)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_loss_is_called_so_where_numbers_show_it(found: dict[str, Found], cell: Cell) -> None:
    causes = {blame.cause for one in found[cell.name].verdicts for blame in one.missing}
    wanted = {"silent", "lost"} if cell.numbered else {"silent"}
    comparisons = [found[cell.name].comparison]
    proven(wanted <= causes, f"{wanted} among the causes {causes}", comparisons)
    assert cell.numbered or "lost" not in causes


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_who_said_what_is_pushed(found: dict[str, Found], cell: Cell) -> None:
    """Asked for or not, with a list or without, up to the word that it is over."""
    rows = found[cell.name].states
    last = rows[-1]
    assert {row.origin for row in rows} == {"dynamic" if cell.asked == "dynamic" else "configured"}
    listed = cell.asked in ("dynamic", "list")
    assert last.mode == (cell.mode if listed else "unknown")
    assert last.provenance is (Provenance.DECLARED if listed else Provenance.LEARNED)
    assert last.state == ("active" if cell.asked == "middle" else "ended")
    if cell.asked != "dynamic":
        assert last.id == 100
        assert (last.name == "in-the-middle") == (cell.asked == "middle")
    if cell.asked == "list":
        assert last.encoding == cell.encoding
