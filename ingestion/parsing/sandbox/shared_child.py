"""One child that reads small text files one after the other: starting a child takes longer than reading them.

It reads one file at a time, within that file's own limits, and only after the former one was read without a
fault. A child that crashes, refuses a file or is stopped is replaced. What it may have owed to the files
before is no fault of the last one: that file is read again by a child of its own.
"""

from collections.abc import Callable
from dataclasses import replace

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing.frames import ChildRequest
from ingestion.parsing.sandbox.child_process import ChildProcess
from ingestion.parsing.sandbox.collector import Collector
from ingestion.parsing.sandbox.supervisor import Supervisor

# Larger files take so long that their own child does not matter, and may leave much in its memory.
MOST_BYTES = 256 << 10
# After so many a fresh child: whatever the libraries keep of each file stays small.
MOST_FILES = 200


class SharedChild:
    """Lends one child to file after file. For one thread at a time; `close` it in the end."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        self._files = 0

    def parse(
        self,
        request: ChildRequest,
        *,
        on_page: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> ParsedDocument:
        """Read a text file. Raises Cancelled."""
        parsed, was_fresh = self._parse(request, on_page, cancelled)
        # A time limit is the file's own: it counts from its request.
        if self._child is None and not was_fresh and parsed.status is not Status.TIMED_OUT:
            parsed, _ = self._parse(request, on_page, cancelled)
        return parsed

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child, self._files = self._child, None, 0
        if child is not None:
            child.close()

    def _parse(
        self,
        request: ChildRequest,
        on_page: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> tuple[ParsedDocument, bool]:
        """Return what came of a file, and whether the child was fresh. It stays where all went well."""
        request = replace(request, stays=True)
        collector = Collector(request.file.name, request.limits)
        supervisor = Supervisor(request, collector, on_page=on_page, cancelled=cancelled)
        child, was_fresh = self._ready(request)
        is_well = False
        try:
            is_well = supervisor.follow(child)
        finally:
            if not is_well:
                self.close()
        return collector.finish(), was_fresh

    def _ready(self, request: ChildRequest) -> tuple[ChildProcess, bool]:
        """Return a child to which the request was sent, and whether it is a fresh one."""
        # What a child sends unasked would be taken for the next file's text.
        if self._child is not None and (self._files >= MOST_FILES or self._child.receive(0) is not None):
            self.close()
        was_fresh = self._child is None
        if self._child is None:
            self._child = ChildProcess(request)
        else:
            self._child.ask(request)
        self._files += 1
        return self._child, was_fresh
