"""``collector yang validate`` and the library function behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import etree

from collector.cli.yang import yang_group
from collector.errors import UsageError
from collector.schema import loader, validate

GOOD = """module good {
  yang-version 1.1;
  namespace "urn:example:good";
  prefix g;
  revision 2026-01-01;
  leaf a { type string; }
}
"""
BAD = """module bad {
  yang-version 1.1;
  namespace "urn:example:bad";
  prefix b;
  import nowhere { prefix n; }
  leaf a { type foo; }
}
"""
WARNS = """module warns {
  namespace "urn:example:warns";
  prefix w;
  import ietf-yang-types { prefix yang; }
  leaf a { type string; }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good@2026-01-01.yang").write_text(GOOD)
    (tmp_path / "bad.yang").write_text(BAD)
    (tmp_path / "warns.yang").write_text(WARNS)
    return tmp_path


def codes(report: validate.Report, level: str = validate.ERROR) -> list[tuple[str, int, str]]:
    return [
        (Path(found.file).name, found.line, found.code)
        for found in report.findings
        if found.level == level
    ]


def test_good_modules_have_no_findings(folder: Path) -> None:
    report = validate.validate([folder / "good@2026-01-01.yang"])
    assert report.findings == ()
    assert not report.has_errors


def test_findings_have_file_line_level_and_code(folder: Path) -> None:
    report = validate.validate([folder])
    assert codes(report) == [("bad.yang", 5, "MODULE_NOT_FOUND"), ("bad.yang", 6, "TYPE_NOT_FOUND")]
    assert ("warns.yang", 4, "UNUSED_IMPORT") in codes(report, validate.WARNING)
    assert report.has_errors
    assert [Path(file).name for file in report.files] == [
        "bad.yang", "good@2026-01-01.yang", "warns.yang",
    ]  # fmt: skip


def test_imports_are_found_in_the_folders_given(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    user = elsewhere / "user.yang"
    user.write_text(
        'module user { namespace "urn:u"; prefix u; import lib { prefix l; } leaf a { type l:t; } }'
    )
    library = tmp_path / "library"
    library.mkdir()
    (library / "lib.yang").write_text(
        'module lib { namespace "urn:l"; prefix l; typedef t { type string; } }'
    )
    assert validate.validate([user]).has_errors
    assert not validate.validate([user], search=[library]).has_errors


def test_two_revisions_of_a_module_do_not_meet(tmp_path: Path) -> None:
    text = (
        'module twice { namespace "urn:t"; prefix t; import ietf-yang-push { prefix yp; }'
        ' revision %s; augment "/yp:push-update" { leaf extra { type string; } } }'
    )
    for revision in ("2025-01-01", "2026-01-01"):
        (tmp_path / f"twice@{revision}.yang").write_text(text % revision)
    report = validate.validate([tmp_path])
    assert len(report.files) == 2
    assert not report.has_errors
    rounds = loader.in_rounds(loader.find_modules([tmp_path]))
    assert [[path.name for path in group] for group in rounds] == [
        ["twice@2026-01-01.yang"], ["twice@2025-01-01.yang"],
    ]  # fmt: skip
    assert loader.in_rounds([]) == []


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "EOF_ERROR"),
        (b"\xff\xfe", "NOT_UTF_8"),
        (b"module", "PYANG_FAILED"),  # pyang 2.7 stumbles over it
        (b"module x { } }", "TRAILING_GARBAGE"),
    ],
)
def test_broken_files_are_findings(tmp_path: Path, octets: bytes, code: str) -> None:
    (tmp_path / "x.yang").write_bytes(octets)
    (tmp_path / "good@2026-01-01.yang").write_text(GOOD)
    report = validate.validate([tmp_path])
    assert code in [found.code for found in report.findings]
    assert {Path(found.file).name for found in report.findings} == {"x.yang"}


def test_a_file_that_pyang_stumbles_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good@2026-01-01.yang").write_text(GOOD)
    (tmp_path / "crash.yang").write_text(GOOD.replace("good", "crash"))
    (tmp_path / "bad.yang").write_text(BAD)
    load = loader.load

    def stumbling(context: object, files: list[Path]) -> list[object]:
        if any(path.name == "crash.yang" for path in files):
            raise AttributeError("no such statement")
        return load(context, files)

    monkeypatch.setattr(loader, "load", stumbling)
    report = validate.validate([tmp_path])
    assert codes(report) == [
        ("bad.yang", 5, "MODULE_NOT_FOUND"), ("bad.yang", 6, "TYPE_NOT_FOUND"),
        ("crash.yang", 0, "PYANG_FAILED"),
    ]  # fmt: skip


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.yang"
    path.write_text(GOOD)

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    (finding,) = validate.validate([path]).findings
    assert (finding.code, finding.message) == ("NOT_READABLE", "Permission denied")


def test_where_a_grouping_is_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyang.error import Position

    inside, used = Position("g.yang"), Position("u.yang")
    inside.line, used.line, inside.uses_pos = 2, 7, used
    (tmp_path / "good@2026-01-01.yang").write_text(GOOD)

    def finds(context: Any, _: object) -> None:
        context.errors.append((inside, "TYPE_NOT_FOUND", ("foo", "g")))

    monkeypatch.setattr(loader, "load", finds)
    (finding,) = validate.validate([tmp_path]).findings
    assert (finding.file, finding.line) == ("g.yang", 2)
    assert finding.message.endswith("(used at u.yang:7)")


@pytest.mark.parametrize("path", ["missing.yang", "empty"])
def test_paths_that_cannot_be_used(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=path):
        validate.validate([tmp_path / path])


# --------------------------------------------------------------------------- formats
REPORT = validate.Report(
    files=("a.yang", "b,c.yang"),
    findings=(
        validate.Finding("a.yang", 3, "error", "TYPE_NOT_FOUND", "100% wrong:\nx"),
        validate.Finding("a.yang", 4, "warning", "UNUSED_IMPORT", "not \x00 used"),
        validate.Finding("b,c.yang", 0, "warning", "W", "<&>"),
        validate.Finding("imported.yang", 1, "error", "E", "elsewhere"),
    ),
)


def test_text() -> None:
    lines = validate.as_text(REPORT).split("\n")
    assert lines[0] == "a.yang:3: error: 100% wrong:"
    assert lines[-2] == "2 files, 2 errors, 2 warnings"
    assert validate.as_text(validate.Report(("a",), ())) == "1 file, 0 errors, 0 warnings\n"


def test_github() -> None:
    assert validate.as_github(REPORT).splitlines() == [
        "::error file=a.yang,line=3,title=TYPE_NOT_FOUND::100%25 wrong:%0Ax",
        "::warning file=a.yang,line=4,title=UNUSED_IMPORT::not \x00 used",
        "::warning file=b%2Cc.yang,line=1,title=W::<&>",
        "::error file=imported.yang,line=1,title=E::elsewhere",
    ]


def test_json() -> None:
    found = json.loads(validate.as_json(REPORT))
    assert found["files"] == ["a.yang", "b,c.yang"]
    assert found["findings"][0] == {
        "file": "a.yang", "line": 3, "level": "error", "code": "TYPE_NOT_FOUND",
        "message": "100% wrong:\nx",
    }  # fmt: skip


def test_junit() -> None:
    root = etree.fromstring(validate.as_junit(REPORT).encode())
    (suite,) = root
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "3", "2")
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == ["a.yang", "b,c.yang", "imported.yang"]
    failure = cases["a.yang"].find("failure")
    assert failure is not None
    assert failure.get("type") == "TYPE_NOT_FOUND"
    assert "a.yang:3: error" in (failure.text or "")
    assert "not ? used" in (cases["a.yang"].findtext("system-out") or "")
    assert cases["b,c.yang"].find("failure") is None


# --------------------------------------------------------------------------- command
def test_the_command(folder: Path) -> None:
    runner = CliRunner()
    good = runner.invoke(yang_group, ["validate", str(folder / "good@2026-01-01.yang")])
    assert (good.exit_code, good.output) == (0, "1 file, 0 errors, 0 warnings\n")
    bad = runner.invoke(yang_group, ["validate", str(folder)])
    assert bad.exit_code == 1
    assert f"{folder / 'bad.yang'}:5: error: " in bad.output
    missing = runner.invoke(yang_group, ["validate"])
    assert missing.exit_code == 2
    assert isinstance(runner.invoke(yang_group, ["validate", "/no/where"]).exception, UsageError)


@pytest.mark.parametrize("format_name", list(validate.FORMATS))
def test_the_command_writes_files(folder: Path, format_name: str) -> None:
    target = folder / "report"
    arguments = ["validate", str(folder), "--format", format_name, "-o", str(target)]
    result = CliRunner().invoke(yang_group, arguments)
    assert result.exit_code == 1
    assert "see " in result.output
    assert "bad.yang" in target.read_text()
    arguments[-1] = str(folder / "no" / "where")
    assert isinstance(CliRunner().invoke(yang_group, arguments).exception, UsageError)


def test_the_formats_of_the_command_are_those_of_the_library() -> None:
    command = yang_group.commands["validate"]
    option = next(one for one in command.params if one.name == "format_name")
    assert option.type.choices == tuple(validate.FORMATS)  # type: ignore[attr-defined]  # a Choice


def test_help_shows_an_example() -> None:
    result = CliRunner().invoke(yang_group, ["validate", "--help"])
    assert "Example: collector yang validate" in result.output


def test_pyang_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, collector.cli.yang, collector.schema.loader as l, collector.schema.validate;"
        "l.bundled_modules_folder(); sys.exit('pyang' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
