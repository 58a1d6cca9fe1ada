"""YANG files -> findings, and findings as text, JSON, JUnit XML or GitHub annotations.

Does: run pyang in process over files and folders and write down what it finds. Does not: decide an
exit status beyond ``has_errors``.

Rules: a finding says file, line, level, code and message; the same one is said once, also when it
was met in several contexts. A file that pyang cannot read or stumbles over is a finding, too, so
that one bad file never hides the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from lxml import etree
from msgspec import Struct

from collector.schema import loader

_NOT_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ERROR: Final = "error"
WARNING: Final = "warning"


class Finding(Struct, frozen=True, order=True):
    """One thing that pyang says."""

    file: str
    line: int
    """From 1; 0 where it is about the whole file."""
    level: str
    """``error`` or ``warning``."""
    code: str
    """pyang's word for it, as in ``MODULE_NOT_FOUND``."""
    message: str


class Report(Struct, frozen=True):
    """What a run over some files found."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """True when a finding is an error."""
        return any(finding.level == ERROR for finding in self.findings)


def validate(
    paths: Iterable[str | Path], *, search: Sequence[str | Path] = (), strict: bool = False
) -> Report:
    """Validate YANG files and every ``*.yang`` below folders.

    Args:
        paths: files and folders.
        search: more folders in which imports are looked for, the first ones.
        strict: as ``pyang --strict``.

    Raises:
        UsageError: a path that is not there, a folder without modules.
    """
    files = loader.find_modules(paths)
    findings: set[Finding] = set()
    for group in loader.in_rounds(files):
        readable, unreadable = _readable(group)
        findings.update(unreadable)
        folders = [*search, *dict.fromkeys(path.parent for path in files)]
        findings.update(_run(readable, folders, strict))
    return Report(tuple(map(str, files)), tuple(sorted(findings)))


def _readable(files: Iterable[Path]) -> tuple[list[Path], list[Finding]]:
    good, bad = [], []
    for path in files:
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            bad.append(Finding(str(path), 0, ERROR, "NOT_UTF_8", f"not UTF-8: {error.reason}"))
        except OSError as error:
            bad.append(Finding(str(path), 0, ERROR, "NOT_READABLE", str(error.strerror)))
        else:
            good.append(path)
    return good, bad


def _run(files: list[Path], folders: Sequence[str | Path], strict: bool) -> list[Finding]:
    context = loader.new_context(folders, strict=strict)
    try:
        loader.load(context, files)
    except Exception as error:  # noqa: BLE001 - pyang stumbles over some broken modules
        if len(files) > 1:  # find out which one it was, and what it says about the others
            return [finding for path in files for finding in _run([path], folders, strict)]
        message = f"pyang cannot take this file: {type(error).__name__}: {error}"
        return [Finding(str(files[0]), 0, ERROR, "PYANG_FAILED", message)]
    return [_finding(*error) for error in context.errors]


def _finding(position: Any, code: str, arguments: Any) -> Finding:
    from pyang import error

    level = WARNING if error.is_warning(error.err_level(code)) else ERROR
    message = error.err_to_str(code, arguments)
    if position.uses_pos is not None:
        message = f"{message} (used at {position.uses_pos.label()})"
    return Finding(str(position.ref), position.line or 0, level, code, message)


# --------------------------------------------------------------------------- output
def as_text(report: Report) -> str:
    """``file:line: level: message [CODE]``, one line each, and a summary line."""
    lines = [
        f"{found.file}:{found.line}: {found.level}: {found.message} [{found.code}]"
        for found in report.findings
    ]
    errors = sum(found.level == ERROR for found in report.findings)
    warnings = len(report.findings) - errors
    lines.append(
        f"{_count(len(report.files), 'file')}, {_count(errors, 'error')}, "
        f"{_count(warnings, 'warning')}"
    )
    return "\n".join(lines) + "\n"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def as_json(report: Report) -> str:
    """An object with ``files`` and ``findings``."""
    found = [
        {
            "file": one.file,
            "line": one.line,
            "level": one.level,
            "code": one.code,
            "message": one.message,
        }
        for one in report.findings
    ]
    return json.dumps({"files": list(report.files), "findings": found}, indent=2) + "\n"


def as_junit(report: Report) -> str:
    """JUnit XML: a test case for each file, an error is a failure, a warning is output."""
    cases = list(dict.fromkeys([*report.files, *(found.file for found in report.findings)]))
    failed = {found.file for found in report.findings if found.level == ERROR}
    suite = etree.Element(
        "testsuite", name="yang", tests=str(len(cases)), failures=str(len(failed)), errors="0"
    )
    for file in cases:
        case = etree.SubElement(suite, "testcase", classname="yang", name=_xml_text(file))
        own = [found for found in report.findings if found.file == file]
        errors = [found for found in own if found.level == ERROR]
        if errors:
            message = _xml_text(errors[0].message)
            failure = etree.SubElement(case, "failure", type=errors[0].code, message=message)
            failure.text = _xml_text("\n".join(map(_line, errors)))
        warnings = [found for found in own if found.level == WARNING]
        if warnings:
            output = etree.SubElement(case, "system-out")
            output.text = _xml_text("\n".join(map(_line, warnings)))
    root = etree.Element("testsuites")
    root.append(suite)
    octets = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return octets.decode()


def _line(found: Finding) -> str:
    return f"{found.file}:{found.line}: {found.level}: {found.message} [{found.code}]"


def _xml_text(text: str) -> str:
    """Without the control characters that XML cannot hold; a broken module may quote them."""
    return _NOT_XML.sub("?", text)


def as_github(report: Report) -> str:
    """Workflow commands that annotate the lines of a pull request."""
    lines = [
        f"::{found.level} file={_property(found.file)},line={max(found.line, 1)},"
        f"title={_property(found.code)}::{_escaped(found.message)}"
        for found in report.findings
    ]
    return "".join(line + "\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "github": as_github,
}
"""Name of a format -> its writer."""
