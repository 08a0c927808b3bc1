"""Questions and documents that are encoded at the same time."""

import threading
import time

import numpy as np
import pytest

from ingestion.encoders import Encodings
from ingestion.encoders.fair_lock import FairLock
from ingestion.encoders.query_cache import QueryCache


def test_turns_come_in_the_order_of_asking() -> None:
    turns, order = FairLock(), list[int]()
    with turns:
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=lambda n=number: take(turns, order, n)))
            threads[-1].start()
            wait_for(lambda n=number: len(turns._waiting) == n + 1)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    with turns:
        pass


def take(turns: FairLock, order: list[int], number: int) -> None:
    with turns:
        order.append(number)


def wait_for(what: "object", seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_question_waits_for_one_batch() -> None:
    turns, asked = FairLock(), threading.Event()
    batches: list[int] = []
    answered: list[int] = []

    def ingest() -> None:
        for number in range(1000):
            with turns:
                batches.append(number)
                if number == 20:
                    asked.set()
                    wait_for(lambda: turns._waiting)
                if answered:
                    return

    def ask() -> None:
        asked.wait()
        with turns:
            answered.append(len(batches))

    threads = [threading.Thread(target=work) for work in (ingest, ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered == [21]


def test_an_error_gives_the_turn_back() -> None:
    turns = FairLock()
    with pytest.raises(KeyError), turns:
        raise KeyError
    with turns:
        assert turns._held
    assert not turns._held


def test_an_interrupted_wait_gives_the_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = FairLock()

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    with turns:
        monkeypatch.setattr(threading, "Event", Interrupted)
        with pytest.raises(KeyboardInterrupt), turns:
            pass
        monkeypatch.undo()
    with turns:
        pass

    class TooLate(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            turns._pass_on()  # the turn came, and then the interrupt
            raise KeyboardInterrupt

    turns._held = True
    monkeypatch.setattr(threading, "Event", TooLate)
    with pytest.raises(KeyboardInterrupt), turns:
        pass
    monkeypatch.undo()
    assert not turns._held


def vectors_of(text: str) -> Encodings:
    one = np.full((1, 2), len(text), np.float32)
    return Encodings(one.copy(), one.copy(), one.copy(), np.array([0, 1]), np.zeros((1, 2), np.int32))


def test_only_recent_queries_are_kept() -> None:
    calls: list[str] = []

    def encode(text: str) -> Encodings:
        calls.append(text)
        return vectors_of(text)

    recent = QueryCache(encode, kept=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        assert recent(text).mean[0, 0] == len(text)
    assert calls == ["a", "bb", "ccc", "bb"]


def test_a_query_that_fails_is_not_kept() -> None:
    calls: list[str] = []

    def encode(text: str) -> Encodings:
        calls.append(text)
        if len(calls) == 1:
            raise ValueError(text)
        return vectors_of(text)

    recent = QueryCache(encode)
    with pytest.raises(ValueError, match="a"):
        recent("a")
    assert len(recent("a")) == 1
