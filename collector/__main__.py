"""The console command ``collector``, and ``python -m collector``: the same.

Does: make Ctrl-C silent from here on, while the imports are still on their way. Does not: anything
else; ``cli`` does. So nothing is imported before ``main`` that is not there already.
"""

import sys


def main() -> None:
    """Run the command line and leave with its exit status, 130 after Ctrl-C."""
    try:
        from collector.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
