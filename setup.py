"""The compiled core of ``collector.fast``; everything else about the package is in pyproject.toml.

Optional: where nothing can be compiled, the package installs without it and works. With
``YPC_REQUIRE_EXT=1``, as in CI, an error of the compiler, or a warning, fails the installation:
otherwise a genuine mistake would pass as "no compiler here".
"""

import os
from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("collector/fast/src")
REQUIRED = os.environ.get("YPC_REQUIRE_EXT") == "1"
# no -march=native: what is built here may run elsewhere
FLAGS = ["-O3", "-fvisibility=hidden", "-Wall", "-Wextra", *(["-Werror"] if REQUIRED else [])]

setup(
    ext_modules=[
        Extension(
            "collector.fast._native",
            sources=sorted(map(str, SOURCES.glob("*.c"))),
            depends=sorted(map(str, SOURCES.glob("*.h"))),
            extra_compile_args=FLAGS,
            optional=not REQUIRED,
        )
    ]
)
