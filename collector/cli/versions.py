"""``collector --version``: what is installed, and which receive path this machine has."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from collector import __version__, fast

LIBRARIES = (
    "msgspec", "numpy", "pyarrow", "duckdb", "asyncssh", "ncclient", "lxml", "cbor2", "pyang",
)  # fmt: skip
"""Libraries whose version matters when something goes wrong."""


def version_text() -> str:
    """Some lines for a person or a fault report."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    core = "pure Python" if fast.native is None else "compiled core"
    return (
        f"collector {__version__} ({core})\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}\n"
        f"{libraries}\n"
        f"receive path: {receive_path()}"
    )


def receive_path() -> str:
    """How datagrams are taken from the socket on this machine."""
    from collector.receivers.sockets.recvmmsg import recvmmsg_usable

    if recvmmsg_usable():
        return "recvmmsg (many datagrams a system call)"
    return "recv_into (one datagram a system call: this platform has no recvmmsg)"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
