"""Which verdict each period deserves, out of nothing but what the device says that it did.

    accounts   the facts, one by one, as the master and the agents state them
    books      the facts in order: per message, per generator, per stretch of terms
    doubts     the rows that nobody can be asked for, and why
    rows       the verdict rows of one stretch of terms
    truth      the door: takes the facts, says the rows
    file       all of it as JSON lines, for who compares

Imports nothing of the collector, by a contract of its own: a judge does not share the mistakes of
whom it judges.
"""

from publisher_sim.truth.rows import PeriodTruth, Row
from publisher_sim.truth.truth import Truth, default_grace

__all__ = ["PeriodTruth", "Row", "Truth", "default_grace"]
