"""From journal records to what is said about them: decode -> engine -> rows.

``Pipeline`` is the one function behind live traffic, recovery after a kill, ``collector replay``
and captures. It sees nothing but journal records, so the same journal gives the same rows, whoever
reads it and whenever. No sockets and no clock: time passes when a record (at least a tick) says so.
"""

from collector.pipeline.capture import judge_captures
from collector.pipeline.capture_files import CaptureFiles
from collector.pipeline.flow import Pipeline
from collector.pipeline.observing import Observer
from collector.pipeline.parts import PipelineCounts
from collector.pipeline.recovery import Reread, open_rows, reread, restore
from collector.pipeline.replay import Replayed, replay
from collector.pipeline.settings import JournalledConfig, engine_settings

__all__ = [
    "CaptureFiles",
    "JournalledConfig",
    "Observer",
    "Pipeline",
    "PipelineCounts",
    "Replayed",
    "Reread",
    "engine_settings",
    "judge_captures",
    "open_rows",
    "replay",
    "reread",
    "restore",
]
