"""``collector yang``: work with YANG modules."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from collector.cli.options import json_option
from collector.cli.reaching import reach_options


@click.group("yang")
def yang_group() -> None:
    """Work with YANG modules.

    Start with: collector yang validate my-modules/
    """


@yang_group.command(
    epilog="Example: collector yang validate yang/ --path ../ietf --format junit -o yang.xml"
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@click.option(
    "--path", "search", multiple=True, type=click.Path(exists=True, file_okay=False),
    metavar="DIR", help="Folder in which imported modules are looked for; may be given often.",
)  # fmt: skip
@click.option(
    "--format", "format_name", default="text", show_default=True,
    type=click.Choice(["text", "json", "junit", "github"]),
    help="text for people, junit and github for CI.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Take YANG by the letter, as pyang --strict.")
@click.option(
    "-o", "--output", "output", type=click.Path(dir_okay=False), metavar="FILE",
    help="Write here instead of standard output.",
)  # fmt: skip
def validate(
    paths: tuple[str, ...],
    search: tuple[str, ...],
    format_name: str,
    strict: bool,
    output: str | None,
) -> None:
    """Validate YANG files, and every *.yang below folders.

    Imports are found beside the files, in the folders of --path, and among the standard modules
    that come along. Exit status 1 when a module has an error, 2 when a path cannot be used.
    """
    from collector.errors import UsageError
    from collector.schema import validate as validation

    report = validation.validate(paths, search=search, strict=strict)
    text = validation.FORMATS[format_name](report)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{output} cannot be written: {error.strerror}") from error
        errors = sum(found.level == validation.ERROR for found in report.findings)
        click.echo(f"{errors} errors in {len(report.files)} files; see {output}", err=True)
    if report.has_errors:
        sys.exit(1)


@yang_group.command(
    short_help="Fetch the YANG modules of a device.",
    epilog="""\b
Examples (a password is in a file or in the environment variable COLLECTOR_PASSWORD):
  collector yang fetch core7 -c collector.toml
  collector yang fetch 192.0.2.7 --user telemetry -o yang/core7
""",
)
@click.argument("target", metavar="DEVICE|HOST")
@reach_options
@click.option(
    "-o", "--output", "output", type=click.Path(file_okay=False), metavar="DIR",
    help="Folder for the files.  [default: modules/.. in the data folder, one for each list of"
    " modules; fetched.json in it says whose]",
)  # fmt: skip
@json_option
def fetch(
    target: str, config_file: str | None, output: str | None, as_json: bool, **options: object
) -> int:
    """Fetch the YANG modules of a device, for the key folder of [schema].

    DEVICE is one of the configuration; a HOST needs --user. The list is the device's YANG library,
    else its monitoring data, else its hello; each module comes by get-schema (RFC 6022). What is in
    the folder already is not fetched again. Exit status 1 when some modules could not be had, 2
    when it could not be done.
    """
    from collector.cli.fetching import fetch_for, say

    return say(fetch_for(target, config_file, output, options), as_json)
