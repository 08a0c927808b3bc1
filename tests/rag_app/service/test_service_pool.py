"""The library lent to a program that runs long: held while asked, given back when idle."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.errors import LibraryInUse
from ingestion.storage.lock import LibraryLock
from rag_app.config.settings import load_settings
from rag_app.contract.requests import SearchRequest
from rag_app.service.connection import open_service
from rag_app.service.protocol import Service
from rag_app.service.service_pool import ServicePool

Lend = Callable[..., ServicePool]

CRANE = SearchRequest(question="When did the crane's cable break?")


@pytest.fixture
def lend(data: Path) -> Iterator[Lend]:
    made: list[ServicePool] = []

    def pool(idle: float, patience: float = 0.0) -> ServicePool:
        settings = load_settings(data_dir=data)
        made.append(ServicePool(lambda: open_service(settings), idle=idle, patience=patience))
        return made[-1]

    yield pool
    for one in made:
        one.close()


def is_free(data: Path) -> bool:
    lock = LibraryLock(data)
    try:
        lock.acquire()
    except LibraryInUse:
        return False
    lock.release()
    return True


def test_it_is_held_from_one_question_to_the_next_and_given_back_at_the_end(lend: Lend, data: Path) -> None:
    pool = lend(idle=600)
    assert is_free(data)
    with pool.service() as first:
        assert first.search(CRANE).hits[0].document == "harbour.pdf"
        assert not is_free(data)
    with pool.service() as second:
        assert second is first
    assert not is_free(data)
    pool.close()
    assert is_free(data)
    with pool.service() as third:
        assert third is not first


def test_it_is_given_back_when_nobody_asks_and_taken_again(lend: Lend, data: Path) -> None:
    pool = lend(idle=0.01)
    for _ in range(2):
        with pool.service() as service, pool.service() as same:
            assert same is service
        waiting = threading.Event()
        while not is_free(data):
            waiting.wait(0.02)
        with pool.service() as service:
            assert service.search(CRANE).hits


def test_it_waits_a_little_for_who_has_the_library(lend: Lend, data: Path) -> None:
    lock = LibraryLock(data)
    lock.acquire()
    with pytest.raises(LibraryInUse), lend(idle=600).service():
        pass
    threading.Timer(0.3, lock.release).start()
    with lend(idle=600, patience=60).service() as service:
        assert service.search(CRANE).hits


def test_a_library_that_another_process_serves_is_not_held() -> None:
    class Remote:
        works_on = True

    made: list[Remote] = []

    def connect() -> Service:
        made.append(Remote())
        return made[-1]  # type: ignore[return-value]

    pool = ServicePool(connect)
    with pool.service() as first, pool.service() as second:
        assert [first, second] == made
    pool.close()
