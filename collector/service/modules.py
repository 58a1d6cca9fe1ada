"""``collector yang fetch``: the modules of a device into a folder.

Does: one session, the list, every module that the folder does not have, and then what those import
and include beyond the list. Does not: check what it fetched (``collector yang validate``).

Rules: a file appears by rename, whole or not at all; one that is there is never fetched again or
rewritten, so a fetch that was cut goes on where it was; a module that the device refuses is noted
and the others are fetched; names are those that ``wire.netconf.schemas`` let pass, never a path.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from collector.errors import ProtocolError, SessionError, WireError
from collector.service.module_cache import Note, cannot, folder_in_cache, write_note
from collector.service.ways import Ways
from collector.subscriber.abilities.modules import ModuleReader, NoGetSchemaError
from collector.subscriber.sessions.session import NetconfSession, SessionSettings, plain
from collector.wire.netconf.schemas import (
    MAX_MODULES,
    Inventory,
    ModuleId,
    dependencies,
    latest_revision,
)

MAX_TOTAL = 512 * 1024 * 1024
"""Characters that one fetch takes from a device (ours; real ones have up to 150 MiB)."""
SESSIONS = 4
"""Sessions of one fetch: an answer that is too long ends the session it came in (ours)."""
TOO_LARGE = "message-too-large"
"""What the framer calls it."""
SUFFIX = ".yang"

Progress = Callable[[int, int, str], None]
"""Called before each module: how many are behind us, of how many, and its name."""


class Refused(Struct, frozen=True):
    """A module that is not in the folder."""

    module: str
    revision: str
    why: str
    """One sentence for people."""


class Fetched(Struct, frozen=True):
    """What became of it."""

    folder: str
    source: str
    """Where the list is from: ``yang-library``, ``modules-state``, ``netconf-state``, ``hello``."""
    content_id: str
    fetched: int
    present: int
    """Modules that were in the folder already."""
    refused: tuple[Refused, ...]
    unusable: int
    """Entries of the list that name no module of YANG."""


def fetch_modules(
    settings: SessionSettings,
    *,
    session: str,
    folder: Path | None,
    cache: Path,
    progress: Progress = lambda done, total, name: None,
    device: str = "",
    ways: Ways | None = None,
) -> Fetched:
    """Fetch the modules of a device.

    Args:
        settings: how to reach it.
        session: which client holds the session.
        folder: where the files go; None: a folder in ``cache`` that is named after the list.
        cache: a folder in the data folder.
        progress: told before each module.
        device: its name.
        ways: how a session is had; None: by connecting.

    Raises:
        SessionError: no session, or it ended; what was fetched stays.
        ProtocolError: the device names no modules, or has no get-schema.
        ConfigError: a secret or key cannot be had.
        SinkError: a file cannot be written.
    """
    return asyncio.run(fetch(settings, session, folder, cache, progress, device, ways))


async def fetch(
    settings: SessionSettings,
    session: str,
    folder: Path | None,
    cache: Path,
    progress: Progress,
    device: str = "",
    ways: Ways | None = None,
) -> Fetched:
    """See ``fetch_modules``."""
    async with (ways or Ways()).sessions({device: settings}) as make:
        fetching, where = await _fetch(lambda: make(device, session), folder, cache, progress)
    result = fetching.result()
    if folder is None:
        write_note(Path(result.folder), _note(result), where)
    return result


async def _fetch(
    make: Callable[[], NetconfSession], folder: Path | None, cache: Path, progress: Progress
) -> tuple[_Fetching, str]:
    """The walk when it is done, and with whom it was."""
    fetching: _Fetching | None = None
    for more in reversed(range(SESSIONS)):
        opened = make()
        try:
            await opened.open()
            reader = ModuleReader(opened)
            if fetching is None:
                source, found = await reader.inventory()
                place = folder or folder_in_cache(cache, found)
                fetching = _Fetching(place, source, found, progress)
            await fetching.go_on(reader)
            break
        except SessionError as error:
            if fetching is None:
                raise
            if error.reason != TOO_LARGE or not more:
                error.add_note(fetching.so_far())
                raise
        finally:
            await opened.close()
    assert fetching is not None  # else the first session ended with an error
    return fetching, opened.settings.where


def _note(result: Fetched) -> Note:
    return Note(
        result.content_id,
        result.source,
        result.fetched + result.present,
        tuple(str(ModuleId(one.module, one.revision)) for one in result.refused),
    )


class _Fetching:
    """One walk through a list."""

    def __init__(self, folder: Path, source: str, found: Inventory, progress: Progress) -> None:
        self._folder = folder
        self._source = source
        self._found = found
        self._progress = progress
        self._waiting = deque(found.modules)
        self._met = {module.name for module in found.modules}
        """Names that are in the folder, wait, or were refused."""
        self._total = len(found.modules)
        self._characters = 0
        self._files: set[str] = set()
        self._fetched = 0
        self._present = 0
        self._refused: list[Refused] = []

    def result(self) -> Fetched:
        """What became of it."""
        return Fetched(
            folder=str(self._folder),
            source=self._source,
            content_id=self._found.content_id,
            fetched=self._fetched,
            present=self._present,
            refused=tuple(self._refused),
            unusable=self._found.unusable,
        )

    def so_far(self) -> str:
        """One sentence for whoever has to try again."""
        kept = self._fetched + self._present
        return f"{kept} modules are in {self._folder}; the next try goes on from there"

    async def go_on(self, reader: ModuleReader) -> None:
        """Every module that waits, and those that come up on the way."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._files = {path.name for path in self._folder.glob(f"*{SUFFIX}")}
        except OSError as error:
            raise cannot(self._folder, error) from error
        while self._waiting:
            module = self._waiting.popleft()
            done = self._fetched + self._present + len(self._refused)
            self._progress(done, self._total, str(module))
            text = self._there(module)
            if text is None:
                text = await self._ask(reader, module)
            self._expect(dependencies(text))

    def _there(self, module: ModuleId) -> str | None:
        """The text of a module that the folder has."""
        name = f"{module}{SUFFIX}"
        if not module.revision:
            revisions = (one for one in self._files if one.startswith(f"{module.name}@"))
            name = max(revisions, default=name)
        if name not in self._files:
            return None
        self._present += 1
        try:
            return (self._folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise cannot(self._folder / name, error) from error

    async def _ask(self, reader: ModuleReader, module: ModuleId) -> str:
        """Fetch and keep; what is refused has an empty text."""
        if self._characters >= MAX_TOTAL:
            return self._refuse(module, f"{MAX_TOTAL:,} characters came already")
        try:
            text = await reader.text_of(module)
        except SessionError as error:
            if error.reason == TOO_LARGE:
                self._refuse(module, "the answer is longer than a message may be")
            raise
        except (ProtocolError, WireError) as error:
            if isinstance(error, NoGetSchemaError) and not self._fetched:
                raise
            return self._refuse(module, plain(str(error)))
        self._characters += len(text)
        revision = module.revision or latest_revision(text)
        self._keep(f"{ModuleId(module.name, revision)}{SUFFIX}", text)
        return text

    def _refuse(self, module: ModuleId, why: str) -> str:
        self._refused.append(Refused(module.name, module.revision, why))
        return ""

    def _keep(self, name: str, text: str) -> None:
        path, half = self._folder / name, self._folder / f".{name}.{os.getpid()}"
        try:
            try:
                with half.open("w", encoding="utf-8", newline="\n") as file:
                    file.write(text + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                half.replace(path)
            finally:
                half.unlink(missing_ok=True)
        except OSError as error:
            raise cannot(path, error) from error
        self._files.add(name)
        self._fetched += 1

    def _expect(self, names: tuple[str, ...]) -> None:
        """A hello names neither submodules nor what is imported only."""
        for name in names:
            if name not in self._met and self._total < MAX_MODULES:
                self._met.add(name)
                self._waiting.append(ModuleId(name))
                self._total += 1
