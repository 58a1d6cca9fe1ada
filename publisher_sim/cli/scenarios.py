"""``publisher-sim scenarios``."""

from __future__ import annotations

import click


@click.command(epilog="Example: publisher-sim scenarios four-cards > my-device.toml")
@click.argument("name", required=False)
def scenarios(name: str | None) -> None:
    """List the packaged scenarios, or print the one called NAME to start your own from."""
    from collector.errors import UsageError
    from publisher_sim.cli.scenario_argument import packaged

    known = packaged()
    if name is None:
        lines = click.HelpFormatter()  # of the terminal's width, whole words
        lines.write_dl([(one, text.split("\n", 1)[0].lstrip("# ")) for one, text in known.items()])
        click.echo(lines.getvalue(), nl=False)
    elif name in known:
        click.echo(known[name], nl=False)
    else:
        raise UsageError(f"there is no scenario {name!r}: one of {', '.join(known)}")
