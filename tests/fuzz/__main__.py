"""``python -m tests.fuzz DECODER --seconds N``: feed a decoder what reaches new code in it.

Coverage-guided, by atheris (extra ``fuzz``). ``all`` takes turns: the first octet of an input says
which decoder gets the rest. Ends with 0 when nothing but values and errors of the tree came out; a
finding is printed, and the octets are left in the folder of ``--keep``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

LIMIT_MB = 2048
"""Memory of the process at most; the decoders with their libraries take 300."""
LIMIT_SECONDS = 10
"""For one input."""
LONGEST = 4096
"""Octets of an input."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("decoder", help="a name of tests.fuzz.targets.TARGETS, or all")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="corpus to go on with, and where findings go")
    return parser.parse_args()


def main() -> None:
    """Fuzz until the time is over; exits."""
    arguments = _arguments()
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install '.[fuzz]'")
    with atheris.instrument_imports(include=["collector.wire"]):
        from tests.fuzz.targets import TARGETS

    names = sorted(TARGETS) if arguments.decoder == "all" else [arguments.decoder]
    if arguments.decoder not in (*TARGETS, "all"):
        sys.exit(f"{arguments.decoder} is no decoder; there are: all, {', '.join(sorted(TARGETS))}")
    several = len(names) > 1

    def feed(octets: bytes) -> None:
        if several:
            if octets:
                TARGETS[names[octets[0] % len(names)]].feed(octets[1:])
        else:
            TARGETS[names[0]].feed(octets)

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        kept = arguments.keep or Path(folder) / "kept"
        seeds = Path(folder) / "seeds"
        for path in (kept, seeds):
            path.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            mark = bytes((number,)) if several else b""
            for count, octets in enumerate(TARGETS[name].seeds()):
                (seeds / f"{name}-{count}").write_bytes(mark + octets[: LONGEST - 1])
        options = [
            f"-max_total_time={arguments.seconds}", f"-max_len={LONGEST}",
            f"-rss_limit_mb={LIMIT_MB}", f"-timeout={LIMIT_SECONDS}", "-verbosity=0",
            "-print_final_stats=1", f"-artifact_prefix={kept}/finding-",
        ]  # fmt: skip
        atheris.Setup([sys.argv[0], *options, str(kept), str(seeds)], feed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
