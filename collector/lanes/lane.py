"""The process of one lane: a ``Service`` on a socket that it inherits, told what to do by its
supervisor.

Started as ``python -m collector.lanes.lane CHANNEL SOCKET CALLS`` with numbers of open files; - as
SOCKET where nothing is received over UDP, as CALLS where no device calls home. SIGTERM and SIGINT
end it in good order, as does the end of the supervisor; SIGHUP means nothing here. Exit status 0,
or 2 when it could not start, which the supervisor is told in a sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys

from collector.errors import CollectorError, UsageError
from collector.lanes.channel import LINE_OCTETS, Orders, Report, receive, report_of, send
from collector.service.lifecycle import Service
from collector.service.memory import settle
from collector.service.signals import set_up_logging, started, stop_signals

log = logging.getLogger("collector")


def main(arguments: list[str]) -> int:
    """Run until told to stop."""
    channel = socket.socket(fileno=int(arguments[0]))
    opened, called = (
        None if number == "-" else socket.socket(fileno=int(number)) for number in arguments[1:3]
    )
    return asyncio.run(_run(channel, opened, called))


async def _run(
    channel: socket.socket, opened: socket.socket | None, called: socket.socket | None
) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor's: it sends the new orders
    stopping = stop_signals()
    reader, writer = await asyncio.open_connection(sock=channel, limit=LINE_OCTETS)
    orders = await receive(reader, Orders)
    if orders is None:
        return 0
    set_up_logging(orders.config, who=f"lane {orders.lane}: ")
    service = Service(orders.config, opened=opened, called=called)
    obeying = None
    try:
        if await _came_up(service, stopping, writer):
            _tell_who_calls_others(service, orders)
            obeying = asyncio.create_task(_obey(service, reader, writer, stopping))
            await stopping.wait()
    except CollectorError as error:
        with contextlib.suppress(OSError):
            await send(writer, report_of(error))
        return 2
    finally:
        if obeying is not None:
            obeying.cancel()
        await service.stop()
        writer.close()
    log.info("Stopped; everything that was taken is on disk.")
    return 0


async def _came_up(service: Service, stopping: asyncio.Event, writer: asyncio.StreamWriter) -> bool:
    """Start and say so; False when it was to stop before that, or nobody is there to be told.

    Raises:
        CollectorError: it cannot start.
    """
    if not await started(service.start(), stopping):
        return False
    settle()
    try:
        await send(writer, Report())
    except OSError:
        log.error("The supervisor is gone.")
        return False
    return True


async def _obey(
    service: Service,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    stopping: asyncio.Event,
) -> None:
    """Take further orders until there is nobody to give any."""
    try:
        while (orders := await receive(reader, Orders)) is not None:
            await send(writer, await _taken_over(service, orders))
    except (OSError, UsageError) as error:
        log.error("The supervisor cannot be understood: %s", error)
    if not stopping.is_set():
        log.error("The supervisor is gone.")
        stopping.set()


async def _taken_over(service: Service, orders: Orders) -> Report:
    try:
        await service.reload(orders.config)
    except CollectorError as error:
        return report_of(error)
    except Exception as error:  # whatever is wrong, the lane goes on as it was
        log.exception("The configuration was not taken over.")
        return Report(f"unexpected {type(error).__name__}: {error}")
    _tell_who_calls_others(service, orders)
    return Report(at_next_start=tuple(service.at_restart))


def _tell_who_calls_others(service: Service, orders: Orders) -> None:
    if service.manager.calls is not None:
        service.manager.calls.elsewhere = orders.elsewhere


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
