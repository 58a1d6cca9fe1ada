"""``collector --version``: what is installed, and which receive path this machine has."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from collector import __version__

LIBRARIES = (
    "msgspec", "numpy", "pyarrow", "duckdb", "asyncssh", "ncclient", "lxml", "cbor2", "pyang",
)  # fmt: skip
"""Libraries whose version matters when something goes wrong."""


def version_text() -> str:
    """Some lines for a person or a fault report."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return (
        f"collector {__version__}\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}\n"
        f"{libraries}\n"
        f"receive path: {receive_path()}"
    )


def receive_path() -> str:
    """How datagrams are taken from the socket on this machine."""
    try:
        from collector.receivers import udp_notif
    except ImportError as error:
        return f"none ({error})"
    path = getattr(udp_notif, "receive_path", None)
    return str(path()) if callable(path) else "recv_into"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
