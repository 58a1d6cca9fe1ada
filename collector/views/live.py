"""The picture of periods while it happens: redrawn in a terminal, one line a verdict in a pipe.

Does: take facts as they are said. Does not: run a loop or a thread of its own; ``receive`` draws,
at most so often.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from collector.model import Event, Fact, Verdict
from collector.views.periods import PeriodGrid
from collector.views.text import event_line, news, subscription_line, verdict_line

REDRAW_SECONDS = 0.1
EVENTS_SHOWN = 5
"""Lines of news under the picture (ours)."""


class LiveView:
    """A context in which ``receive`` shows what it is given."""

    def __init__(
        self,
        console: Console,
        *,
        title: str = "",
        verdicts_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._title = title
        self._verdicts_only = verdicts_only
        self._clock = clock
        self._drawn_at = float("-inf")
        self._news: list[str] = []
        self.grid = PeriodGrid()
        self._live: Live | None = None

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            self._live = Live(
                self.render(), console=self._console, auto_refresh=False, vertical_overflow="crop"
            )
            self._live.start()
        elif self._title:
            self._console.print(self._title, soft_wrap=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.update(self.render(), refresh=True)
            self._live.stop()

    def receive(self, facts: Iterable[Fact]) -> None:
        """Show facts."""
        taken = list(facts)
        self.grid.receive(taken)
        lines = [line for fact in taken if (line := self._line(fact))]
        if self._live is None:
            for line in lines:
                self._console.file.write(line + "\n")
            self._console.file.flush()
            return
        self._news = (self._news + lines)[-EVENTS_SHOWN:]
        self.draw()

    def say(self, text: str) -> None:
        """A line of news that is no fact: what the demo does next."""
        if self._live is None:
            self._console.file.write(text + "\n")
            self._console.file.flush()
        else:
            self._news = [*self._news, text][-EVENTS_SHOWN:]
            self.draw()

    def draw(self) -> None:
        """Redraw, unless that was done just now."""
        now = self._clock()
        if self._live is not None and now - self._drawn_at >= REDRAW_SECONDS:
            self._drawn_at = now
            self._live.update(self.render(), refresh=True)

    def _line(self, fact: Fact) -> str:
        watched = self._live is not None
        if isinstance(fact, Verdict):
            return "" if watched else verdict_line(fact)  # in a terminal the picture says it
        if self._verdicts_only:
            return ""
        if watched:
            return news(fact)
        return event_line(fact) if isinstance(fact, Event) else subscription_line(fact)

    def render(self) -> RenderableType:
        """The picture with its title and the news under it."""
        news = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._news]
        head = [Text(self._title, style="bold"), Text("")] if self._title else []
        height = max(8, self._console.height - len(news) - len(head) - 1)
        return Group(*head, self.grid.render(self._console, height=height), *news)
