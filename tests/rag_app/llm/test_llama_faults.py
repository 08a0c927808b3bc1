"""Bad files, cancelled answers, killed processes: what a person sees, and what is left running."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.errors import Cancelled, ModelError
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.process.supervisor import ModelProcess
from tests.helpers.paths import ROOT
from tests.helpers.streams import generator

QUESTION = "where is the king?"
WAIT_S = 60.0  # for things that take milliseconds: only a failing test waits so long
PARENT = """
import sys, time
from pathlib import Path
from rag_app.llm.llama import LlamaCpp
model = LlamaCpp(model_path=Path(sys.argv[1]), threads=1, max_tokens=1500)
stream = model.stream("hello")
next(stream)
print(model.pid, flush=True)
{then}
"""


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has waited for yet counts as ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def processor_ticks(pid: int) -> int:
    """Processor time that the process has used, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def running(model: LlamaCpp) -> int:
    assert model.pid is not None
    return model.pid


def failure(path: Path) -> str:
    model = LlamaCpp(model_path=path, threads=1)
    with pytest.raises(ModelError) as caught:
        model.invoke(QUESTION)
    assert model.pid is None
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert "Traceback" not in message
    return message


def test_a_missing_file(tmp_path: Path) -> None:
    assert "does not exist" in failure(tmp_path / "none.gguf")


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be read (it is a folder; name a regular file)" in failure(tmp_path)


@pytest.mark.parametrize("content", [b"", b"GGU", b"%PDF-1.7 and more"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert "is not a GGUF file" in failure(path)


@pytest.mark.parametrize(
    ("share", "reason"),
    [(0.0, "failed to read header"), (0.005, "failed to read key-value pairs"), (0.9, "not within the file")],
)
def test_a_truncated_file(tmp_path: Path, tiny_path: Path, share: float, reason: str) -> None:
    path = tmp_path / "model.gguf"
    whole = tiny_path.read_bytes()
    path.write_bytes(whole[: max(4, int(share * len(whole)))])
    message = failure(path)
    assert "cannot be loaded" in message
    assert reason in message


@pytest.mark.slow
def test_a_file_that_makes_llama_cpp_abort(tmp_path: Path, tiny_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(
        tiny_path.read_bytes().replace(b"<0x31>", b"<0x32>")
    )  # one digit: a byte without a token
    assert "cannot be loaded: its process was killed by SIGABRT" in failure(path)


def test_a_chat_template_that_is_none(write_model: Callable[..., Path]) -> None:
    assert "its chat template cannot be read" in failure(write_model(chat_template="{% for %}"))


def test_a_load_that_takes_too_long_leaves_no_process(tiny_path: Path) -> None:
    process = ModelProcess(tiny_path, load_timeout_s=0.0)
    with pytest.raises(ModelError, match="was not loaded within 0 s"):
        _ = process.context_window
    assert process.pid is None


def test_closing_a_stream_leaves_the_process_ready(slow: LlamaCpp) -> None:
    stream = generator(slow.stream(QUESTION))
    begun = [next(stream).text for _ in range(3)]
    pid = running(slow)
    stream.close()
    ticks = processor_ticks(pid)
    time.sleep(0.5)
    assert processor_ticks(pid) - ticks < 10  # it is idle; an answer being written would use all of the time
    whole = slow.invoke(QUESTION, max_tokens=10).text
    assert running(slow) == pid
    assert whole.startswith("".join(begun))


def test_cancel_from_another_thread(slow: LlamaCpp) -> None:
    assert not slow.cancel()
    pid_before = slow.context_window and running(slow)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(slow.invoke, "long " * 300)
        assert eventually(slow.cancel)
        with pytest.raises(Cancelled):
            answer.result()
    assert slow.invoke(QUESTION, max_tokens=5).text
    assert running(slow) == pid_before


def test_a_process_killed_in_the_middle_is_replaced(slow: LlamaCpp) -> None:
    stream = generator(slow.stream(QUESTION))
    next(stream)
    pid = running(slow)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ModelError, match=r"was killed by SIGKILL .* middle of an answer; .* restarts it"):
        list(stream)
    assert slow.invoke(QUESTION, max_tokens=5).text
    assert running(slow) != pid


def test_a_process_that_died_between_questions_is_replaced(tiny_path: Path) -> None:
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=5) as model:
        first = model.invoke(QUESTION).text
        pid = running(model)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: model.pid is None)
        assert model.invoke(QUESTION).text == first
        assert running(model) != pid


def test_close_ends_the_process_and_the_next_call_starts_another(tiny_path: Path) -> None:
    model = LlamaCpp(model_path=tiny_path, threads=1, max_tokens=5)
    model.invoke(QUESTION)
    pid = running(model)
    model.close()
    assert gone(pid)
    assert model.pid is None
    assert model.invoke(QUESTION).text
    model.close()
    model.close()


def test_a_model_that_is_lost_takes_its_process_along(tiny_path: Path) -> None:
    model = LlamaCpp(model_path=tiny_path, threads=1, max_tokens=5)
    model.invoke(QUESTION)
    pid = running(model)
    del model
    gc.collect()
    assert gone(pid)


def test_the_process_outlives_the_thread_that_first_asked(tiny_path: Path) -> None:
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=5) as model:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(model.invoke, QUESTION).result()
            pid = running(model)
        assert model.invoke(QUESTION).text
        assert running(model) == pid


def parent(path: Path, then: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", PARENT.format(then=then), str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_parent_killed_leaves_no_process(slow_path: Path) -> None:
    with parent(slow_path, "time.sleep(600)") as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        assert not gone(pid)
        process.kill()
    assert eventually(lambda: gone(pid))


@pytest.mark.soak
def test_a_killed_parent_is_noticed_while_a_sibling_holds_the_pipe(slow_path: Path) -> None:
    fork = "import os\nsibling = os.fork()\nif sibling: print(sibling, flush=True)\ntime.sleep(600)"
    with parent(slow_path, fork) as process:
        assert process.stdout
        pid, sibling = int(process.stdout.readline()), int(process.stdout.readline())
        process.kill()
        process.wait()
        try:
            assert eventually(lambda: gone(pid))
            assert not gone(sibling)
        finally:
            os.kill(sibling, signal.SIGKILL)


@pytest.mark.slow
def test_a_parent_that_ends_in_the_middle_is_quiet_and_leaves_no_process(slow_path: Path) -> None:
    with parent(slow_path, "") as process:
        output, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, errors) == (0, "")
    assert eventually(lambda: gone(int(output)))
