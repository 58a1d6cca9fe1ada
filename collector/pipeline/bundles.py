"""A message of several notifications, as what the engine takes and as columns of rows.

Does: give each notification of a bundle all that holds for its message. Does not: place them.
Rules: they share arrival, ids and journal offset; each has its own subscription and times.

Spec: draft-ietf-netconf-notification-messages-08, bundled messages.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from collector.core.placing.update_columns import UpdateColumns
from collector.core.placing.updates import Placed
from collector.model import Notification, Placements, StateChanged, Update
from collector.wire.notifications.envelopes import CONTENT_KINDS

Part = Update | StateChanged


def parts_of(one: Update, said: Notification) -> list[Part]:
    """The notifications of a message; ``one``: what holds for all of them."""
    return [_part(one, entry) for entry in (said, *said.bundled)]


def columns_of(
    parts: Sequence[Part], placed: Sequence[Placed]
) -> tuple[UpdateColumns, Placements, list[int]]:
    """The content notifications, where the engine put them, and their places in the message."""
    places = [place for place, part in enumerate(parts) if isinstance(part, Update)]
    placements = Placements.of(len(placed))
    for row, where in enumerate(placed):
        placements.put(row, *where)
    updates = UpdateColumns.of(part for part in parts if isinstance(part, Update))
    return updates, placements, places


def _part(one: Update, said: Notification) -> Update | StateChanged:
    """A notification of the message of which ``one`` says all that it does not say itself."""
    if said.kind not in CONTENT_KINDS:
        return StateChanged(
            one.arrival, one.device, one.source, one.port, one.publisher_id, one.message_id, said,
            one.offset,
        )  # fmt: skip
    return structs.replace(
        one,
        subscription_id=said.subscription_id,
        generator=said.generator,
        kind=said.kind,
        event_time=said.event_time,
        observation_time=said.observation_time,
        incomplete_update=said.incomplete_update,
    )
