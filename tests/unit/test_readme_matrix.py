"""The table of transports and encodings in the README names every test that there is."""

from __future__ import annotations

import re
from pathlib import Path

from publisher_sim.scenario.transports import TRANSPORTS
from tests.integration.test_transport_matrix import CELLS

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_every_cell_of_the_matrix() -> None:
    text = README.read_text(encoding="utf-8")
    section = text.partition("## Transports and encodings\n")[2].partition("\n\nAn empty")[0]
    header, _, *rows = section.strip().splitlines()
    encodings = [title.strip().lower() for title in header.strip("|").split("|")][1:5]
    listed = set()
    for row in rows:
        transport, *fields = [re.findall(r"`([^`]+)`", field) for field in row.split("|")[1:]]
        for encoding, names in zip(encodings, fields, strict=False):
            assert all(name.split("-")[0] == encoding for name in names), row
            listed |= {f"{transport[0]}-{name}" for name in names}
            assert bool(names) == (f"encode-{encoding}" in TRANSPORTS[transport[0]].media_types)
    assert listed == {cell.name for cell in CELLS}
