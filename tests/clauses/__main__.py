"""``python -m tests.clauses``: the table RFC clause -> test; 1 when a clause is without either."""

from __future__ import annotations

import sys

from tests.clauses.table import faults, lines, proofs


def main() -> int:
    """Print the table, then what is wrong with it."""
    found = proofs()
    for line in lines(found):
        print(line)
    wrong = faults(found)
    for sentence in wrong:
        print(f"clauses: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
