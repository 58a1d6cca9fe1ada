"""YANG modules as plain trees, also of folders in which something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import UsageError
from collector.schema import loader
from collector.schema.building import load_schema
from collector.schema.tree import STRING
from tests.leaf_modules import schema, write_modules

HEAD = 'module {0} {{ namespace "urn:{0}"; prefix {0}; '


def write(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.yang").write_text(HEAD.format(name) + body + "}")


def test_types_and_keys() -> None:
    top = schema().root.children["test-base", "top"]
    entry = top.locals["entry"]
    assert (entry.kind, entry.keys) == ("list", ("name", "slot"))
    assert [top.locals[name].kind for name in ("log", "any", "free")] == [
        "list",
        "anydata",
        "anyxml",
    ]
    assert top.locals["log"].keys == ()
    assert schema().root.locals["alarm"].kind == "container"
    assert entry.locals["state"].type.enums == {"up": 1, "down": 5, "odd": 6}
    assert entry.locals["flags"].type.bits["major"] == 3
    assert entry.locals["ratio"].type.fraction_digits == 2
    assert entry.locals["kind"].type.identities == {
        "test-base:copper", "test-base:coax", "test-more:fibre",
    }  # fmt: skip
    assert entry.locals["peer-slot"].type.base == "uint8"
    bases = [one.base for one in entry.locals["either"].type.members]
    assert bases == [
        "uint8", "enumeration", "bits", "identityref", "instance-identifier", "union", "binary",
        "string",
    ]  # fmt: skip
    assert entry.locals["either"].type.members[0].maximum == 9
    assert entry.locals["deep"] is entry.children["test-base", "deep"], "the first of two"
    assert set(entry.locals["deep"].locals) == {"first", "second"}, "no choice"


def test_ways_to_name_a_module() -> None:
    aliases = schema().aliases
    for way in ("test-more", "tm", "urn:test:more", "more"):
        assert aliases[way] == "test-more"
    assert "b" not in aliases, "a prefix is that of the module itself"


def test_leafrefs_in_unions_and_rings(tmp_path: Path) -> None:
    write(tmp_path, "m", """
        leaf a { type uint8; }
        leaf b { type union { type leafref { path "/a"; } type empty; } }
        leaf c { type leafref { path "/nowhere"; } }
        leaf d { type leafref { path "/e"; } }
        leaf e { type leafref { path "/d"; } }
    """)  # fmt: skip
    found, wrong = load_schema([tmp_path])
    types = {name: node.type for name, node in found.root.locals.items()}
    assert types["b"].members[-1].base == "empty"
    assert types["c"] == types["d"] == types["e"] == STRING
    assert wrong


def test_one_bad_module_does_not_hide_the_others(tmp_path: Path) -> None:
    write_modules(tmp_path)
    (tmp_path / "broken.yang").write_text("module broken {")
    write(tmp_path, "lost", "import not-there { prefix n; } leaf x { type n:thing; } leaf y { }")
    (tmp_path / "sub.yang").write_text("submodule sub { belongs-to lost { prefix l; } }")
    found, wrong = load_schema([tmp_path])
    assert {"top", "elsewhere"} <= set(found.root.locals)
    assert any("broken.yang" in sentence for sentence in wrong)
    assert any("not-there" in sentence for sentence in wrong)


def test_a_module_over_which_pyang_stumbles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_modules(tmp_path)
    load = loader.load

    def stumbles(context: object, files: list[Path]) -> list[object]:
        if any(file.name == "test-base.yang" for file in files):
            raise KeyError("of pyang")
        return load(context, files)

    monkeypatch.setattr(loader, "load", stumbles)
    found, wrong = load_schema([tmp_path])
    assert "elsewhere" in found.root.locals
    assert any("test-base.yang: pyang cannot take it: KeyError" in one for one in wrong)


def test_the_newest_revision_counts(tmp_path: Path) -> None:
    for revision, leaf in (("2024-01-01", "old"), ("2025-01-01", "new")):
        text = HEAD.format("m") + f"revision {revision}; leaf {leaf} {{ type string; }} }}"
        (tmp_path / f"m@{revision}.yang").write_text(text)
    found, _ = load_schema([tmp_path])
    assert set(found.root.locals) == {"new"}


def test_a_folder_without_modules(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load_schema([tmp_path])
    with pytest.raises(UsageError):
        load_schema([tmp_path / "gone"])
