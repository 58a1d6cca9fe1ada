"""Kinds of values that keys of the configuration have, with their limits."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535)]
BindPort = Annotated[int, Meta(ge=0, le=65535)]
Name = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[^\s\x00-\x1f\x7f*][^\x00-\x1f\x7f]*\Z")
]
Text = Annotated[str, Meta(min_length=1, max_length=4096)]
Retention = Annotated[int, Meta(ge=0)]
QuirkName = Literal[
    "last-flag-in-top-bit", "unknown-options", "ids-per-publisher", "ids-per-subscription",
    "old-media-types", "several-messages", "legacy-header",
]  # fmt: skip
"""The names of ``model.Quirk``."""
Timeout = Annotated[float, Meta(gt=0, le=600)]
