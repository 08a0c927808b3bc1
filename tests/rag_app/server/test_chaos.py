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
from pathlib import Path

import httpx
import pytest

from tests.helpers.served_library import Served, serving_copy
from tests.helpers.tiny_gguf import TinyModel, write_tiny_gguf

APPLE = "When was the Bramley apple tree planted?"
TOO_LONG = APPLE + " where is it?" * 1400  # more than the window, less than a question may have
DEADLINE_S = 120.0  # for a caller; waits are seconds, so only a stream that hangs takes so long
AT_ONCE = 4
OVERLOAD = 12
WAITING = 6  # callers that may wait
WARM_UP = 5  # events, after which nothing grows any more

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

    def ask(
        self, question: str = APPLE, *, at: int | None = None, then: Callable[[], None] | None = None
    ) -> str:
        """Ask; return how it ended: "answer", "left", or the error. Anything else fails.

        At the event of that number, do something, or leave.
        """
        headers = {"Authorization": f"Bearer {self._served.token}"}
        asked = {"question": question, "stream": True}
        url = f"{self._served.url}/api/v1/ask"
        last = {}
        with (
            httpx.Client(headers=headers, timeout=DEADLINE_S, trust_env=False) as client,
            client.stream("POST", url, json=asked) as answer,
        ):
            for number, line in enumerate(answer.iter_lines()):
                last = json.loads(line)
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
        kinds = (self.kill, self.leave, self.overload, self.too_long, self.patient)
        for number in range(count):
            kind = kinds[number] if number < len(kinds) else drawn.choices(kinds, (3, 5, 2, 1, 5))[0]
            event_seed = drawn.randrange(2**32)
            yield partial(kind, event_seed)


@pytest.fixture
def served(stock_template: Path, tmp_path: Path) -> Iterator[Served]:
    gguf = write_tiny_gguf(tmp_path / "model.gguf", TinyModel(width=96, layers=4))
    variables = {
        "RAG_APP_LLM": str(gguf),
        "RAG_APP_LLM_MAX_TOKENS": "24",
        "RAG_APP_LLM_MAX_WAITING": str(WAITING),
        "RAG_APP_EVIDENCE_TOKENS": "300",
    }
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
