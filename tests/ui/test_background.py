"""Work beside a handler: batches, errors, Stop, a closed tab."""

import threading
import time
from collections.abc import Callable

import pytest

from ui.background import BackgroundJob, Workers

WAIT = 60.0  # for what takes milliseconds: only a failing test waits so long


def forever(job: BackgroundJob, noticed: threading.Event) -> Callable[[Callable[[int], None]], None]:
    def work(put: Callable[[int], None]) -> None:
        put(1)
        while not job.stopped:
            time.sleep(0.01)
        put(2)
        noticed.set()

    return work


def test_everything_arrives_in_order() -> None:
    def work(put: Callable[[int], None]) -> None:
        for number in range(1000):
            put(number)

    job = BackgroundJob()
    batches = list(Workers().run(job, work))
    assert [number for batch in batches for number in batch] == list(range(1000))
    assert not job.running


def test_an_error_of_the_work_is_raised_after_what_came_before() -> None:
    def work(put: Callable[[int], None]) -> None:
        put(1)
        raise ValueError("no")

    seen: list[int] = []
    with pytest.raises(ValueError, match="no"):
        seen.extend(number for batch in Workers().run(BackgroundJob(), work) for number in batch)
    assert seen == [1]


def test_stop_ends_the_handler_though_the_work_sleeps_on() -> None:
    job, wake, woken = BackgroundJob(), threading.Event(), threading.Event()

    def work(put: Callable[[int], None]) -> None:
        put(1)
        assert wake.wait(WAIT)
        woken.set()

    batches = Workers().run(job, work)
    next(batches)
    job.stop()
    list(batches)
    assert not woken.is_set()
    wake.set()
    assert woken.wait(WAIT)


def test_closing_the_handler_stops_the_work() -> None:
    job, noticed = BackgroundJob(), threading.Event()
    batches = Workers().run(job, forever(job, noticed))
    next(batches)
    batches.close()
    assert noticed.wait(WAIT)
    assert not job.running


def test_an_abandoned_job_is_stopped_and_nothing_waits_for_it() -> None:
    job, noticed = BackgroundJob(), threading.Event()
    batches = Workers().run(job, forever(job, noticed))
    next(batches)
    assert not job.abandoned
    job.abandon()
    assert (job.abandoned, job.stopped, job.running) == (True, True, False)
    list(batches)
    assert noticed.wait(WAIT)


def test_shutting_down_stops_all_work() -> None:
    workers = Workers()
    noticed = [threading.Event(), threading.Event()]
    running = []
    for event in noticed:
        job = BackgroundJob()
        batches = workers.run(job, forever(job, event))
        next(batches)
        running.append(batches)
    workers.close()
    assert all(event.is_set() for event in noticed)
