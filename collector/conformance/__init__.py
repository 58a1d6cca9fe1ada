"""Which rules of the standards a publisher keeps and breaks, and what came of it at all.

    rules, *_rules, catalogue   small pure functions with clause, level and sentence
    anatomy, subjects, books    what they look at: a message in its parts, and what came before it
    inspector, report           everything in, counts and one example each out
    summary, id_runs            what came, for ``collector decode``

Pure: no files, sockets, clocks; values in, values out. Rules of a verdict are in ``core``: a
publisher that keeps every rule here can still miss a period, and the other way round.
"""

from collector.conformance.catalogue import RULES
from collector.conformance.inspector import Inspector
from collector.conformance.report import DeviceReport, Report, Tally
from collector.conformance.rules import Level, Rule

__all__ = ["RULES", "DeviceReport", "Inspector", "Level", "Report", "Rule", "Tally"]
