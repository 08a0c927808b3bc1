"""The worker's protocol, spoken to a real worker."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from rag_app.config.sampling import Sampling
from rag_app.llm.process.child import Replies, Reply, WorkerProcess
from tests.helpers.paths import ROOT

NOISY = """
import os
from rag_app.llm.process import worker
def noisy(self):
    os.write(1, b"written to file descriptor 1\\n")
    print("printed", flush=True)
    self._reply({"id": 7}, "ready", context_window=1)
worker.Worker.work = noisy
worker.main()
"""

LATE = """
import gc, io, sys
import llama_cpp
from rag_app.llm.process.engine_error import Aborted
from rag_app.llm.process.worker import Worker

worker = Worker(io.BytesIO())
options = {"context_tokens": None, "threads": 1, "gpu_layers": 0, "measure": False, "template_limit_s": 9,
           "adapter": None}
worker._load({"id": 0, "path": sys.argv[1], **options})
gc.collect()
called = []  # by what takes the place of a function that is gone
others = [llama_cpp.llama_log_callback(lambda *_: called.append(1)) for _ in range(1000)]
worker._current = worker._cancelled = 1
try:
    list(worker._engine.read(worker._vocabulary.prompt([{"role": "user", "content": "long " * 100}])))
except Aborted:
    print(f"aborted, called {len(called)} others")
"""


@pytest.fixture
def child(slow_path: Path) -> Iterator[WorkerProcess]:
    child = WorkerProcess()
    options: dict[str, Any] = {"context_tokens": None, "threads": 1, "gpu_layers": 0}
    options |= {"measure": False, "template_limit_s": 9.0, "adapter": None}
    _, replies = child.ask("load", path=str(slow_path), **options)
    head = received(replies)
    assert head == {"id": 0, "kind": "vocabulary", "context_window": 2048, "completes": False}
    assert received(replies) == {"id": 0, "kind": "ready", "read_tokens": 0, "read_s": 0.0}
    yield child
    child.end()


def received(replies: Replies) -> Reply:
    reply = replies.get(timeout=60)
    assert reply is not None
    return reply


def ask(child: WorkerProcess, text: str, max_tokens: int) -> tuple[int, Replies]:
    sampling = asdict(Sampling())
    options: dict[str, Any] = {"max_tokens": max_tokens, "sampling": sampling, "stop": [], "thinking": False}
    return child.ask("generate", messages=[{"role": "user", "content": text}], **options)


def last(replies: Replies) -> Reply:
    while (reply := received(replies))["kind"] not in ("done", "error"):
        pass
    return reply


def test_cancelling_stops_the_model_not_only_the_reading(child: WorkerProcess) -> None:
    number, replies = ask(child, "hello", 1500)
    assert [received(replies)["kind"] for _ in range(5)] == ["prefill", "prefill", "text", "text", "text"]
    child.send(op="cancel", id=number)
    done = last(replies)
    assert done["finish_reason"] == "cancelled"
    assert 3 <= done["completion_tokens"] < 1000
    assert last(ask(child, "hello", 5)[1])["finish_reason"] == "length"


def test_cancelling_stops_the_reading_of_a_long_prompt(child: WorkerProcess) -> None:
    number, replies = ask(child, "long " * 390, 5)
    first = received(replies)
    assert (first["kind"], first["done"]) == ("prefill", 0)
    child.send(op="cancel", id=number)
    done = last(replies)
    assert (done["finish_reason"], done["completion_tokens"]) == ("cancelled", 0)
    whole = last(ask(child, "long " * 390, 1)[1])
    assert done["prompt_tokens"] == whole["prompt_tokens"] == first["total"]
    # What was read before stays, so that asking again is not in vain.
    assert 0 <= whole["cached_tokens"] < whole["prompt_tokens"]


def test_llama_cpp_may_log_long_after_it_has_loaded(slow_path: Path) -> None:
    """It warns of every forward pass that is aborted, and calls the function that it was given for that."""
    done = subprocess.run(
        [sys.executable, "-c", LATE, str(slow_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "aborted, called 0 others\n", "")


def test_a_request_cancelled_before_its_turn_writes_nothing(child: WorkerProcess) -> None:
    first, first_replies = ask(child, "hello", 1500)
    second, second_replies = ask(child, "hello", 1500)
    child.send(op="cancel", id=second)
    assert last(first_replies)["finish_reason"] == "cancelled"
    assert last(second_replies)["completion_tokens"] <= 1
    assert (first, second) == (1, 2)


def test_an_answer_is_the_same_after_a_cancelled_one(child: WorkerProcess) -> None:
    def text() -> str:
        _, replies = ask(child, "hello", 20)
        parts = []
        while (reply := received(replies))["kind"] != "done":
            parts.append(reply.get("text", ""))
        return "".join(parts)

    before = text()
    number, replies = ask(child, "hello " * 300, 5)
    assert received(replies)["kind"] == "prefill"
    child.send(op="cancel", id=number)
    assert last(replies)["finish_reason"] == "cancelled"
    assert text() == before


def test_a_worker_that_fails_ends_and_says_why(child: WorkerProcess) -> None:
    _, replies = ask(child, "hello", 1500)
    child.send(nonsense=1)
    while replies.get(timeout=60) is not None:
        pass
    assert child.epitaph() == "ended with code 1 (KeyError: 'op')"
    assert not child.alive
    assert child.ask("count", text="x")[1].get(timeout=60) is None


def test_what_others_print_does_not_reach_the_replies() -> None:
    command = [sys.executable, "-c", NOISY]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdin
        assert json.loads(process.stdout.readline()) == {"id": 7, "kind": "ready", "context_window": 1}
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.stderr.read() == "written to file descriptor 1\nprinted\n"
    assert process.returncode == 0
