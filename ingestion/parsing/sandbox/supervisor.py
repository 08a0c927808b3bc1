"""Starts and times the child processes that read one file, and replaces a child after a bad page.

Two clocks run: the file's from start to end, except during text recognition, and the page's from its
`PageBegun` until the page comes. A page that crashes its child or takes too long fails alone: another child
continues with the remaining pages, at most `ParseLimits.restarts` times.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ingestion.documents import Status
from ingestion.errors import Cancelled
from ingestion.parsing.frames import ChildRequest, Frame, FrameError, PageBegun, PageFault, Served
from ingestion.parsing.process_exit import signal_name
from ingestion.parsing.sandbox.child_process import POLL_SECONDS, ChildEnded, ChildProcess
from ingestion.parsing.sandbox.collector import Collector

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class _ChildFault:
    """Why a child failed. `final`: another child would fail, too."""

    status: Status
    reason: str
    final: bool = False


class Supervisor:
    """Reads one file with as many children as it needs, into a collector."""

    def __init__(
        self,
        request: ChildRequest,
        collector: Collector,
        *,
        on_page: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._request = request
        self._name = request.file.name
        self._limits = request.limits
        self._collector = collector
        self._on_page = on_page
        self._cancelled = cancelled
        self._deadline = time.monotonic() + self._limits.wall_seconds
        self._page: PageBegun | None = None  # begun and not there yet
        self._page_began = 0.0
        self._served = False
        self._cpu_seconds = float(self._limits.cpu_seconds)  # what is left of it

    def run(self) -> None:
        """Feed the collector until the document is complete or reading stops.

        Raises:
            Cancelled: `cancelled` returned true; the child is killed.
        """
        request = self._request
        for restarts_left in range(self._limits.restarts, -1, -1):
            with ChildProcess(request) as child:
                fault = self._follow(child)
            if fault is None:
                return
            page = self._page
            if page is None or fault.final:
                self._collector.stop(fault.status, fault.reason)
                return
            self._take(PageFault(page.number, fault.reason, fault.status))
            if self._collector.pages_done == self._collector.page_count:
                return
            if not page.recognise:  # the text of a file has one limit, recognition one a page
                self._cpu_seconds -= child.cpu_seconds
            if restarts_left == 0 or self._cpu_seconds <= 0:
                self._collector.stop(
                    fault.status, f"reading was given up after page {page.number}: {fault.reason}"
                )
                return
            request = self._rest()

    def follow(self, child: ChildProcess) -> bool:
        """Feed the collector from a child that was asked for the file; return whether the child has read all
        of it and waits for the next one.

        Raises:
            Cancelled: `cancelled` returned true.
        """
        fault = self._follow(child)
        if fault is not None:
            self._collector.stop(fault.status, fault.reason)
        return self._served

    def _rest(self) -> ChildRequest:
        """The request for the remaining pages, within the rest of the limits."""
        self._collector.restart()
        limits = replace(
            self._limits,
            cpu_seconds=max(1, round(self._cpu_seconds)),
            ocr_pages=self._collector.recognitions_left,
        )
        done, failed = self._collector.done, self._collector.failed
        return replace(self._request, limits=limits, done=done, failed=failed)

    def _follow(self, child: ChildProcess) -> _ChildFault | None:
        """Take frames until the child ends or must end; None if the collector knows the outcome."""
        while True:
            if self._cancelled is not None and self._cancelled():
                raise Cancelled(f"reading {self._name!r}")
            if late := self._lateness():
                return None if self._collector.settled else late
            received = child.receive(POLL_SECONDS)
            if isinstance(received, Served) and self._collector.text_done:
                self._served = True
                return None
            if isinstance(received, ChildEnded):
                return None if self._collector.settled else self._explain_exit(child)
            try:
                if isinstance(received, FrameError):
                    raise received
                if received is not None:
                    self._take(received)
            except FrameError as error:
                reason = f"the parser sent {error} while reading {self._name!r}; do not trust this file"
                return _ChildFault(Status.FAILED, reason, final=True)
            if self._collector.settled and not self._collector.text_done:
                return None

    def _take(self, frame: Frame) -> None:
        """Hand one frame to the collector and update the clocks.

        Raises:
            FrameError: The frame is impossible.
        """
        now = time.monotonic()
        had_text, had_pages = self._collector.text_done, self._collector.pages_done
        self._collector.take(frame)
        if isinstance(frame, PageBegun):
            self._page, self._page_began = frame, now
        elif self._collector.pages_done > had_pages:
            if self._page is not None and self._page.recognise:
                self._deadline += now - self._page_began
            self._page = None
            if self._on_page is not None:
                self._on_page(self._collector.pages_done, self._collector.page_count)
        if self._collector.text_done and not had_text:
            self._deadline = min(self._deadline, now + self._limits.outline_seconds)

    def _lateness(self) -> _ChildFault | None:
        """The time limit that has passed; None if none has."""
        now, limits, page = time.monotonic(), self._limits, self._page
        if page is not None and page.recognise:
            allowed = limits.page_seconds + limits.ocr_seconds
        elif now >= self._deadline:
            return _ChildFault(
                Status.TIMED_OUT, _timed_out(self._name, f"{limits.wall_seconds:g} s"), final=True
            )
        else:
            allowed = limits.page_seconds
        if page is None or now - self._page_began < allowed:
            return None
        return _ChildFault(Status.TIMED_OUT, f"reading it took more than the limit of {allowed:g} s a page")

    def _explain_exit(self, child: ChildProcess) -> _ChildFault:
        """Why a child ended too early."""
        code = child.exit_code()
        cause = signal_name(code)
        if cause == "SIGXCPU":
            spent = f"{self._limits.cpu_seconds} s of processor time"
            final = self._page is None or not self._page.recognise
            return _ChildFault(Status.TIMED_OUT, _timed_out(self._name, spent), final=final)
        words = child.last_words()
        said = f": {words}" if words else ""
        if cause is None:
            reason = f"the parser ended with code {code} while reading {self._name!r}{said}; report this file"
            return _ChildFault(Status.FAILED, reason)
        return _ChildFault(
            Status.FAILED,
            f"the parser crashed ({cause}) while reading {self._name!r}{said}; it is damaged, or needs more "
            f"than the {self._limits.memory_bytes // MEBIBYTE} MiB of memory that a file may take",
        )


def _timed_out(name: str, limit: str) -> str:
    return f"reading {name!r} took more than the limit of {limit}; split the file, or raise the limit"
