"""Doubts: which rows of the truth nobody can be asked for, and why, in one word.

Does not: decide what a row says. A row is in doubt where the answer hangs on milliseconds, on
what a process did in the instant it was killed, or on what the wire does not show:

* ``starting``        one of the first five periods of its terms
* ``list_changed``    the list changed while the period was being delivered, or at its window's edge
* ``ending``          the end came after the deadline could have passed, before anything was
                      sent, or within milliseconds of the message that tells a cause
* ``slow``            the simulator itself sent later than it meant to by more than grace/2
* ``close``           a message left too near the deadline, or near the end of what may be amended
* ``delayed_again``   late, less than 20 periods after another late one: deadlines had moved
* ``straddles``       held up so that only some of its messages made the deadline
* ``killed``          a process died within 100 ms of sending, or in the middle of its messages
* ``mixed``           one silence holds messages made in vain and ticks never made
* ``unseen``          lost, and its run never spoke before or after, so that no hole shows
* ``halved``          lost, while a message for another subscription came half at about the same
                      time: nothing says whose the half was
* ``long_ago``        the hole closes about 64 periods later
* ``clock``           a clock stepped back to a tick of which nothing was read: a step, or held
                      up? Or it stepped next to a late message, or was off at a first message
* ``left_late``       silent, and the list without it came just when causes stop to change
* ``shaken``          messages lack less than 20 periods after others were held back: nobody knows
                      well enough when they usually come to say which tick lacks them
* ``uncounted``       the last messages of a tick were lost and the next tick as well: nobody can
                      know yet how many there should have been; or some were lost and messages
                      carry no numbers
* ``joining``         a generator that is not required yet finished after the deadline; or nobody
                      says who is to deliver, and it was not heard at two ticks running before, or
                      it came later than the others
* ``strays``          ticks are not where they were announced, and a clock that is off by less than
                      half a period put a message more than half a period from the tick announced:
                      from then on its ticks may be counted anew, also under the next terms
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

from msgspec import Struct

from publisher_sim.truth.books import SECOND, Epoch, Message, Period, Timeline

FIRST_PERIODS = 5
"""Rows at the start of a stretch of terms that are not compared."""
DELAY_MEMORY = 20
"""Periods for which a late message may have moved deadlines."""
SHARPEN_DOUBT = range(61, 68)
"""Periods of silence after which ``silent`` or ``lost`` is a matter of counting."""
KILL_MARGIN = SECOND // 10


class Manners(Struct, frozen=True):
    """What a device does the same way all the time."""

    counted: bool = True
    """Messages carry numbers."""
    anchor_off: float = 0.0
    """How far ticks are off those announced, part of the period."""


class Doubts:
    """The doubts about the periods of one stretch of terms."""

    def __init__(
        self,
        epoch: Epoch,
        grace: int,
        lines: Mapping[str, Timeline],
        killed: Mapping[str, list[int]],
        begins: Mapping[str, int],
        ends: Mapping[str, int],
        held: list[int],
        manners: Manners,
    ) -> None:
        self._epoch = epoch
        self._grace = grace
        self._lines = lines
        self._killed = killed
        self._begins = begins
        self._held = held
        self._counted = manners.counted
        self._listed = epoch.told
        self._anchor_off = round(manners.anchor_off * epoch.period)
        self._ends = ends
        self._slack = max(SECOND // 20, epoch.period // 50)
        self._stepped_to = {
            nominal for line in lines.values() for nominal in self._doubtful_steps(line)
        }
        self._is_misplaced = any(self._begins_misplaced(line) for line in lines.values())
        self._mixed = {nominal for line in lines.values() for nominal in self._mixed_ticks(line)}
        self._stalled = {
            nominal for line in lines.values() for nominal in self._stalled_ticks(line)
        }
        self._known_from = {name: self._heard_twice(line) for name, line in lines.items()}
        self._heard_from = {
            name: min(self._heard(line), default=None) for name, line in lines.items()
        }
        strays = [at for line in lines.values() for at in self._strays(line)]
        self._strays_from = min(strays, default=None)
        self._shaken = {nominal for line in lines.values() for nominal in self._shaken_ticks(line)}

    def word(self, period: Period, number: int, *, judged: bool) -> str:
        """Why the row is in doubt, empty when it is not; ``judged``: it says more than a reason."""
        if number < FIRST_PERIODS:
            return "starting"
        if self._list_changed(period):
            return "list_changed"
        if self._ending(period):
            return "ending"
        if self._is_misplaced or period.nominal in self._stepped_to:
            return "clock"
        if self._strays_from is not None and period.nominal >= self._strays_from:
            return "strays"
        if self._is_unknown(period):
            return "joining"
        if not judged:
            return ""
        if period.nominal in self._stalled:
            return "slow"
        if period.nominal in self._mixed:
            return "mixed"
        if period.nominal in self._shaken:
            return "shaken"
        words = [self._about(period, generator) for generator in period.required]
        words += ["joining" for one in period.cell if self._joins_late(period, one)]
        return next((word for word in words if word), "")

    def _begins_misplaced(self, line: Timeline) -> bool:
        """Was a generator's first message of these terms stamped by a clock that was off? Then by
        its time the first period is another one, and all that follow with it."""
        first = next((one for one in self._own(line) if one.good_at is not None), None)
        return first is not None and abs(first.made.skew) >= self._epoch.period // 2

    def _doubtful_steps(self, line: Timeline) -> Iterator[int]:
        """Ticks that a clock's step leaves open: between two possible ones, or among late ones."""
        period = self._epoch.period
        if not line.steps:
            return
        late = {one.made.nominal for one in line.read if self._is_late(one)}
        for before, one in line.steps:
            step, nominal = one.made.skew - before.made.skew, one.made.nominal
            seems = nominal + round(step / period) * period
            if seems < nominal and seems not in line.ticks_read:
                yield from (seems, nominal)
            reach = (2 + abs(round(step / period))) * period
            near = range(nominal - reach, nominal + reach + period, period)
            if late.intersection(near):
                yield from near

    def _own(self, line: Timeline) -> list[Message]:
        """The messages of this stretch of terms."""
        start, end = self._epoch.start, self._epoch.end
        return [
            one
            for one in line.of_subscription.get(self._epoch.subscription_id, ())
            if one.made.nominal >= start and (end is None or one.made.nominal <= end)
        ]

    def _stalled_ticks(self, line: Timeline) -> Iterator[int]:
        """Ticks around a message that the device itself sent very late: its clock seems to step."""
        step = self._epoch.period
        for one in self._own(line):
            if one.slack > self._grace // 2:
                reach = 2 + one.slack // step
                yield from (one.made.nominal + n * step for n in range(-reach, reach + 1))

    def _shaken_ticks(self, line: Timeline) -> Iterator[int]:
        """Ticks around one that lacks messages soon after others were held back."""
        own = self._own(line)
        read = sorted({one.made.nominal for one in own if one.good_at is not None})
        memory = DELAY_MEMORY * self._epoch.period
        held_back: int | None = None
        for one in own:
            nominal = one.made.nominal
            if one.good_at is not None:
                held = one.good_at > one.made.planned + 2 * self._slack
                held_back = nominal if held else held_back
            elif held_back is not None and nominal - held_back <= memory:
                yield nominal
                yield from read[max(0, bisect_left(read, nominal) - 1) :][:1]
                yield from read[bisect_right(read, nominal) :][:1]

    def _mixed_ticks(self, line: Timeline) -> Iterator[int]:
        """Ticks between two that were read, where some were made in vain and some not made."""
        step, own = self._epoch.period, self._own(line)
        made = {one.made.nominal: one.made.run for one in own}
        read = sorted({one.made.nominal for one in own if one.good_at is not None})
        for before, after in itertools.pairwise(read):
            between = range(before + step, after, step)
            tried = made.keys() & set(between)
            if tried and len(tried) < len(between) and made[before] == made[after]:
                yield from (before, *between, after)

    def _strays(self, line: Timeline) -> Iterator[int]:
        """Ticks of messages that by their time belong to another tick than the announced one: by a
        clock that is off, or that steps back when a receiver has got used to it."""
        half = self._epoch.period // 2
        if not self._anchor_off:
            return
        skewed = [(one, one.made.skew) for one in line.read]
        steps = [(one, one.made.skew - before.made.skew) for before, one in line.steps]
        skewed += [(one, step) for one, step in steps if abs(step) > half // 2]  # else none shows
        for one, skew in skewed:
            off = one.made.planned - one.made.nominal + self._anchor_off + skew
            if 0 < abs(skew) <= half < abs(off):
                yield one.made.nominal

    def _heard_twice(self, line: Timeline) -> int | None:
        """The second of the first two ticks running at which a generator was heard."""
        read = self._heard(line)
        step = self._epoch.period
        return min((at for at in read if at - step in read), default=None)

    def _heard(self, line: Timeline) -> set[int]:
        """Ticks of which a message was read."""
        return {one.made.nominal for one in self._own(line) if one.good_at is not None}

    def _is_unknown(self, period: Period) -> bool:
        """Is somebody to deliver whom a receiver cannot know yet, or did somebody come to deliver
        whom it expects from some period on?"""
        if self._listed:
            return False
        strangers = [at for one, at in self._heard_from.items() if one not in period.required]
        if any(at is not None and at <= period.nominal for at in strangers):
            return True
        known = [self._known_from.get(one) for one in period.required]
        return any(at is None or at >= period.nominal for at in known)

    def _is_late(self, one: Message) -> bool:
        return (one.good_at or 0) > one.made.planned + self._grace

    def _joins_late(self, period: Period, generator: str) -> bool:
        if generator in period.required:
            return False
        margin = self._grace // 4
        return any((one.good_at or 0) > period.deadline - margin for one in period.cell[generator])

    def _list_changed(self, period: Period) -> bool:
        begin = min((self._begins.get(one, 0) for one in period.required), default=0)
        end = max((self._ends.get(one, 0) for one in period.required), default=0)
        begin, end = period.nominal + begin, max(period.nominal + end, period.end)
        return any(
            begin - self._slack < at < end + self._slack or abs(at - period.start) < self._slack
            for at in self._epoch.changes()
        )

    def _ending(self, period: Period) -> bool:
        """An end that falls where it decides: complete periods well before it are sure."""
        end = self._epoch.end
        if end is None or end > max(period.deadline, period.end) + self._slack:
            return False
        good = [self._finished(period.cell.get(one, [])) for one in period.required]
        return not all(at is not None and at < end - self._slack for at in good)

    @staticmethod
    def _finished(messages: list[Message]) -> int | None:
        arrivals = [one.good_at for one in messages]
        whole = [at for at in arrivals if at is not None]
        return max(whole) if whole and len(whole) == len(arrivals) else None

    def _about(self, period: Period, generator: str) -> str:
        messages = period.cell.get(generator, [])
        return (
            self._about_time(period, messages)
            or self._about_kill(generator, messages)
            or self._about_hole(period, generator, messages)
        )

    def _about_time(self, period: Period, messages: list[Message]) -> str:
        if any(one.slack > self._grace // 2 for one in messages):
            return "slow"
        margin = self._grace // 4
        late = False
        for one in messages:
            at = one.good_at if one.good_at is not None else one.heard_at
            if at is None:
                continue
            if abs(at - period.deadline) < margin or at > period.amendable - 4 * margin:
                return "close"
            late = late or at > period.deadline
        if late and self._straddles(period, messages):
            return "straddles"
        return "delayed_again" if late and self._held_before(period.nominal) else ""

    def _straddles(self, period: Period, messages: list[Message]) -> bool:
        """Did some of its messages come behind its usual time, yet before the deadline?"""
        usual_end = period.nominal + self._ends[messages[0].made.generator] + self._slack
        return any(usual_end < (one.heard_at or 0) < period.deadline for one in messages)

    def _held_before(self, nominal: int) -> bool:
        """Was another message late within the memory of deadlines?"""
        position = bisect_left(self._held, nominal)
        memory = DELAY_MEMORY * self._epoch.period
        return position > 0 and self._held[position - 1] > nominal - memory

    def _about_kill(self, generator: str, messages: list[Message]) -> str:
        if messages and len(messages) < messages[0].made.of:
            return "killed"
        deaths = self._killed.get(generator, [])
        near = any(
            abs(at - one.made.planned) < KILL_MARGIN
            or any(abs(at - left) < KILL_MARGIN for left in one.left.values())
            for at in deaths
            for one in messages
        )
        return "killed" if near else ""

    def _about_hole(self, period: Period, generator: str, messages: list[Message]) -> str:
        """Doubts about the cause of what is missing; its outcome would be sure."""
        line = self._lines.get(generator)
        if line is None:
            return ""
        if not self._counted:
            return self._about_unnumbered(period, generator, messages)
        if messages and messages[0].good_at is None and _is_unread(line, messages[0]):
            return "unseen"
        if any(one.heard_at is not None for one in messages):
            return "uncounted" if self._uncounted(period, line, messages) else ""
        if any(self._is_halved(line, one) for one in messages):
            return "halved"
        before, unheard, after = line.around(period.nominal)
        if after is not None and self._epoch.end is not None:
            if abs((after.heard_at or 0) - self._epoch.end) < self._slack:
                return "ending"
            after = None if self._epoch.is_over(after.heard_at or 0) else after
        if after is not None:
            silence = ((after.heard_at or 0) - period.nominal) // self._epoch.period
            if unheard and silence in SHARPEN_DOUBT:
                return "long_ago"
        seen = before is not None and after is not None and before.made.run == after.made.run
        if messages and not seen:
            return "unseen"
        return "left_late" if self._leaves_late(period, generator) else ""

    def _is_halved(self, line: Timeline, lost: Message) -> bool:
        """Was it lost beside half of a message that some other subscription lacks?"""
        near = max(SECOND // 5, self._epoch.period // 25)
        return any(
            one.fate == "unreassembled"
            and one.made.subscription_id != lost.made.subscription_id
            and abs(one.made.planned - lost.made.planned) <= near
            for one in line.messages
        )

    def _about_unnumbered(self, period: Period, generator: str, messages: list[Message]) -> str:
        heard = sum(one.heard_at is not None for one in messages)
        if 0 < heard < len(messages):
            return "uncounted"
        return "left_late" if self._leaves_late(period, generator) else ""

    def _leaves_late(self, period: Period, generator: str) -> bool:
        """Does a list without it come just when causes stop to change?"""
        about = self._grace + self._slack
        start, end = period.amendable - about, period.amendable + about
        return self._epoch.leaves(generator, start, end)

    def _uncounted(self, period: Period, line: Timeline, messages: list[Message]) -> bool:
        if messages[-1].heard_at is not None:
            return False
        _, _, after = line.around(messages[-1].made.planned)
        following = period.deadline + self._epoch.period
        return after is None or (after.heard_at or 0) > following


def _is_unread(line: Timeline, message: Message) -> bool:
    """Was nothing of this life of the process read before?"""
    return line.read_from.get(message.made.run, message.made.planned) >= message.made.planned
