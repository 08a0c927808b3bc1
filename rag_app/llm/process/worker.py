"""The child process that holds a model: `python -m rag_app.llm.process.worker`, JSON lines both ways.

    to the child                                              from the child, with the same id
    {"op": "load", "id": 0, "path", "context_tokens",         {"kind": "vocabulary", "context_window",
     "threads", "gpu_layers", "measure",                       "completes"}
     "template_limit_s", "adapter"}                           {"kind": "ready", "read_tokens", "read_s"}
    {"op": "generate", "id", "messages", "max_tokens",        {"kind": "prefill", "done", "total",
     "sampling", "stop", "thinking"}                           "thinking"} …
                                                              {"kind": "text", "text", "tokens"} …
                                                              {"kind": "done", "finish_reason",
                                                               "prompt_tokens", "cached_tokens",
                                                               "completion_tokens", "read_s"}
    {"op": "count", "id", "text"}                             {"kind": "count", "tokens"}
    {"op": "count_prompt", "id", "messages", "thinking"}      {"kind": "count", "tokens"}
    {"op": "cancel", "id"}                                    (the answer in progress is done: "cancelled")
                                                              {"kind": "beat"} …, with the id -1

The worker can count tokens after "vocabulary", and answer after "ready"; with "measure", "ready" has the
speed of reading. The first "prefill" says how much of the prompt was known before; the "tokens" of a text are
those written so far. {"kind": "error", "code", "message"} may answer any request. Ids rise. The worker gives
a sign of life, "beat", every second while it owes a reply. The end of the input ends the process. One thread
loads and generates; another thread reads, so that cancelling and counting work meanwhile.
"""

import ctypes
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from rag_app.config.sampling import Sampling
from rag_app.llm.process.engine_error import Aborted, EngineError
from rag_app.llm.process.heartbeat import Heartbeat
from rag_app.llm.process.text_stream import TextStream

if TYPE_CHECKING:
    from rag_app.llm.process.engine import Engine
    from rag_app.llm.process.native_log import NativeLog
    from rag_app.llm.process.vocabulary import Prompt, Vocabulary

T = TypeVar("T")

PR_SET_PDEATHSIG = 1  # linux/prctl.h

NO_REQUEST = -1  # the id of a sign of life

Message = dict[str, Any]


def main() -> None:
    """Answer requests until stdin ends."""
    # Before anything prints: llama.cpp and its backends write to file descriptor 1.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _die_with_parent()
    _leave_no_core_file()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes stdin
    worker = Worker(replies)
    threading.excepthook = lambda args: _end_on(args.exc_value)
    threading.Thread(target=worker.read, args=(sys.stdin.buffer,), daemon=True).start()
    threading.Thread(target=worker.work, daemon=True).start()
    threading.Event().wait()  # either thread ends the process


class Worker:
    """Serves the protocol: `read` takes requests in, `work` carries out the slow ones."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._writing = threading.Lock()
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._vocabulary: Vocabulary | None = None
        self._engine: Engine | None = None
        self._log: NativeLog | None = None
        self._window = 0
        self._current = 0
        self._serving: dict[int, Message] = {}  # by thread
        self._heartbeat = Heartbeat(self._beat, self._end_template)
        self._cancelled = -1  # all requests up to this id are cancelled; ids rise, so one number is enough

    def read(self, lines: BinaryIO) -> None:
        """Read requests to the end of the input, then end the process at once."""
        for line in lines:
            request = json.loads(line)
            if request["op"] == "cancel":
                self._cancelled = request["id"]
                continue
            self._heartbeat.opened()
            if request["op"] in ("load", "generate"):
                self._requests.put(request)
            else:
                self._guarded(request, self._count)
        os._exit(0)

    def work(self) -> None:
        """Load and generate, one request at a time, for ever."""
        while True:
            request = self._requests.get()
            self._current = request["id"]
            self._guarded(request, self._load if request["op"] == "load" else self._generate)

    def _guarded(self, request: Message, handle: Callable[[Message], None]) -> None:
        self._serving[threading.get_ident()] = request
        try:
            handle(request)
        except EngineError as error:
            self._reply(request, "error", code=error.code, message=str(error))
        self._heartbeat.closed()

    def _beat(self) -> None:
        self._reply({"id": NO_REQUEST}, "beat")

    def _end_template(self, thread: int) -> None:
        """End the process, because nothing else ends a template that loops."""
        message = (
            f"its chat template did not end within {self._heartbeat.template_limit_s:g} s of processor time"
        )
        self._reply(self._serving[thread], "error", code="template", message=message)
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()
        os._exit(1)

    def _load(self, request: Message) -> None:
        try:
            from rag_app.llm.process.engine import Engine, LoadOptions, gpu_layers_here
            from rag_app.llm.process.native_log import NativeLog
            from rag_app.llm.process.vocabulary import Vocabulary
        except ImportError as error:
            if error.name == "llama_cpp":
                raise EngineError("missing", "llama-cpp-python is not installed") from error
            raise EngineError("install", str(error)) from error

        self._heartbeat.template_limit_s = request["template_limit_s"]
        # Kept for good: llama.cpp logs at any time, such as after an aborted forward pass.
        self._log = log = NativeLog()
        self._vocabulary = vocabulary = Vocabulary(request["path"], log, self._heartbeat.rendering)
        self._window = request["context_tokens"] or vocabulary.context_length
        self._reply(request, "vocabulary", context_window=self._window, completes=vocabulary.completes)
        options = LoadOptions(
            context_window=self._window,
            threads=request["threads"],
            gpu_layers=gpu_layers_here(request["gpu_layers"]),
            adapter=request["adapter"],
        )
        self._engine = Engine(
            request["path"], vocabulary, log, options, aborted=lambda: self._cancelled >= self._current
        )
        tokens, seconds = self._engine.measure() if request["measure"] else (0, 0.0)
        self._reply(request, "ready", read_tokens=tokens, read_s=seconds)

    def _count(self, request: Message) -> None:
        vocabulary = _present(self._vocabulary)
        if request["op"] == "count":
            tokens = vocabulary.count(request["text"])
        else:
            tokens = len(vocabulary.prompt(request["messages"], thinking=request["thinking"]).tokens)
        self._reply(request, "count", tokens=tokens)

    def _generate(self, request: Message) -> None:
        engine = _present(self._engine)
        prompt = _present(self._vocabulary).prompt(request["messages"], thinking=request["thinking"])
        length = len(prompt.tokens)
        if length >= self._window:
            raise EngineError(
                "too_long", f"the prompt has {length} tokens and the context window {self._window}"
            )
        answer = _Answer(prompt_tokens=length)
        try:
            if self._read(request, engine, prompt, answer):
                self._write(request, engine, prompt, answer)
        except Aborted:
            answer.finish_reason = "cancelled"
        self._reply(request, "done", **asdict(answer))

    def _read(self, request: Message, engine: "Engine", prompt: "Prompt", answer: "_Answer") -> bool:
        """Read the prompt, and report progress; return False for a cancelled request."""
        total, started = len(prompt.tokens), perf_counter()
        for place, done in enumerate(engine.read(prompt)):
            if place == 0:
                answer.cached_tokens = done
            answer.read_s = perf_counter() - started
            self._reply(request, "prefill", done=done, total=total, thinking=prompt.thinking)
            if self._cancelled >= request["id"]:
                answer.finish_reason = "cancelled"
                return False
        return True

    def _write(self, request: Message, engine: "Engine", prompt: "Prompt", answer: "_Answer") -> None:
        limit = min(request["max_tokens"], self._window - len(prompt.tokens))
        text = TextStream([*request["stop"], *prompt.stops])
        try:
            for piece in engine.write(prompt, Sampling(**request["sampling"])):
                answer.completion_tokens += 1
                self._reply_text(request, text.feed(piece), answer.completion_tokens)
                # llama.cpp asks `aborted` only on a processor; on a GPU this stops the answer.
                if self._cancelled >= request["id"]:
                    answer.finish_reason = "cancelled"
                    break
                if text.stopped:
                    break
                if answer.completion_tokens >= limit:
                    answer.finish_reason = "length"
                    break
        finally:
            self._reply_text(request, text.finish(), answer.completion_tokens)

    def _reply_text(self, request: Message, text: str, tokens: int) -> None:
        if text:
            self._reply(request, "text", text=text, tokens=tokens)

    def _reply(self, request: Message, kind: str, **values: Any) -> None:
        line = json.dumps({"id": request["id"], "kind": kind, **values}).encode() + b"\n"
        with self._writing:
            try:
                self._replies.write(line)
                self._replies.flush()
            except BrokenPipeError:
                os._exit(0)  # the parent is gone


@dataclass
class _Answer:
    """The fields of "done". `read_s` are the seconds of reading the prompt."""

    prompt_tokens: int
    cached_tokens: int = 0
    completion_tokens: int = 0
    read_s: float = 0.0
    finish_reason: str = "stop"


def _present(part: T | None) -> T:
    if part is None:
        raise EngineError("load", "no model is loaded")
    return part


def _end_on(error: BaseException | None) -> None:
    """End the process when one of its two threads fails: with one thread it would never answer."""
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)


def _leave_no_core_file() -> None:
    """Write no core file, as large as the model, when llama.cpp aborts."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends; Linux only.

    The end of stdin does that too, but not while a forked sibling holds the pipe's other end open.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
