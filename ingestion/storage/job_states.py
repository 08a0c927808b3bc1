"""The states of jobs, on the disk; where that is full, in memory until there is room."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from ingestion.errors import LibraryError
from ingestion.storage.catalogue.job_table import ENDED, Job, JobTable
from ingestion.storage.disk_space import SMALL_BYTES, SpaceReserve
from ingestion.storage.timing import utc_now

_logger = logging.getLogger(__name__)


class JobStates:
    """Writes states, with room of the reserve where there is no other; keeps those that cannot be written."""

    def __init__(self, table: JobTable, reserve: SpaceReserve) -> None:
        self._table = table
        self._reserve = reserve
        self._unsaved: dict[int, tuple[str, str | None]] = {}  # states and errors

    @property
    def unsaved(self) -> Collection[int]:
        """The jobs whose state is in memory only."""
        return frozenset(self._unsaved)

    def write(
        self,
        identity: int,
        state: str,
        error: str | None = None,
        *,
        change: Callable[[], object] | None = None,
    ) -> bool:
        """Give a job its state, or make another `change` that does; return whether that is on the disk."""
        change = change or partial(self._table.set_state, identity, state, error)
        try:
            self._reserve.spend_on(change, SMALL_BYTES)
        except LibraryError:
            _logger.exception("job %d is %s, which cannot be written", identity, state)
            self._unsaved[identity] = (state, error)
            return False
        self._unsaved.pop(identity, None)
        return True

    def write_unsaved(self) -> None:
        """Try again to write what could not be written."""
        for identity, (state, error) in list(self._unsaved.items()):
            try:
                self._table.set_state(identity, state, error)
            except LibraryError:
                return
            self._unsaved.pop(identity, None)

    def current(self, job: Job) -> Job:
        """Return a job as its state in memory has it."""
        if job.id not in self._unsaved:
            return job
        state, error = self._unsaved[job.id]
        stage = "cancelled" if state == "cancelled" else "queued"
        files = tuple(file if file.stage in ENDED else replace(file, stage=stage) for file in job.files)
        finished = None if state == "queued" else job.finished or utc_now()
        return replace(job, state=state, error=error, finished=finished, files=files)
