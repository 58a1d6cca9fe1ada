"""``collector init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from collector.cli.options import DEFAULT_CONFIG


@click.command(epilog="Example: collector init -o collector.toml")
@click.option(
    "-o", "--output", default=DEFAULT_CONFIG, show_default=True, metavar="FILE",
    help="Where to write; - is standard output.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(output: str, force: bool) -> None:
    """Write a commented configuration.

    Every key is in it with its meaning, unit, limit and default.
    """
    from collector.config.template import template
    from collector.errors import UsageError

    if output == "-":
        click.echo(template(), nl=False)
        return
    try:
        _write(Path(output), template(), force)
    except FileExistsError:
        raise UsageError(f"{output} is there already; --force replaces it") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"{output} written; edit it, then: collector check-config {output}", err=True)


def _write(path: Path, text: str, force: bool) -> None:
    """All of it or nothing: on a full disk no half file stays, and what is replaced stays whole.

    Raises FileExistsError and other OSErrors.
    """
    replaced = force and path.is_file() and not path.is_symlink()
    place = path.with_name(f".{path.name}.{os.getpid()}") if replaced else path
    new = replaced or not path.exists()
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    file = os.fdopen(os.open(place, flags, 0o640), "w", encoding="utf-8")
    try:
        with file:
            file.write(text)
        if replaced:
            place.replace(path)
    except OSError:
        if new:
            place.unlink(missing_ok=True)
        raise
