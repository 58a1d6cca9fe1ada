"""Hypothesis: the same examples at every run, so that a commit that was green stays green.

New ones are looked for with ``HYPOTHESIS_PROFILE=random python -m tests -k properties``; what they
find becomes an ``@example`` of its test.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
