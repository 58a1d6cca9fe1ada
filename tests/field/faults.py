"""The faults of the trial by name -> what ``publisher-sim distort`` is to do."""

from __future__ import annotations

from random import Random

from publisher_sim.distort.messages import SECOND
from publisher_sim.distort.plan import ALL, ANY, Moved, Plan, Span

MS = SECOND // 1000
REORDER = 200 * MS

FAULTS: dict[str, Plan] = {
    "none": Plan(),
    "drop1": Plan(drop=0.01),
    "msg1": Plan(lose=0.01),
    "out3": Plan(lost=(Span(ANY, 3),)),
    "out1": Plan(lost=(Span(ANY, 1),)),
    "silent3": Plan(silent=(Span(ANY, 3),)),
    "silent1": Plan(silent=(Span(ANY, 1),)),
    "dup1": Plan(duplicate=0.01),
    "reorder": Plan(reorder=REORDER),
    "clock+10": Plan(clock=(Moved(ANY, 10 * SECOND),)),
    "clock-10": Plan(clock=(Moved(ANY, -10 * SECOND),)),
    "clock+10all": Plan(clock=(Moved(ALL, 10 * SECOND),)),
    "clock-10all": Plan(clock=(Moved(ALL, -10 * SECOND),)),
    "restart": Plan(restart=(ANY,)),
    "restart1": Plan(restart_missed=(ANY,)),
    "late": Plan(late=(Moved(ANY, 8 * SECOND),)),
    "outage": Plan(outage=1),
    "garbage": Plan(garbage_time=0.01),
    "notime+dup1": Plan(no_time=True, duplicate=0.01),
    "combo": Plan(drop=0.01, duplicate=0.01, reorder=REORDER),
}
"""The twenty of the README of the captures."""

BESIDE: dict[str, Plan] = {"drop5": Plan(drop=0.05), "jitter0.2": Plan(jitter=200 * MS)}
"""Two harder ones, which the bar counts with the twenty."""

HARDER: dict[str, Plan] = {
    "jitter1": Plan(jitter=SECOND),
    "leave": Plan(leave=(ANY,)),
    "join": Plan(join=(ANY,)),
}
"""Three harder ones, printed for themselves."""

EVERY = {**FAULTS, **BESIDE, **HARDER}


def plan(name: str, seed: int, period: int) -> Plan:
    """The plan of a fault for devices whose slowest subscription has ``period`` ns."""
    found = EVERY[name]
    changes: dict[str, object] = {"seed": seed}
    if name == "outage":
        changes["outage"] = round(1.2 * period)
    if name == "combo":
        by = Random(f"combo {seed}").choice((3, -3, 10, -10)) * SECOND
        changes["clock"] = (Moved(ANY, by),)
    return Plan(**{key: getattr(found, key) for key in found.__struct_fields__} | changes)
