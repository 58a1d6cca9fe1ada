"""Packages of somebody else, installed into a folder as pip would do it: modules and a
``.dist-info`` with the entry points. Who has the folder in its path finds them by themselves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parent / "foreign" / "acme_telemetry.py"
ACME = {
    "receivers": {"acme-tcp": "acme_telemetry:TcpReceiver"},
    "encodings": {"acme-packed": "acme_telemetry:PackedEncoding"},
    "sinks": {"acme-csv": "acme_telemetry:CsvSink"},
    "senders": {"acme-tcp": "acme_telemetry:send"},
}


def install(
    folder: Path,
    package: str,
    entry_points: Mapping[str, Mapping[str, str]],
    modules: Mapping[str, str] | None = None,
    version: str = "1.2.0",
) -> None:
    """``entry_points``: kind -> name -> ``module:attribute``; ``modules``: name -> its source."""
    folder.mkdir(exist_ok=True)
    for name, source in (modules or {}).items():
        (folder / f"{name}.py").write_text(source)
    info = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(
        "".join(
            f"[yang_push_collector.{kind}]\n"
            + "".join(f"{name} = {value}\n" for name, value in points.items())
            for kind, points in entry_points.items()
        )
    )


def install_acme(folder: Path) -> None:
    """``acme-telemetry``: a receiver, an encoding and a sink that keep their contracts."""
    install(folder, "acme-telemetry", ACME)
    shutil.copy(SOURCE, folder)
