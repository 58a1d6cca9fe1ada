"""What README and ``docs`` point at is there, and what code cites of them, too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
_CITED = re.compile(r'docs/verdicts\.md,\s+"([^"]+)"((?:(?:,|\s+and)\s+"[^"]+")*)')


def anchors(paper: Path) -> set[str]:
    """Those of its headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", paper.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_links_lead_somewhere(paper: Path) -> None:
    for place, anchor in _LINK.findall(paper.read_text(encoding="utf-8")):
        if "://" in place:
            continue
        target = (paper.parent / place).resolve() if place else paper
        assert target.exists(), place
        assert not anchor or anchor in anchors(target), place + anchor


def test_every_paper_is_found_from_the_readme() -> None:
    text = PAPERS[0].read_text(encoding="utf-8")
    assert [paper.name for paper in PAPERS[1:] if f"(docs/{paper.name})" not in text] == []


def test_rules_that_code_cites_have_a_heading() -> None:
    headings = set(re.findall(r"^## (.+)$", (ROOT / "docs/verdicts.md").read_text(), re.MULTILINE))
    cited = set()
    for file in (ROOT / "collector").rglob("*.py"):
        for first, more in _CITED.findall(re.sub(r"\s+", " ", file.read_text(encoding="utf-8"))):
            cited |= {first, *re.findall(r'"([^"]+)"', more)}
    assert len(cited) > 10
    assert cited <= headings
