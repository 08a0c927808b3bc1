"""A process that keeps failing is not started again and again."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.errors import ModelError
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.process import restarts
from rag_app.llm.process.restarts import Restarts
from rag_app.llm.process.supervisor import ModelProcess

QUESTION = "where is the king?"


def test_pauses_double_up_to_a_limit_and_a_success_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(restarts, "monotonic", lambda: now)
    counted = Restarts(first_s=1.0, longest_s=5.0)
    counted.check("it")
    pauses = []
    for _ in range(6):
        counted.failed("it was killed", now)
        pauses.append(counted.pause_s())
    assert pauses == [0.0, 1.0, 2.0, 4.0, 5.0, 5.0]
    with pytest.raises(
        ModelError, match=r"it has failed 6 times in a row .* again in 5 s; last: it was killed"
    ):
        counted.check("it")
    now = 104.9
    with pytest.raises(ModelError, match="again in 1 s"):
        counted.check("it")
    now = 105.0
    counted.check("it")
    counted.succeeded()
    counted.failed("it was killed", now)
    counted.check("it")


def test_a_process_that_dies_at_every_question_is_given_a_pause(slow_path: Path) -> None:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=1500) as model:
        messages = []
        for _ in range(2):
            stream = model.stream(QUESTION)
            next(stream)
            assert model.pid
            os.kill(model.pid, signal.SIGKILL)
            with pytest.raises(ModelError) as caught:
                list(stream)
            messages.append(str(caught.value))
        assert messages[0].endswith("the next question restarts it")
        assert messages[1].endswith("it can be started again in 1 s")
        with pytest.raises(
            ModelError, match=r"failed 2 times in a row and is tried again in 1 s; last: it was"
        ):
            model.invoke(QUESTION)
        assert model.pid is None  # nothing was started


def test_a_file_that_cannot_be_loaded_is_not_loaded_again_and_again(
    tmp_path: Path, tiny_path: Path, write_model: Callable[..., Path]
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_path.read_bytes()[:2000])
    with LlamaCpp(model_path=path, threads=1, max_tokens=3) as model:
        messages = []
        for _ in range(3):
            with pytest.raises(ModelError) as caught:
                model.invoke(QUESTION)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]
        assert re.search(r"failed 2 times in a row .* last: .*cannot be loaded", messages[2])
        # Who mends the file need not wait.
        path.write_bytes(tiny_path.read_bytes())
        assert model.invoke(QUESTION).text


def test_a_load_that_takes_too_long_ends_for_everyone_who_waits(tiny_path: Path) -> None:
    process = ModelProcess(tiny_path, load_timeout_s=0.0)
    with pytest.raises(ModelError, match="was not loaded within 0 s"):
        list(process.generate())
    assert process.pid is None
