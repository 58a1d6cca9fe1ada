"""A whole collector as people start it: ``collector run`` in a process of its own, watched from
outside.

Does: write its configuration, start it, ask the kernel what it takes (CPU time and memory of the
process and its children, drops and queue of its sockets), stop it. Does not: import the collector's
service, so it measures whatever ``collector run`` is, one process or several lanes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from collector.control import SOCKET_NAME
from collector.receivers.sockets.udp import enlarge_receive_buffer
from tests.bench import traffic

PATIENCE_SECONDS: Final = 60.0
"""Longest wait for a collector to start or to stop."""
_LOOK_SECONDS: Final = 0.002
_TICK: Final = os.sysconf("SC_CLK_TCK")
_LOG = "collector.log"


class CollectorRun:
    """One running collector."""

    def __init__(
        self, folder: Path, devices: int, *, receive_buffer: int = 64 << 20, lanes: int = 1,
        core: int | None = None, options: tuple[str, ...] = (), more: str = "",
    ) -> None:  # fmt: skip
        """
        Args:
            folder: of its data, its configuration and its log.
            devices: how many it knows.
            receive_buffer: octets asked of the kernel.
            lanes: processes that share the port.
            core: where it has to run; None: wherever it likes.
            options: of the interpreter.
            more: further sections of the configuration.
        """
        self.folder = folder
        self.port = free_port()
        self._core, self._lanes = core, lanes
        self._options = options
        tables = _tables(folder, self.port, receive_buffer, lanes)
        text = "".join(f"[{name}]\n{_lines(table)}\n" for name, table in tables.items())
        for one in range(devices):
            device = {"name": traffic.device_name(one), "sources": [traffic.address(one)]}
            text += f"[[device]]\n{_lines(device)}\n"
        self._config = folder / "collector.toml"
        self._config.write_text(text + more)
        self._process: subprocess.Popen[bytes] | None = None
        self.end_cpu_seconds = 0.0
        """All CPU time of the process and its children, known once it has stopped."""
        self.peak_rss = 0
        """Octets, of all processes together, as far as anybody looked."""

    # ----------------------------------------------------------------- life
    def start(self) -> float:
        """Return when it listens; seconds that this took.

        Raises:
            RuntimeError: it ended, or does not listen.
        """
        command = [
            sys.executable,
            *self._options,
            "-m",
            "collector",
            "run",
            "-c",
            str(self._config),
        ]
        begun = time.monotonic()
        with (self.folder / _LOG).open("wb") as log, _on_core(self._core):
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        while not (self.listens() and self._all_lanes()):
            if self._process.poll() is not None or time.monotonic() - begun > PATIENCE_SECONDS:
                raise RuntimeError(f"the collector does not start: {self.log()[-1000:]}")
            time.sleep(_LOOK_SECONDS)
        return time.monotonic() - begun

    def stop(self) -> int:
        """End it in good order; its exit status, or minus the signal that ended it."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is not None:  # it ended by itself, and was waited for
            return process.returncode
        self._look(process.pid)
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(_LOOK_SECONDS)
        _, status, used = found
        process.returncode = os.waitstatus_to_exitcode(status)
        self.end_cpu_seconds = used.ru_utime + used.ru_stime
        self.peak_rss = max(self.peak_rss, used.ru_maxrss * 1024)
        return process.returncode

    def log(self) -> str:
        """What it said so far."""
        return (self.folder / _LOG).read_text(errors="replace")

    # ----------------------------------------------------------------- looking
    @property
    def pid(self) -> int:
        """Of the process that was started. Only while it runs."""
        assert self._process is not None
        return self._process.pid

    def listens(self) -> bool:
        """Whether a socket is bound to the port."""
        return bool(self._sockets())

    def _all_lanes(self) -> bool:
        """Whether every lane takes what comes: their sockets are open long before, and what waits
        there counts as come when its lane began."""
        return self._lanes == 1 or (self.folder / SOCKET_NAME).exists()  # opened last

    def queued(self) -> int:
        """Octets that wait in its sockets."""
        return sum(int(fields[4].split(":")[1], 16) for fields in self._sockets())

    def drops(self) -> int:
        """Datagrams that the kernel dropped at its sockets."""
        return sum(int(fields[-1]) for fields in self._sockets())

    def cpu_seconds(self) -> float:
        """CPU time so far, all threads of all processes."""
        return self._look(self.pid)

    def rss(self) -> int:
        """Octets that all its processes hold now."""
        return sum(_status(pid, "VmRSS") for pid in _family(self.pid))

    def peak(self) -> int:
        """Octets that all its processes held at most so far, each by itself."""
        self._look(self.pid)
        return self.peak_rss

    def settled(self, patience_seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait until nothing is queued and next to nothing is done; False when that takes long."""
        deadline, calm = time.monotonic() + patience_seconds, 0
        before = self.cpu_seconds()
        while calm < 3:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
            now = self.cpu_seconds()
            calm = calm + 1 if self.queued() == 0 and now - before < 0.03 else 0
            before = now
        return True

    def _look(self, pid: int) -> float:
        family = _family(pid)
        self.peak_rss = max(self.peak_rss, sum(_status(one, "VmHWM") for one in family))
        return sum(_cpu(one) for one in family)

    def _sockets(self) -> list[list[str]]:
        """The fields of our port in the kernel's tables of UDP sockets (proc(5))."""
        found = []
        for table in ("/proc/net/udp", "/proc/net/udp6"):
            with contextlib.suppress(OSError):
                lines = Path(table).read_text().splitlines()[1:]
                found += [line.split() for line in lines]
        return [one for one in found if int(one[1].rsplit(":", 1)[1], 16) == self.port]


@contextlib.contextmanager
def collector(folder: Path, devices: int, **options: Any) -> Iterator[CollectorRun]:
    """A collector that listens, and is stopped at the end."""
    running = CollectorRun(folder, devices, **options)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def free_port() -> int:
    """A UDP port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        found: int = sock.getsockname()[1]
        return found


def granted_buffer(octets: int) -> int:
    """What the kernel grants who asks for a receive buffer of ``octets``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return enlarge_receive_buffer(sock, octets)


def cores() -> tuple[int | None, int | None]:
    """Cores for collector and sender; None, None when there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def empty(folder: Path) -> None:
    """Throw a folder away, whatever is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _tables(
    folder: Path, port: int, receive_buffer: int, lanes: int
) -> dict[str, Mapping[str, Any]]:
    return {
        "collector": {"data_dir": str(folder), "log_level": "warning", "lanes": lanes},
        "udp_notif": {"port": port, "receive_buffer_bytes": receive_buffer},
        "metrics": {"enabled": False},
        "alerts": {"log": False},
    }


def _lines(table: Mapping[str, Any]) -> str:
    """A table in TOML; its strings, numbers and lists are written as in JSON."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())


@contextlib.contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """What is started meanwhile stays on this core, all its threads too."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# --------------------------------------------------------------------------- the kernel's books
def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += _family(int(child))
    return found


def _cpu(pid: int) -> float:
    """User and system time, children that have ended included."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text[text.rindex(")") + 2 :].split()
    return sum(map(int, fields[11:15])) / _TICK


def _status(pid: int, name: str) -> int:
    """Octets of a line of /proc/PID/status."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0
