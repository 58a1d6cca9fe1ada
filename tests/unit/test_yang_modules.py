"""The modules in ``yang/``: valid with pyang's own set, and node by node the published ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.errors import UsageError
from collector.schema import loader, validate

FOLDER = loader.bundled_modules_folder()
MODULES = sorted(FOLDER.glob("*.yang"))
PUBLISHED = Path(os.environ.get("YANG_PUSH_MODULES", Path(__file__).parents[3] / "shared" / "yang"))


def test_the_modules_are_there() -> None:
    assert [path.name for path in MODULES] == [
        "ietf-distributed-notif@2026-04-13.yang",
        "ietf-https-notif-transport@2026-06-30.yang",
        "ietf-multiple-stream-originators@2019-10-12.yang",
        "ietf-notification-capabilities@2022-02-17.yang",
        "ietf-subscribed-notif-receivers@2026-06-30.yang",
        "ietf-system-capabilities@2022-02-17.yang",
        "ietf-udp-notif-transport@2026-07-29.yang",
        "ietf-yp-notification@2026-05-11.yang",
        "ietf-yp-observation@2026-05-11.yang",
        "ietf-yp-transport-capabilities@2026-05-15.yang",
    ]


def test_they_are_strictly_valid() -> None:
    report = validate.validate([FOLDER], strict=True)
    assert report.findings == ()


def test_a_wheel_takes_them_along() -> None:
    """The build finds data of a package only inside the package: there is a link to them."""
    inside = Path(loader.__file__).parents[1] / "yang"
    assert [path.name for path in sorted(inside.glob("*.yang"))] == [path.name for path in MODULES]
    assert inside.resolve().name == "yang"


def test_a_lost_folder_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(UsageError, match="install the package again"):
        loader.bundled_modules_folder()


# --------------------------------------------------------------------------- node by node
def facts(path: Path, folders: list[Path]) -> dict[str, dict[str, Any]]:
    """Everything of a module that a peer can see, by path: kind, type, config and the like."""
    context = loader.new_context(folders)
    (module,) = loader.load(context, [path])
    found: dict[str, dict[str, Any]] = {
        "": {
            "name": module.arg,
            **{word: module.search_one(word).arg for word in ("namespace", "prefix")},
            "revision": module.search_one("revision").arg,
            "features": sorted(one.arg for one in module.search("feature")),
        }
    }
    for statement in module.substmts:
        if statement.keyword == "augment":
            for child in statement.i_children:
                found.update(nodes(child, statement.arg))
        elif getattr(statement, "i_children", None) and statement.keyword != "grouping":
            found.update(nodes(statement, ""))
    return found


def nodes(statement: Any, above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    path = f"{above}/{statement.arg}"
    yield (
        path,
        {
            "keyword": statement.keyword,
            "type": type_of(statement),
            "config": getattr(statement, "i_config", None),
            "mandatory": argument(statement, "mandatory"),
            "default": argument(statement, "default"),
            "ordered-by": argument(statement, "ordered-by"),
            "if-feature": [one.arg for one in statement.search("if-feature")],
        },
    )
    for child in getattr(statement, "i_children", []):
        yield from nodes(child, path)


def argument(statement: Any, keyword: str) -> str | None:
    found = statement.search_one(keyword)
    return None if found is None else str(found.arg)


def type_of(statement: Any) -> tuple[Any, ...] | None:
    found = statement.search_one("type")
    if found is None:
        return None
    return (found.arg, [one.arg for one in found.search("enum")])


LEFT_OUT = {
    "ietf-yp-notification": "^/sysc:system-capabilities",
    "ietf-yp-observation": "^/sysc:system-capabilities",
    "ietf-udp-notif-transport": "/udp-notif-receiver/(local-address|local-port|dtls/.*)$",
    "ietf-https-notif-transport": "-endpoint/(?!uri$)|/receiver-identity($|/)",
}
"""module -> what its description says is left out, as a pattern of paths."""


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"no published modules in {PUBLISHED}")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_they_have_the_published_nodes(path: Path) -> None:
    ours = facts(path, [FOLDER])
    theirs = facts(PUBLISHED / path.name, [PUBLISHED])
    pattern = LEFT_OUT.get(path.stem.partition("@")[0])
    left_out = {name for name in theirs if pattern is not None and re.search(pattern, name)}
    theirs = {name: fact for name, fact in theirs.items() if name not in left_out}
    if "ietf-yp-notification" in path.name:
        hostname = theirs["/envelope/hostname"]
        assert hostname["type"] == ("inet:host-name", [])
        hostname["type"] = ("inet:domain-name", [])  # said in the description
    assert ours == theirs
    assert bool(left_out) == (pattern is not None)
    if left_out:
        assert re.search("(is|are) left out", " ".join(path.read_text().split()))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"no published modules in {PUBLISHED}")
def test_the_comparison_would_see_a_difference(tmp_path: Path) -> None:
    original = (FOLDER / "ietf-distributed-notif@2026-04-13.yang").read_text()
    changed = tmp_path / "ietf-distributed-notif@2026-04-13.yang"
    changed.write_text(original.replace("type uint32", "type uint64", 1))
    assert facts(changed, [FOLDER]) != facts(PUBLISHED / changed.name, [PUBLISHED])
    changed.write_text(original.replace("uses message-publisher-ids", "uses message-publisher-id"))
    assert facts(changed, [FOLDER]) != facts(PUBLISHED / changed.name, [PUBLISHED])


def test_every_module_says_that_it_was_written_anew() -> None:
    for path in MODULES:
        text = " ".join(path.read_text().split())
        assert "Written anew for this project" in text
        assert "Copyright" not in text
