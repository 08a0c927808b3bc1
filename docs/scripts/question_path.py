"""The way of one question: the files that it enters, in order, from page, command line and HTTP.

python docs/scripts/question_path.py [QUESTION]

It prints the rooms and files that run for the question, in the order of their first call, and each call from
a room to a room on a higher floor of the plan in pyproject.toml. The opening and closing of the library are
left out, and so are value classes without code of their own.
"""

import inspect
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from imports import floors, read_contracts
from starlette.testclient import TestClient

from ingestion.pipeline.ingest import ingest
from rag_app.cli.entry import app as command_line
from rag_app.config.settings import load_settings
from rag_app.server.api.app import create_api
from rag_app.server.security.guard import Guard
from rag_app.service.composition import Assistant
from ui.background import Workers
from ui.chat.controller import ChatController, QueryOptions

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ui", "rag_app", "retrievers", "ingestion")
TEXT = "# Orchard\n\nThe old apple tree was planted in 1921. It bears fruit in a good year.\n"
QUESTION = "When was the apple tree planted?"
# Functions that open or close the library.
_SETUP = {
    "Assistant.open",
    "Assistant.close",
    "open_assistant",
    "Jobs.stop",
    "load_settings",
}
_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class CallTrace:
    """Records calls between the project's files. A generator counts when it starts, not when it resumes."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.upward: dict[tuple[str, str], int] = {}
        self._files: dict[CodeType, str | None] = {}
        self._started: set[FrameType] = set()
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Record the calls of all threads."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            self._started.clear()

    def rooms(self) -> list[str]:
        """Return the rooms of the files, in the order of their first call."""
        return list(dict.fromkeys(map(_room, self.files)))

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        file = self._file(frame.f_code) if event == "call" else None
        if file is None:
            return
        with self._lock:
            if frame.f_code.co_flags & _SUSPENDED:
                if frame in self._started:
                    return
                self._started.add(frame)
            caller = None
            above = frame.f_back
            while above is not None:
                if above.f_code.co_qualname in _SETUP:
                    return
                caller = caller or self._file(above.f_code)
                above = above.f_back
            if frame.f_code.co_qualname in _SETUP:
                return
            if file not in self.files:
                self.files.append(file)
            is_callback = "<locals>" in frame.f_code.co_qualname  # belongs to the code that passed it down
            if caller is not None and not is_callback and _floor(file) < _floor(caller):
                arrow = caller, file
                self.upward[arrow] = self.upward.get(arrow, 0) + 1

    def _file(self, code: CodeType) -> str | None:
        """Return a code's file in the project's packages; None for others, and for module bodies."""
        if code not in self._files:
            path = Path(code.co_filename)
            inside = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES
            inside = inside and code.co_name != "<module>"
            self._files[code] = str(path.relative_to(ROOT)) if inside else None
        return self._files[code]


@cache
def _floor(file: str) -> tuple[int, int]:
    """Return the floors of a file's package and room, counted from the top."""
    package, room = Path(file).with_suffix("").parts[:2]
    return PACKAGES.index(package), floors(read_contracts(), package).get(room, 0)


def _room(file: str) -> str:
    package, *inside = Path(file).with_suffix("").parts
    return package if package == "retrievers" else f"{package}.{inside[0]}"


def paths(question: str) -> dict[str, CallTrace]:
    """Ask a question from page, HTTP and command line; return the calls of each."""
    with tempfile.TemporaryDirectory() as folder:
        data, document = Path(folder) / "data", Path(folder) / "orchard.md"
        document.write_text(TEXT, "utf-8")
        with Assistant.open(load_settings(data_dir=data)) as assistant:
            assert [result.status for result in ingest(assistant.library, [document])] == ["ok"]
            assistant.warm_up()
            client = _client(assistant)
            found = {
                "page": _traced(lambda: _from_page(assistant, question)),
                "HTTP": _traced(lambda: client.post("/api/v1/ask", json={"question": question}).text),
            }
        arguments = ["--data-dir", str(data), "ask", question, "--json"]
        return found | {"command line": _traced(lambda: _from_command_line(arguments))}


def _traced(ask: Callable[[], str]) -> CallTrace:
    trace = CallTrace()
    with trace.running():
        said = ask()
    assert "1921" in said, said
    return trace


def _from_page(assistant: Assistant, question: str) -> str:
    chat = ChatController(assistant, Workers())
    turns, job, _ = chat.begin(question, (), None, None, QueryOptions())
    *_, last = chat.answer(turns, job)
    assert last[-1].answer is not None
    return last[-1].answer.text


def _client(assistant: Assistant) -> TestClient:
    api = Guard(create_api(assistant), host="127.0.0.1", port=80, token="secret")
    headers = {"Authorization": "Bearer secret"}
    return TestClient(api, "http://127.0.0.1", headers=headers, client=("127.0.0.1", 50_000))


def _from_command_line(arguments: list[str]) -> str:
    written = StringIO()
    with redirect_stdout(written):
        command_line(arguments, standalone_mode=False)
    return written.getvalue()


def main(question: str) -> None:
    """Print the way of a question."""
    for name, trace in paths(question).items():
        rooms = trace.rooms()
        print(f"{name}: {len(trace.files)} files in {len(rooms)} rooms: {', '.join(rooms)}")
        print(*(f"    {file}" for file in trace.files), sep="\n")
        for (caller, file), times in trace.upward.items():
            print(f"    up: {caller} -> {file}, {times} times")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or QUESTION)
