"""Folders of YANG modules -> pyang contexts.

Does: find ``*.yang`` files, find the modules that this project brings along, and load files into
pyang contexts in which their imports are found. Does not: judge what pyang says (``validate``).

Rules: pyang is imported when the first module is loaded, not before (start-up time). Two revisions
of one module never share a context: their augmentations would meet. Imports are looked for beside
the files, in the folders given, in our own modules and last in pyang's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from collector.errors import UsageError

SUFFIX: Final = ".yang"


def bundled_modules_folder() -> Path:
    """The folder of the modules that belong to this project.

    In a wheel it is inside the package; in a checkout there is a link to the folder beside it, so
    that the build finds it, and where links are lost the folder itself serves.

    Raises:
        UsageError: the installation has lost it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "yang", package.parent / "yang"):
        if any(folder.glob(f"*{SUFFIX}")):
            return folder
    raise UsageError(f"the YANG modules are missing beside {package}; install the package again")


def find_modules(paths: Iterable[str | Path]) -> list[Path]:
    """The files named, and every ``*.yang`` below the folders named, sorted, each once.

    Raises:
        UsageError: a path that is not there, or a folder without a module.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(path.rglob(f"*{SUFFIX}"))
            if not inside:
                raise UsageError(f"there is no {SUFFIX} file in {path}")
            found.update(dict.fromkeys(inside))
        elif path.is_file():
            found[path] = None
        else:
            raise UsageError(f"there is no file or folder {path}")
    return list(found)


def module_name(path: Path) -> str:
    """``name`` of a file ``name@revision.yang``."""
    return path.name.removesuffix(SUFFIX).partition("@")[0]


def in_rounds(files: Sequence[Path]) -> list[list[Path]]:
    """The files in groups that name no module twice; the newest revision of each comes first."""
    by_name: dict[str, list[Path]] = {}
    for path in files:
        by_name.setdefault(module_name(path), []).append(path)
    for revisions in by_name.values():
        revisions.sort(key=lambda path: path.name, reverse=True)
    deepest = max(map(len, by_name.values()), default=0)
    return [
        [revisions[depth] for revisions in by_name.values() if depth < len(revisions)]
        for depth in range(deepest)
    ]


def new_context(folders: Iterable[str | Path], *, strict: bool = False) -> Any:
    """An empty pyang context that finds imports in ``folders``, then ours, then pyang's own.

    Args:
        folders: where modules are looked for, their subfolders included.
        strict: as ``pyang --strict``.
    """
    from pyang import context, plugin, repository

    options = _pyang_options()
    search = [str(folder) for folder in folders] + [str(bundled_modules_folder())]
    loaded = context.Context(repository.FileRepository(os.pathsep.join(search)))
    loaded.opts = options
    loaded.strict = strict
    loaded.lax_quote_checks = False
    loaded.lax_xpath_checks = False
    for one in plugin.plugins:
        one.setup_ctx(loaded)
    for one in plugin.plugins:
        one.pre_load_modules(loaded)
    return loaded


@cache
def _pyang_options() -> Any:
    """pyang's options at their defaults; its plug-ins can be registered once a process only."""
    import optparse

    from pyang import plugin

    plugin.init([])
    parser = optparse.OptionParser(add_help_option=False)
    for name in ("features", "exclude_features", "deviations"):
        parser.add_option(f"--{name}", dest=name, default=[], action="append")
    for name in ("verbose", "trim_yin", "keep_comments"):
        parser.add_option(f"--{name}", dest=name, default=False, action="store_true")
    for name in ("max_status", "max_line_len", "max_identifier_len", "format"):
        parser.add_option(f"--{name}", dest=name, default=None)
    for one in plugin.plugins:
        one.add_opts(parser)
    return parser.parse_args([])[0]


def load(context: Any, files: Iterable[Path]) -> list[Any]:
    """Parse and validate files in one context; what is wrong is in ``context.errors``.

    Raises:
        OSError, UnicodeDecodeError: a file cannot be read.
    """
    from pyang import plugin, syntax

    modules = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        context.yin_module_map = {}
        match = syntax.re_filename.search(path.name)
        name, revision, kind = match.groups() if match else (None, None, None)
        module = context.add_module(
            str(path), text, kind, name, revision, expect_failure_error=False, primary_module=True
        )
        if module is not None:
            modules.append(module)
    for one in plugin.plugins:
        one.pre_validate_ctx(context, modules)
    context.validate()
    for module in modules:
        module.prune()
    for one in plugin.plugins:
        one.post_validate_ctx(context, modules)
    return modules
