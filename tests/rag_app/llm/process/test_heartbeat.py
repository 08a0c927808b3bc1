"""A child that is frozen, or whose chat template loops, is ended and says so; a slow one is left alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.errors import ModelError
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.process.child import OPENMP, WorkerProcess, environment
from rag_app.llm.process.silence import PATIENCE, Silence, processor_ticks
from rag_app.llm.process.supervisor import ModelProcess
from tests.helpers.streams import generator

QUESTION = "where is the king?"
SILENCE_S = 4.0  # of a frozen child; one that uses any processor time has five times as long
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
NO_SIGN = r"gave no sign of life for \d+ s and was ended"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def model(slow_path: Path) -> Iterator[LlamaCpp]:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=1500, silence_s=SILENCE_S) as model:
        yield model


@pytest.fixture
def sleeping() -> Iterator[int]:
    """The process id of a stopped process."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        freeze(process.pid)
        yield process.pid
        process.kill()


def freeze(pid: int) -> None:
    """Stop a child process, and wait until it stands: a thread goes on until the signal reaches it."""
    os.kill(pid, signal.SIGSTOP)
    # The kernel reports it when the last thread stands; the process stays one that can be waited for.
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


def stopped(model: LlamaCpp) -> int:
    pid = model.pid
    assert pid is not None
    freeze(pid)
    return pid


@pytest.mark.slow
@linux_only
def test_a_child_frozen_in_an_answer_is_ended_and_replaced(model: LlamaCpp) -> None:
    stream = model.stream(QUESTION)
    next(stream)
    pid = stopped(model)
    with pytest.raises(ModelError, match=NO_SIGN + r" in the middle of an answer; .*restarts it"):
        list(stream)
    assert model.invoke(QUESTION, max_tokens=3).text
    assert model.pid not in (pid, None)


@pytest.mark.soak
@pytest.mark.slow
@linux_only
@pytest.mark.parametrize("request_of", ["count", "answer"])
def test_a_child_frozen_before_a_request_is_ended(model: LlamaCpp, request_of: str) -> None:
    assert model.count_tokens(QUESTION)
    assert model.invoke(QUESTION, max_tokens=3).text
    stopped(model)
    ask: Callable[[str], object] = model.count_tokens if request_of == "count" else model.invoke
    with pytest.raises(ModelError, match=NO_SIGN):
        ask(QUESTION)
    assert model.invoke(QUESTION, max_tokens=3).text


@pytest.mark.soak
@pytest.mark.slow
def test_a_child_frozen_while_it_loads_is_ended(tiny_path: Path) -> None:
    process = ModelProcess(tiny_path, silence_s=SILENCE_S)
    loading = process._begun()
    freeze(loading.child.pid)
    with pytest.raises(ModelError, match=rf"cannot be loaded: its process {NO_SIGN}; ask again"):
        _ = process.context_window
    process.close()


@pytest.mark.parametrize("request_of", ["count", "answer"])
def test_a_chat_template_that_loops_is_ended(write_model: Callable[..., Path], request_of: str) -> None:
    process = ModelProcess(write_model(chat_template=LOOP), threads=1, template_limit_s=0.2)
    messages = [{"role": "user", "content": QUESTION}]

    def ask() -> object:
        if request_of == "count":
            return process.count("count_prompt", messages=messages, thinking=False)
        options = {"max_tokens": 5, "stop": [], "sampling": {}, "thinking": False}
        return list(process.generate(messages=messages, **options))

    with pytest.raises(ModelError, match=r"template did not end within 0\.2 s .*use another model file"):
        ask()
    assert process.context_window == 2048  # in a new process
    process.close()


def test_signs_of_life_come_while_a_prompt_is_read_and_end_with_the_answer(
    slow_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    kinds: list[str] = []
    deliver = WorkerProcess._deliver

    def noted(child: WorkerProcess, reply: dict[str, object]) -> None:
        kinds.append(str(reply["kind"]))
        deliver(child, reply)

    monkeypatch.setattr(WorkerProcess, "_deliver", noted)
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=1500) as model:
        stream = generator(model.stream("long " * 300))
        next(stream)
        child = model._process._begun().child
        assert eventually(lambda: "beat" in kinds[kinds.index("text") :])
        assert child._open
        stream.close()  # read no further: the child owes nothing
        assert eventually(lambda: not child._open)
        assert model.invoke(QUESTION, max_tokens=3).text
        assert not child.fell_silent


@linux_only
def test_a_frozen_process_is_given_up_and_one_that_computes_is_not(sleeping: int) -> None:
    frozen, computing = Silence(sleeping, 10.0), Silence(os.getpid(), 10.0)
    frozen.heard()
    computing.heard()
    before = processor_ticks(os.getpid())
    assert before is not None
    while processor_ticks(os.getpid()) == before:
        sum(range(10_000))
    assert not frozen.too_long(9)
    assert frozen.too_long(2)
    frozen.heard()
    assert not frozen.too_long(9)
    assert not computing.too_long(11)
    assert not computing.too_long(10 * PATIENCE - 12)
    assert computing.too_long(2)


def test_a_process_that_starts_has_more_time(sleeping: int) -> None:
    starting = Silence(sleeping, 10.0)
    assert not starting.too_long(10 * PATIENCE - 1)
    assert starting.too_long(2)


def test_threads_of_the_child_wait_asleep_unless_a_person_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (name,) = OPENMP
    monkeypatch.delenv(name, raising=False)
    assert environment()[name] == OPENMP[name]
    monkeypatch.setenv(name, "5")
    assert environment()[name] == "5"
