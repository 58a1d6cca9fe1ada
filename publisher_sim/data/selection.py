"""What a selection filter selects of the list entries that publishers own.

Does: say whether anything of an entry could ever be selected, which is what a global subscription
is cut up by, and what of its values is selected now. Does not: evaluate filters (``filters``), know
owners.

Rules: an entry is judged by itself, so that each publisher can do it for its own; a filter whose
predicates look at several entries at once is refused. What is decided once is kept: for each filter
and shape of an entry (its member names), and by key where the filter asks for keys; only filters on
values that change are evaluated anew each time. All publishers of a process share what is kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from collector.model import SelectionFilter
from publisher_sim.data.entries import TREES, sample
from publisher_sim.data.filters import (
    Filter,
    FilterUnsupportedError,
    compile_filter,
    cut,
    nodes,
    tree_of,
)

__all__ = ["EVERYTHING", "FilterUnsupportedError", "Selection", "select"]

Mask = dict[str, Any]
"""Member -> True for all of it, or the mask of what is below."""
_CACHED: Final = 256
"""Filters that are kept ready; ours."""
_KEPT: Final = 65_536
"""Decisions that are kept for one filter; ours."""


class Selection:
    """One filter, as publishers use it; without a filter everything is selected."""

    def __init__(
        self, wanted: SelectionFilter | None = None, evaluated: Filter | None = None
    ) -> None:
        """See ``select``."""
        self.wanted = wanted
        self._filter = evaluated
        self._possible: dict[tuple[str, str], bool] = {}
        self._masks: dict[tuple[str, str, tuple[str, ...]], Mask] = {}
        """(module, key or empty, shape) -> what is selected."""

    def selects(self, module: str, key: str) -> bool:
        """Could anything of this list entry ever be selected?"""
        if self._filter is None:
            return True
        at = (module, key if self._filter.keyed else "")
        known = self._possible.get(at)
        if known is None:
            possible = self._filter.possible or self._filter
            known = bool(_evaluated(possible, module, sample(module, key)))
            _keep(self._possible, at, known)
        return known

    def of(self, module: str, key: str, values: dict[str, Any]) -> dict[str, Any] | None:
        """The selected members of a list entry, its key among them; None when nothing is."""
        if self._filter is None:
            return values
        if self._filter.dynamic:
            return _evaluated(self._filter, module, values) or None
        at = (module, key if self._filter.keyed else "", tuple(values))
        mask = self._masks.get(at)
        if mask is None:
            mask = _mask(values, _evaluated(self._filter, module, values))
            _keep(self._masks, at, mask)
        return _masked(values, mask) if mask else None


EVERYTHING: Final = Selection()


def select(wanted: SelectionFilter | None) -> Selection:
    """What a filter selects. Raises FilterUnsupportedError."""
    if wanted is None:
        return EVERYTHING
    return _selected(wanted.kind, wanted.text, tuple(sorted(wanted.namespaces.items())))


@lru_cache(maxsize=_CACHED)
def _selected(kind: str, text: str, scope: tuple[tuple[str, str], ...]) -> Selection:
    wanted = SelectionFilter(kind, text, dict(scope))
    evaluated = compile_filter(wanted)
    _refuse_predicates_on_containers(evaluated)
    return Selection(wanted, evaluated)


def _refuse_predicates_on_containers(evaluated: Filter) -> None:
    """Nobody who owns but some of the entries can tell whether such a predicate holds."""
    root = tree_of(
        {
            f"{module}:{container}": {entry: [sample(module, "")]}
            for module, (container, entry) in TREES.items()
        }
    )
    containers = {root, *root}
    for path in evaluated.guarded:
        if not containers.isdisjoint(nodes(path, root)):
            raise FilterUnsupportedError("a predicate on what holds a list, not on its entries")


def _evaluated(evaluated: Filter, module: str, values: dict[str, Any]) -> dict[str, Any]:
    """What is selected of one entry; empty for nothing."""
    container, entry = TREES[module]
    tree = {f"{module}:{container}": {entry: [values]}}
    root = tree_of(tree)
    marks = evaluated.marks(root)
    if root in marks:
        return values
    left = cut(tree, root, marks)
    found: dict[str, Any] = left[f"{module}:{container}"][entry][0] if left else {}
    return found


def _mask(values: dict[str, Any], selected: dict[str, Any]) -> Mask:
    return {
        name: True if value is values[name] else _mask(values[name], value)
        for name, value in selected.items()
    }


def _masked(values: dict[str, Any], mask: Mask) -> dict[str, Any]:
    return {
        name: values[name] if below is True else _masked(values[name], below)
        for name, below in mask.items()
    }


def _keep(decisions: dict[Any, Any], at: object, decision: object) -> None:
    if len(decisions) >= _KEPT:
        decisions.clear()
    decisions[at] = decision
