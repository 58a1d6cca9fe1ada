"""One question to the running collector, and its answer in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from collector import control
from collector.views.console import make_console
from collector.views.tables import is_table, print_facts, print_objects

Draw = Callable[[Console, Mapping[str, Any]], None]


def show_answer(folder: Path, command: str, as_json: bool, draw: Draw | None = None) -> None:
    """Ask and print: single values as lines, lists of objects as tables.

    ``draw``: how it is drawn in a terminal instead.
    """
    answer = control.ask(folder, command)
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        return
    console = make_console()
    if draw is not None and console.is_terminal:
        draw(console, answer)
        return
    lists = {name: value for name, value in answer.items() if is_table(value)}
    print_facts(console, {name: value for name, value in answer.items() if name not in lists})
    for name, rows in lists.items():
        console.print(f"\n{name.replace('_', ' ')}", style="bold")
        print_objects(console, rows)
