"""Finds the tests that name a clause, holds them against the catalogue, and writes the table.

Reads the sources of the tests, so that nothing has to be imported or collected. Does not: run a
test; whether they pass is what the steps before this one say.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.clauses.catalogue import CLAUSES

TESTS = Path(__file__).resolve().parent.parent


def proofs(folder: Path = TESTS) -> dict[str, list[str]]:
    """Id of a clause -> the tests that name it, as ``path::test``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "mark.clause(" not in source:
            continue
        name = path.relative_to(folder.parent).as_posix()
        for test, clauses in _marked(ast.parse(source).body, ()):
            for clause in clauses:
                found[clause].append(f"{name}::{test}")
    return dict(found)


def _marked(
    body: Iterable[ast.stmt], above: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every test with the clauses of its own marks and of the class or module around it."""
    statements = list(body)
    for node in statements:
        if isinstance(node, ast.Assign) and "pytestmark" in map(ast.unparse, node.targets):
            above += _clauses(ast.walk(node.value))
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            marks = (part for mark in node.decorator_list for part in ast.walk(mark))
            own = above + _clauses(marks)
            if isinstance(node, ast.ClassDef):
                for test, clauses in _marked(node.body, own):
                    yield f"{node.name}::{test}", clauses
            elif node.name.startswith("test_") and own:
                yield node.name, own


def _clauses(nodes: Iterable[ast.AST]) -> tuple[str, ...]:
    """The ids in every ``pytest.mark.clause("..")`` among the nodes."""
    return tuple(
        argument.value
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.clause"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


def faults(found: dict[str, list[str]]) -> list[str]:
    """What is wrong with table and tests, in sentences."""
    known = {clause.id: clause for clauses in CLAUSES.values() for clause in clauses}
    said = [f"{found[name][0]} names {name}, which is not listed" for name in found.keys() - known]
    for clause in known.values():
        if clause.id not in found and not clause.why_open:
            said.append(f"{clause.id} ({clause.text}) has no test and no reason")
        if clause.id in found and clause.why_open:
            said.append(f"{clause.id} has a test, so its reason is out of date")
    return sorted(said)


def lines(found: dict[str, list[str]]) -> Iterator[str]:
    """The table, for people."""
    for document, clauses in CLAUSES.items():
        tested = sum(clause.id in found for clause in clauses)
        reasons = sum(bool(clause.why_open) for clause in clauses)
        yield f"{document}: {tested} of {len(clauses)} tested, {reasons} with a reason why not"
        for clause in clauses:
            yield f"  {clause.id:<16} {clause.end:<10} {clause.text}"
            tests = found.get(clause.id, [])
            more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
            yield f"  {'':16} {tests[0]}{more}" if tests else f"  {'':16} OPEN: {clause.why_open}"
