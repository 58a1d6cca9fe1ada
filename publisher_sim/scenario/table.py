"""What all tables of a scenario are: frozen, and unknown keys are refused."""

from __future__ import annotations

from msgspec import Struct


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the TOML file. Durations are in seconds, the file's unit."""
