"""Named filters: what stands under ``/filters``, and what a subscription means by a name.

Does not: evaluate filters, or tell anybody of a change (``master.references`` does). Spec: RFC 8639
§2.2, §2.7.2, §3.2; RFC 8641 §3.6.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.errors import ProtocolError
from collector.model import SelectionFilter, SubscriptionTerms
from publisher_sim.scenario import NamedFilter

DATASTORE = "datastore"
STREAM = "stream"


def kind_of(terms: SubscriptionTerms) -> str:
    """Which of the two lists a subscription refers to."""
    return DATASTORE if terms.stream is None else STREAM


class NamedFilters:
    """The filters that a device knows by name."""

    def __init__(self, known: tuple[NamedFilter, ...] = ()) -> None:
        self._known: dict[tuple[str, str], SelectionFilter] = {
            (one.of, one.name): one.selection_filter for one in known
        }

    def __iter__(self) -> Iterator[tuple[str, str, SelectionFilter]]:
        """(``datastore`` or ``stream``, name, contents)."""
        for (of, name), contents in self._known.items():
            yield of, name, contents

    def put(self, of: str, name: str, contents: SelectionFilter) -> None:
        """Add one, or change it; ``master.references`` tells who refers to it."""
        self._known[of, name] = contents

    def remove(self, of: str, name: str) -> None:
        """Take one away; likewise."""
        self._known.pop((of, name), None)

    def get(self, of: str, name: str) -> SelectionFilter | None:
        """Its contents."""
        return self._known.get((of, name))

    def meant(self, terms: SubscriptionTerms) -> SelectionFilter | None:
        """The filter of these terms, looked up where it is only named.

        Raises:
            ProtocolError: there is none of that name (RFC 7950 §15.5).
        """
        wanted = terms.selection_filter
        if wanted is None or wanted.kind != "ref":
            return wanted
        of = kind_of(terms)
        found = self._known.get((of, wanted.text))
        if found is None:
            leaf = "selection-filter-ref" if of == DATASTORE else "stream-filter-name"
            raise ProtocolError(
                f"no {of} filter {wanted.text!r} here",
                tag="data-missing",
                path=f"/establish-subscription/{leaf}",
            )
        return found
