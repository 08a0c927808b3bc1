"""The queue before a model: in order, with everyone's place, and not without an end."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from rag_app.llm.llama import LlamaCpp
from rag_app.llm.process.request_queue import RequestQueue, TooManyWaiting
from rag_app.llm.stream_chunks import ModelProgress, progress_of
from tests.helpers.streams import generator

pytestmark = pytest.mark.slow

QUESTION = "where is the king?"
Eventually = Callable[[Callable[[], bool]], bool]


def test_places_change_as_others_leave() -> None:
    turns = RequestQueue(most_waiting=3)
    first, second, third = turns.join(), turns.join(), turns.join()
    assert [turn.wait(0) for turn in (first, second, third)] == [0, 1, 2]
    with second:  # gives up while it waits
        pass
    assert third.wait(0) == 1
    with first:
        assert first.wait(0) == 0
    assert third.wait(0) == 0


def test_who_waits_is_told_at_once_when_a_place_changes() -> None:
    turns = RequestQueue(most_waiting=3)
    first, second = turns.join(), turns.join()
    assert second.wait(0) == 1
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.wait, 60.0)
        with first:
            pass
        assert waiting.result(timeout=5) == 0


def test_the_queue_has_an_end() -> None:
    turns = RequestQueue(most_waiting=1)
    first, second = turns.join(), turns.join()
    with pytest.raises(TooManyWaiting, match=r"too many questions are waiting .*\(1\); ask again later"):
        turns.join()
    with first, second:
        pass
    turns.join()
    none_may_wait = RequestQueue(most_waiting=0)
    none_may_wait.join()
    with pytest.raises(TooManyWaiting):
        none_may_wait.join()


def events(model: LlamaCpp, text: str = QUESTION, **options: Any) -> list[ModelProgress | str]:
    """What a stream tells, equal things in a row once."""
    told: list[ModelProgress | str] = []
    for chunk in model.stream(text, progress=True, **options):
        assert isinstance(chunk, AIMessageChunk)
        event = progress_of(chunk) or str(chunk.text)
        if event and (not told or event != told[-1]):
            told.append(event)
    return told


def test_a_stream_tells_what_it_waits_for(tiny_path: Path) -> None:
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=5) as model:
        told = events(model, "long " * 40)
        waited = [event for event in told if isinstance(event, ModelProgress)]
        assert waited == told[: len(waited)]  # all of it before the first word
        assert {event.stage for event in waited} <= {"load", "prefill"}
        read = [event for event in waited if event.stage == "prefill"]
        total = model.invoke("long " * 40).usage_metadata
        assert total is not None
        assert [event.total for event in read] == [total["input_tokens"]] * len(read)
        assert [event.done for event in read] == [*range(0, read[0].total, 64), read[0].total]
        # Without being asked for, progress is no part of a stream.
        assert all(progress_of(chunk) is None for chunk in model.stream(QUESTION))
        assert all(chunk.text or chunk.chunk_position for chunk in model.stream(QUESTION))


def test_merged_progress_harms_no_message(tiny_path: Path) -> None:
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=5) as model:
        chunks = list(model.stream(QUESTION, progress=True))
        total = chunks[0]
        for chunk in chunks[1:]:
            total = total + chunk
        assert total.text == model.invoke(QUESTION).text


def test_waiting_callers_are_served_in_order_and_see_their_place(
    slow: LlamaCpp, eventually: Eventually
) -> None:
    served: list[int] = []
    places: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        for chunk in slow.stream(QUESTION, max_tokens=3, progress=True):
            assert isinstance(chunk, AIMessageChunk)
            waiting = progress_of(chunk)
            if waiting and waiting.stage == "queue":
                places.setdefault(number, []).append(waiting.done)
            elif number not in served:  # at its first word: after the last, the next turn may have begun
                served.append(number)

    first = generator(slow.stream(QUESTION))
    next(first)
    with ThreadPoolExecutor(3) as pool:
        asked: list[Future[None]] = []
        for number in range(3):
            asked.append(pool.submit(ask, number))
            assert eventually(partial(places.__contains__, number))
        first.close()
        for future in asked:
            future.result(timeout=60)
    assert served == [0, 1, 2]
    for number, seen in places.items():
        assert seen[0] == number + 1
        assert seen == sorted(seen, reverse=True)  # a place that was held for a moment may go unseen


def test_a_waiting_caller_may_leave_and_too_many_are_refused(slow_path: Path) -> None:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=1500, max_waiting=1) as model:
        first = generator(model.stream(QUESTION))
        next(first)
        second = generator(model.stream(QUESTION, progress=True))
        assert progress_of(next(second)) == ModelProgress("queue", 1)
        with pytest.raises(TooManyWaiting):
            model.invoke(QUESTION)
        second.close()
        with closing(generator(model.stream(QUESTION, progress=True))) as third:
            assert progress_of(next(third)) == ModelProgress("queue", 1)
        first.close()
        assert model.invoke(QUESTION, max_tokens=3).text


def test_leaving_while_the_prompt_is_read_stops_the_reading(slow_path: Path, eventually: Eventually) -> None:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=5) as model:
        stream = generator(model.stream("long " * 390, progress=True))
        for chunk in stream:
            waiting = progress_of(chunk)
            if waiting and waiting.stage == "prefill" and waiting.done:
                break
        assert waiting
        assert 0 < waiting.done < waiting.total
        pid = model.pid
        stream.close()
        assert events(model, QUESTION)  # its turn has come at once
        assert model.pid == pid


def test_leaving_while_the_model_loads_does_not_wait_for_it(slow_path: Path) -> None:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=5) as model:
        stream = generator(model.stream(QUESTION, progress=True))
        first = progress_of(next(stream))
        stream.close()
        assert first
        assert model.invoke(QUESTION).text  # the load went on for whoever comes next
