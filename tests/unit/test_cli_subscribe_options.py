"""What ``collector subscribe`` makes of its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.cli.wanting import subscription_table
from collector.errors import UsageError


def test_a_subtree_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "filter.xml"
    path.write_bytes(b"\xae\xff")
    with path.open() as file, pytest.raises(UsageError, match=r"filter.xml is no text in UTF-8"):
        subscription_table({"subtree": file})
