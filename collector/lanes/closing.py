"""What an earlier run with another number of lanes left open is closed before the first message.

A folder whose lane was killed still has periods that nobody judged and rows that are in no Parquet
file; its lane would see to that at its next start, but there is none. So it is started once more,
without devices and without a socket, and ended at once: open periods become NOT_JUDGED, all rows
are stored. A folder that cannot be closed is said and left as it is.
"""

from __future__ import annotations

import logging
from pathlib import Path

from msgspec.structs import fields, replace

from collector.config import Config
from collector.errors import CollectorError
from collector.lanes.channel import Orders
from collector.lanes.folders import lane_number, unfinished
from collector.lanes.process import LaneProcess

log = logging.getLogger("collector")


async def close_earlier(config: Config) -> None:
    """Close the folders that need it; call it before the lock of the data folder is taken, since
    the folder itself may be one of them."""
    for folder in unfinished(Path(config.collector.data_dir), config.collector.lanes):
        log.info("Closing what an earlier run left open in %s.", folder)
        orders = Orders(lane_number(folder) or 0, 1, _without_sources(config, folder))
        lane = LaneProcess(orders.lane, folder, lambda orders=orders: orders, None)  # type: ignore[misc]  # bound early
        try:
            await lane.start()
        except CollectorError as error:
            log.warning("%s stays as it is: %s", folder, error)
        finally:
            await lane.stop()


def _without_sources(config: Config, folder: Path) -> Config:
    return replace(
        config,
        collector=replace(config.collector, data_dir=str(folder)),
        **{
            entry.name: replace(section, enabled=False)
            for entry in fields(config)
            if hasattr(section := getattr(config, entry.name), "enabled")
        },
        receivers={},
        sinks={},
        devices=(),
        subscriptions=(),
        known_subscriptions=(),
    )
