"""What daemons share: their log, and the signals that end them or have them read their file again.

Does not: know what is started, stopped or read. For processes with one event loop in the main
thread.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from collector.config import Config
from collector.errors import CollectorError

log = logging.getLogger("collector")

LOG_FORMAT = "%(asctime)s %(levelname)-7s {who}%(message)s"


def set_up_logging(config: Config, who: str = "") -> None:
    """Everything to standard error; ``who`` stands in front of each message."""
    logging.basicConfig(
        level=config.collector.log_level.upper(),
        format=LOG_FORMAT.format(who=who.replace("%", "%%")),
        stream=sys.stderr,
    )
    for noisy in ("asyncssh", "ncclient"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Daemon(Protocol):
    """What runs until a signal comes."""

    async def start(self) -> None:
        """Return when it is at work."""
        ...

    async def stop(self) -> None:
        """Put everything in order; also where ``start`` did not come to its end."""
        ...

    async def reload_now(self) -> None:
        """Read the configuration again."""
        ...


async def carry(daemon: Daemon, *, reloads: bool, at_work: Callable[[], None]) -> None:
    """From the start of a daemon to the signal that ends it, and to its end.

    Args:
        daemon: not started.
        reloads: SIGHUP has it read its configuration again.
        at_work: called once it is.
    """
    stopping = stop_signals()
    if reloads:
        reload_on_signal(daemon.reload_now)
    try:
        if await started(daemon.start(), stopping):
            at_work()
            await stopping.wait()
        log.info("Stopping.")
    finally:
        await daemon.stop()
    log.info("Stopped; everything that was taken is on disk.")


def stop_signals() -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def started(start: Coroutine[Any, Any, None], stopping: asyncio.Event) -> bool:
    """Wait for ``start``; False when ``stopping`` was set first. Raises what ``start`` raises."""
    starting = asyncio.create_task(start)
    signalled = asyncio.create_task(stopping.wait())
    await asyncio.wait((starting, signalled), return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    if starting.done():
        starting.result()
        return True
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return False


def reload_on_signal(reload_now: Callable[[], Awaitable[None]]) -> None:
    """Have SIGHUP call ``reload_now``; whatever is wrong, the process goes on as it was."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()  # the loop itself would forget a running task

    def hear() -> None:
        task = loop.create_task(_reload(reload_now))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, hear)


async def _reload(reload_now: Callable[[], Awaitable[None]]) -> None:
    try:
        await reload_now()
    except CollectorError as error:
        log.error("The configuration was not taken over: %s", error)
    except Exception:
        log.exception("The configuration was not taken over.")
