"""The library lent to a program that runs long: held while asked, given back when idle."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.errors import LibraryInUse
from ingestion.storage.lock import LibraryLock
from rag_app.config.settings import load_settings
from rag_app.contract.requests import SearchRequest
from rag_app.service.protocol import Service, open_service
from rag_app.service.service_pool import Lending

Lend = Callable[..., Lending]

CRANE = SearchRequest(question="When did the crane's cable break?")


@pytest.fixture
def lend(data: Path) -> Iterator[Lend]:
    made: list[Lending] = []

    def lending(idle: float, patience: float = 0.0) -> Lending:
        settings = load_settings(data_dir=data)
        made.append(Lending(lambda: open_service(settings), idle=idle, patience=patience))
        return made[-1]

    yield lending
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
    lending = lend(idle=600)
    assert is_free(data)
    with lending.library() as first:
        assert first.search(CRANE)["hits"][0]["document"] == "harbour.pdf"
        assert not is_free(data)
    with lending.library() as second:
        assert second is first
    assert not is_free(data)
    lending.close()
    assert is_free(data)
    with lending.library() as third:
        assert third is not first


def test_it_is_given_back_when_nobody_asks_and_taken_again(lend: Lend, data: Path) -> None:
    lending = lend(idle=0.01)
    for _ in range(2):
        with lending.library() as library, lending.library() as same:
            assert same is library
        waiting = threading.Event()
        while not is_free(data):
            waiting.wait(0.02)
        with lending.library() as library:
            assert library.search(CRANE)["hits"]


def test_it_waits_a_little_for_who_has_the_library(lend: Lend, data: Path) -> None:
    lock = LibraryLock(data)
    lock.acquire()
    with pytest.raises(LibraryInUse), lend(idle=600).library():
        pass
    threading.Timer(0.3, lock.release).start()
    with lend(idle=600, patience=60).library() as library:
        assert library.search(CRANE)["hits"]


def test_a_library_that_another_process_serves_is_not_held() -> None:
    class Remote:
        works_on = True

    made: list[Remote] = []

    def connect() -> Service:
        made.append(Remote())
        return made[-1]  # type: ignore[return-value]

    lending = Lending(connect)
    with lending.library() as first, lending.library() as second:
        assert [first, second] == made
    lending.close()
