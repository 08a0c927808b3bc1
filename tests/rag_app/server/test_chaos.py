"""A served language model among killed processes, callers that leave, and far too many callers."""

import json
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count as counted_from
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.helpers.real_model import pulled_model
from tests.helpers.served_library import Served, serving, serving_copy
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf

APPLE = "When was the Bramley apple tree planted?"
TOO_LONG = APPLE + " where is it?" * 1400  # more than the window, less than a question may have
DEADLINE_S = 120.0  # for a caller; waits are seconds, so only a stream that hangs takes so long
AT_ONCE = 4
OVERLOAD = 12
WAITING = 6  # callers that may wait
WARM_UP = 6  # events, after which nothing grows any more
SERVER_KILLS = 10
# Its answers are made-up words, none of which repeats: nothing of them is refused.
COUNTING = TinyModel(width=96, layers=4, more_words=3000, counts=True)

CLEAR = re.compile(
    r"was killed by SIGKILL .*(restarts it|started again in \d+ s|download it again)"
    r"|has failed \d+ times in a row and is tried again in \d+ s"
    r"|too many questions are waiting .* ask again later"
    r"|the prompt has \d+ tokens and the context window"
)


@dataclass(frozen=True)
class Usage:
    """What a process holds."""

    threads: int
    files: int
    memory_mb: float


def usage(pid: int) -> Usage:
    status = Path(f"/proc/{pid}/status").read_text()
    threads, memory = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) for name in ("Threads", "VmRSS"))
    return Usage(threads, len(os.listdir(f"/proc/{pid}/fd")), memory / 1024)  # noqa: PTH208


def workers(pid: int) -> list[int]:
    """The processes that hold a model, of a server."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            command = stat.with_name("cmdline").read_bytes()
            if int(fields[1]) == pid and fields[0] != "Z" and b"rag_app.llm.process.worker" in command:
                found.append(int(stat.parent.name))
    return found


class Chaos:
    """Events against a server. Each returns what became of its callers."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._numbers = counted_from(1)

    def ask(
        self,
        question: str = APPLE,
        *,
        at: int | None = None,
        then: Callable[[], None] | None = None,
        read: list[str] | None = None,
        **fields: Any,
    ) -> str:
        """Ask; return how it ended: "answer", "left", or the error. Anything else fails.

        At the event of that number, do something, or leave. What is read of the answer is appended to `read`.
        """
        headers = {"Authorization": f"Bearer {self._served.token}"}
        asked = {"question": question, "stream": True, **fields}
        url = f"{self._served.url}/api/v1/ask"
        last = {}
        with (
            httpx.Client(headers=headers, timeout=DEADLINE_S, trust_env=False) as client,
            client.stream("POST", url, json=asked) as answer,
        ):
            for number, line in enumerate(answer.iter_lines()):
                last = json.loads(line)
                if read is not None and last.get("event") == "delta":
                    read.append(last["text"])
                if number == at:
                    if then is None:
                        return "left"
                    then()
        if last.get("event") == "answer":
            assert last["answer"]
            return "answer"
        error = last["error"]
        assert CLEAR.search(error["message"]), error
        assert error["type"] in ("ModelError", "TooManyWaiting")
        return str(error["type"])

    def leave(self, seed: int) -> list[str]:
        """Leave while it waits, reads or writes: after one of the first forty events."""
        return [self.ask(at=random.Random(seed).randrange(40))]

    def stop(self, seed: int) -> list[str]:
        """Leave an answer of a conversation: all that was read of it is kept there."""
        question = f"{APPLE} Attempt {next(self._numbers)}."
        read: list[str] = []
        outcome = self.ask(question, at=random.Random(seed).randrange(40), read=read, conversation="new")
        deadline = time.monotonic() + DEADLINE_S
        while (turn := turn_of(self._served, question)) is None or turn["state"] == "asked":
            assert time.monotonic() < deadline, turn
            time.sleep(0.2)
        if outcome == "left" and read:
            kept = turn["partial"] or turn["answer"]
            assert plain("".join(read)) in plain(kept["answer"]), turn
            assert kept["nearest"], turn
        return [outcome]

    def overload(self, _seed: int) -> list[str]:
        with ThreadPoolExecutor(OVERLOAD) as pool:
            return list(pool.map(lambda _: self.ask(), range(OVERLOAD)))

    def kill(self, seed: int) -> list[str]:
        """Kill the model's process while it loads, reads or writes."""
        return [self.ask(at=random.Random(seed).randrange(40), then=self._kill)]

    def _kill(self) -> None:
        for pid in workers(self._served.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def too_long(self, _seed: int) -> list[str]:
        return [self.ask(TOO_LONG)]

    def patient(self, _seed: int) -> list[str]:
        """Ask until there is an answer, as a person would."""
        outcomes = [self.ask()]
        deadline = time.monotonic() + DEADLINE_S
        while outcomes[-1] != "answer":
            assert time.monotonic() < deadline, outcomes
            time.sleep(0.5)
            outcomes.append(self.ask())
        return outcomes

    def events(self, count: int, seed: int) -> Iterator[Callable[[], list[str]]]:
        """The same events for the same seed, each kind among the first ones."""
        drawn = random.Random(seed)
        kinds = (self.kill, self.leave, self.overload, self.too_long, self.patient, self.stop)
        for number in range(count):
            kind = kinds[number] if number < len(kinds) else drawn.choices(kinds, (3, 4, 2, 1, 4, 3))[0]
            event_seed = drawn.randrange(2**32)
            yield partial(kind, event_seed)


def plain(text: str) -> str:
    """An answer without the marks of its citations, which are set as it is written."""
    return re.sub(r"\s*\[\d+\]|\s+", "", text)


def turn_of(served: Served, question: str) -> dict[str, Any] | None:
    """What is kept of a question that was asked in a conversation of its own."""
    listed = served.ask("GET", "/api/v1/conversations")[1]["conversations"]
    for one in listed:
        (turn,) = served.ask("GET", f"/api/v1/conversations/{one['conversation_id']}")[1]["turns"]
        if turn["question"] == question:
            return dict(turn)
    return None


def written(turn: dict[str, Any]) -> str:
    """The text that is stored of an answer, complete or not."""
    kept = turn["partial"] or turn["answer"]
    return plain(kept["answer"]) if kept else ""


@pytest.fixture(params=["made-up", "trained"])
def variables(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Settings of a server with a language model that writes made-up words, or one with trained weights."""
    if request.param == "trained":
        model = pulled_model(tmp_path / "models")
    else:
        model = write_tiny_gguf(tmp_path / "model.gguf", COUNTING)
    return {
        "RAG_APP_LLM": str(model),
        "RAG_APP_LLM_MAX_TOKENS": "24",
        "RAG_APP_LLM_MAX_WAITING": str(WAITING),
        "RAG_APP_EVIDENCE_TOKENS": "300",
        "RAG_APP_ANSWER_THRESHOLD": "0",
        "RAG_APP_LOG_LEVEL": "ERROR",  # it warns of each process that was killed
    }


@pytest.fixture
def served(stock_template: Path, tmp_path: Path, variables: dict[str, str]) -> Iterator[Served]:
    with serving_copy(stock_template, tmp_path, **variables) as running:
        yield running


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process holds is read from /proc")
@pytest.mark.soak
@pytest.mark.parametrize("count", [10, 100])
def test_the_server_outlives_what_happens_to_its_model(served: Served, count: int) -> None:
    chaos, pid = Chaos(served), served.process.pid
    outcomes = Counter(chaos.patient(0))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(event) for event in chaos.events(WARM_UP, seed=1)]:
            outcomes.update(future.result(10 * DEADLINE_S))
        outcomes.update(chaos.patient(0))  # a worker runs then, as at the end
        before = usage(pid)
        for future in [pool.submit(event) for event in chaos.events(count - WARM_UP, seed=2)]:
            outcomes.update(future.result(10 * DEADLINE_S))
    assert outcomes.keys() == {"answer", "left", "ModelError", "TooManyWaiting"}, outcomes
    assert served.process.poll() is None
    assert served.ask("GET", "/api/v1/health")[0] == 200

    # Its pauses end, and then it answers as if nothing had been.
    chaos.patient(0)
    assert len(workers(pid)) == 1
    deadline = time.monotonic() + DEADLINE_S
    while (after := usage(pid)).threads > before.threads and time.monotonic() < deadline:
        time.sleep(0.2)  # threads of callers that left are still ending
    # Connections to the library's files are pooled: as many as were used at once, however many events came.
    assert after.threads <= before.threads + AT_ONCE
    assert after.files <= before.files + 2 * AT_ONCE
    assert after.memory_mb <= before.memory_mb + 30


@pytest.mark.soak
def test_what_was_written_outlives_the_server(
    stock_template: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    """The server is killed after some of an answer was stored: after its next start it is there."""
    variables["RAG_APP_LLM_MAX_TOKENS"] = "400"
    with serving_copy(stock_template, tmp_path, **variables):
        pass
    seeded = random.Random(3)
    kept: dict[str, str] = {}
    for number in range(SERVER_KILLS):
        question = f"{APPLE} Attempt {number}."
        running = serving(tmp_path / "data", **variables)
        served = running.__enter__()
        for asked, text in kept.items():
            turn = turn_of(served, asked)
            assert turn, asked
            assert turn["state"] in ("interrupted", "answered")
            assert written(turn).startswith(text)
            assert (turn["partial"] or turn["answer"])["nearest"]
        with ThreadPoolExecutor(1) as pool:
            caller = pool.submit(_until_cut, served, question)
            deadline = time.monotonic() + DEADLINE_S
            while not ((turn := turn_of(served, question)) and (text := written(turn))):
                assert time.monotonic() < deadline
                time.sleep(seeded.uniform(0.02, 0.2))
            os.kill(served.process.pid, signal.SIGKILL)
            assert served.process.wait(60) == -signal.SIGKILL
            assert caller.result(DEADLINE_S) in ("cut", "answer")  # a short answer can be complete by then
        kept[question] = text
        with pytest.raises(AssertionError):  # it did not end well
            running.__exit__(None, None, None)


def _until_cut(served: Served, question: str) -> str:
    """Ask in a conversation; return "cut" when the connection is lost."""
    try:
        return Chaos(served).ask(question, conversation="new")
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return "cut"
