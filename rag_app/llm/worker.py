"""The child process that holds a model: `python -m rag_app.llm.worker`, JSON lines on stdin and stdout.

    to the child                                              from the child, with the same id
    {"op": "load", "id": 0, "path", "context_tokens",         {"kind": "ready", "context_window"}
     "threads", "gpu_layers"}
    {"op": "generate", "id", "messages", "max_tokens",        {"kind": "prefill", "prompt_tokens"}
     "temperature", "seed", "stop"}                           {"kind": "text", "text"} …
                                                              {"kind": "done", "finish_reason",
                                                               "prompt_tokens", "completion_tokens"}
    {"op": "count", "id", "text"}                             {"kind": "count", "tokens"}
    {"op": "count_prompt", "id", "messages"}                  {"kind": "count", "tokens"}
    {"op": "cancel", "id"}                                    (the answer in progress is done: "cancelled")

Anything can be answered by {"kind": "error", "code", "message"}. Ids rise. End of input ends the process.
One thread generates; the other reads, so that cancelling and counting work while an answer is written.
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
from typing import TYPE_CHECKING, Any, BinaryIO

from rag_app.llm.textstream import TextStream

if TYPE_CHECKING:
    from rag_app.llm.engine import Engine

PR_SET_PDEATHSIG = 1  # linux/prctl.h

Message = dict[str, Any]


def main() -> None:
    """Answer requests until stdin ends."""
    # First, before anything prints: llama.cpp and its backends write to file descriptor 1 as they like.
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
    """Both ends of the protocol: `read` takes requests in, `work` carries out those that take time."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._writing = threading.Lock()
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._engine: Engine | None = None
        self._current = 0
        self._cancelled = -1  # every request up to this id is cancelled; ids rise, so one number is enough

    def read(self, lines: BinaryIO) -> None:
        """Read requests to the end of input, then end the process, whatever it is doing."""
        for line in lines:
            request = json.loads(line)
            if request["op"] == "cancel":
                self._cancelled = request["id"]
            elif request["op"] in ("load", "generate"):
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
        try:
            from rag_app.llm.engine import EngineError
        except ImportError as error:
            self._reply(request, "error", code="install", message=str(error))
            return
        try:
            handle(request)
        except EngineError as error:
            self._reply(request, "error", code=error.code, message=str(error))

    def _load(self, request: Message) -> None:
        from rag_app.llm.engine import Engine

        self._engine = Engine(
            request["path"],
            context_tokens=request["context_tokens"],
            threads=request["threads"] or available_processors(),
            gpu_layers=request["gpu_layers"],
            aborted=lambda: self._cancelled >= self._current,
        )
        self._reply(request, "ready", context_window=self._engine.context_window)

    def _count(self, request: Message) -> None:
        engine = self._loaded()
        if request["op"] == "count":
            tokens = engine.count(request["text"])
        else:
            tokens = len(engine.prompt(request["messages"]).tokens)
        self._reply(request, "count", tokens=tokens)

    def _generate(self, request: Message) -> None:
        from rag_app.llm.engine import Aborted, EngineError

        engine = self._loaded()
        prompt = engine.prompt(request["messages"])
        length, window = len(prompt.tokens), engine.context_window
        if length >= window:
            raise EngineError("too_long", f"the prompt has {length} tokens and the context window {window}")
        self._reply(request, "prefill", prompt_tokens=length)
        limit = min(request["max_tokens"], window - length)
        text = TextStream([*request["stop"], *prompt.stops])
        count, finish_reason = 0, "stop"
        try:
            for piece in engine.generate(prompt, temperature=request["temperature"], seed=request["seed"]):
                count += 1
                self._reply_text(request, text.feed(piece))
                # llama.cpp asks `aborted` on a processor only: on a GPU this is what stops the answer.
                if self._cancelled >= request["id"]:
                    finish_reason = "cancelled"
                    break
                if text.stopped:
                    break
                if count >= limit:
                    finish_reason = "length"
                    break
        except Aborted:
            finish_reason = "cancelled"
        self._reply_text(request, text.finish())
        usage = {"prompt_tokens": length, "completion_tokens": count}
        self._reply(request, "done", finish_reason=finish_reason, **usage)

    def _loaded(self) -> "Engine":
        if self._engine is None:
            from rag_app.llm.engine import EngineError

            raise EngineError("load", "no model is loaded")
        return self._engine

    def _reply_text(self, request: Message, text: str) -> None:
        if text:
            self._reply(request, "text", text=text)

    def _reply(self, request: Message, kind: str, **values: Any) -> None:
        line = json.dumps({"id": request["id"], "kind": kind, **values}).encode() + b"\n"
        with self._writing:
            try:
                self._replies.write(line)
                self._replies.flush()
            except BrokenPipeError:
                os._exit(0)  # nobody reads any more


def available_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_on(error: BaseException | None) -> None:
    """End the process when one of its two threads fails: with only one left it would never answer."""
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)


def _leave_no_core_file() -> None:
    """An abort inside llama.cpp must not write a file as large as the model."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends; Linux only.

    The end of stdin says the same, but not while a sibling that was forked has the pipe's other end open.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
