"""Child processes of the benchmark that talk through a pipe: the sender, and bare receivers."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from tests.bench.sender import WARM, SendOrder, SendReport, serve

PATIENCE_SECONDS = 20.0
"""Longest wait for a process to answer."""


@contextlib.contextmanager
def process(target: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """A process that talks through a pipe; killed when it does not end by itself."""
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=target, args=(theirs, *arguments), daemon=True)
    child.start()
    theirs.close()
    try:
        yield ours
        with contextlib.suppress(OSError):
            ours.send(None)
        child.join(PATIENCE_SECONDS)
    finally:
        if child.is_alive():
            child.kill()
            child.join()
        ours.close()


def answer(pipe: Connection, seconds: float = 0.0) -> Any:
    """What a process says, within ``seconds`` and some patience. Raises TimeoutError."""
    if not pipe.poll(seconds + PATIENCE_SECONDS):
        raise TimeoutError("a process of the benchmark does not answer")
    return pipe.recv()


def send(order: SendOrder, warm: Callable[[], None] = lambda: None) -> SendReport:
    """Have an order carried out in a process; ``warm`` is called after the warm-up."""
    with process(serve) as sender:
        sender.send(order)
        answer(sender)
        sender.send("go")
        while (said := answer(sender, order.plan.seconds)) == WARM:
            warm()
        report: SendReport = said
        return report
