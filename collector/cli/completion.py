"""``collector completion``."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  source <(collector completion bash)
  collector completion fish > ~/.config/fish/completions/collector.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from collector.cli import cli
    from collector.errors import UsageError

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell}")
    click.echo(kind(cli, {}, "collector", "_COLLECTOR_COMPLETE").source())
