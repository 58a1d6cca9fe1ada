"""The SCENARIO argument: a file, or the name of a packaged scenario."""

from __future__ import annotations

from pathlib import Path

from collector.errors import ConfigError
from publisher_sim.scenario import Scenario, load_scenario, parse_scenario

FOLDER = Path(__file__).parent.parent / "scenarios"


def packaged() -> dict[str, str]:
    """name -> text of every packaged scenario."""
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in sorted(FOLDER.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def read_scenario(name: str) -> Scenario:
    """The scenario of a file, else the packaged one of that name. Raises ConfigError."""
    path = Path(name)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return load_scenario(path)
    known = packaged()
    if name not in known:
        allowed = f"a file, or one of {', '.join(known)}"
        raise ConfigError(f"there is no scenario {name!r}", allowed=allowed)
    return parse_scenario(known[name], file=f"{name}.toml")
