"""What ``collector subscribe`` makes of its options."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from collector.cli.subscribe import subscribe
from collector.cli.wanting import subscription_table
from collector.errors import UsageError


def test_a_subtree_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "filter.xml"
    path.write_bytes(b"\xae\xff")
    with path.open() as file, pytest.raises(UsageError, match=r"filter.xml is no text in UTF-8"):
        subscription_table({"subtree": file})


def test_encodings_are_completed_and_any_can_be_said() -> None:
    (option,) = (one for one in subscribe.params if one.name == "encoding")
    context = click.Context(subscribe)
    found = [item.value for item in option.shell_complete(context, "encode-")]
    assert found == ["encode-json", "encode-xml", "encode-cbor"]
    assert option.shell_complete(context, "acme:") == []
    table = subscription_table({"encoding": "a:encode-x", "namespaces": ("a=urn:a",)})
    assert (table["encoding"], table["namespaces"]) == ("a:encode-x", {"a": "urn:a"})
