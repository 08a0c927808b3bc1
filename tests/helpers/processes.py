"""Real processes that start in no time: forked from one that has imported the application.

A start of `rag-app serve` spends seconds on imports. The fork server spends them once; each process that it
forks then runs the same `main()` with its own arguments, environment, working folder and standard streams.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

from tests.helpers.paths import ROOT

SOON = 60.0  # seconds within which a killed process must be gone: only a failing test waits so long
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; RLIMIT_AS is Linux's")

# It loads what each process would load for itself, and runs no model, so that it has no threads of its own,
# which a fork would lose.
_SERVER = """
import os
if os.fork():  # so that it is no child of the tests, which count theirs
    os._exit(0)
import atexit, gc, json, os, select, signal, socket, sys, tempfile, threading, traceback
from rag_app.config.environment import stay_offline
stay_offline()
import chromadb, matplotlib.pyplot, openvino, torch, transformers
import ingestion.library, ingestion.pipeline.ingest, ingestion.storage.tokens.maxsim
import rag_app.server.api.app, rag_app.server.mcp.server, rag_app.service.composition, ui.app
from rag_app.cli import main
from transformers import AutoModel, BertModel
from ingestion.encoders import builtin_encoder
from ingestion.text.language_detection import detect_language
from rag_app.answering.questions.question_kinds import kind_of

builtin_encoder().fingerprint, builtin_encoder().offsets("one passage")
detect_language(["A text of some length in English."])
kind_of("What is it?")

def serve(control):
    '''Fork for each request. Returns the request in the forked process.'''
    running = {}
    while True:
        ready = select.select([control], [], [], 0.01 if running else None)[0]
        for child in list(running):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                os.write(running[child], b"%d" % os.waitstatus_to_exitcode(status))
                os.close(running.pop(child))
        if not ready:
            continue
        message, files, _, _ = socket.recv_fds(control, 2**20, 4)
        if not message:  # the tests have ended, in whatever way
            for child in running:
                os.kill(child, signal.SIGKILL)
            os._exit(0)
        child = os.fork()
        if not child:
            control.close()
            for status in running.values():
                os.close(status)
            return json.loads(message), files
        control.send(b"%d" % child)
        running[child] = files.pop()
        for file in files:
            os.close(file)

gc.freeze()
request, files = serve(socket.socket(fileno=int(sys.argv[1])))
os.setsid()
for number, file in enumerate(files[:3]):
    os.dup2(file, number)
for file in files:
    os.close(file)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.clear()
os.environ.update(request["env"])
os.chdir(request["cwd"])
tempfile.tempdir = None
sys.stdin = open(0, closefd=False)
sys.stdout, sys.stderr = (open(number, "w", 1, closefd=False) for number in (1, 2))
sys.argv = ["rag-app", *request["arguments"]]
code = 0
try:
    if request["code"] is None:
        main()
    else:
        exec(request["code"], {"__name__": "__main__"})
except SystemExit as end:
    code = end.code or 0
except BaseException:
    traceback.print_exc()
    code = 1
# The end of any process, but for taking apart all that the server imported, which takes half a second.
threading._shutdown()
atexit._run_exitfuncs()
for stream in (sys.stdout, sys.stderr):
    try:
        stream.flush()
    except OSError:
        pass
os._exit(code)
"""


class ForkedProcess:
    """A process of the fork server, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, status: int, streams: Mapping[str, IO[str]]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = map(streams.get, ("stdin", "stdout", "stderr"))
        self._status = status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the process if it still runs, and close its pipes."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; return the exit code, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: It has not ended within `timeout` seconds.
        """
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("rag-app", timeout or 0.0)
            self.returncode = int(os.read(self._status, 16))
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read standard output and error to their ends, and wait for the process.

        Raises:
            subprocess.TimeoutExpired: It has not ended within `timeout` seconds.
        """
        said = ["", ""]

        def read(place: int, stream: IO[str]) -> None:
            said[place] = stream.read()

        pairs = [(n, stream) for n, stream in enumerate((self.stdout, self.stderr)) if stream]
        readers = [threading.Thread(target=read, args=pair, daemon=True) for pair in pairs]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        return said[0], said[1]


class ForkServer:
    """Starts processes; one such server is enough for a test process, with which it ends."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        subprocess.run(
            [sys.executable, "-c", _SERVER, str(theirs.fileno())],
            check=True,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), *sys.path]))},
        )
        theirs.close()

    def start(
        self,
        arguments: Sequence[object],
        *,
        code: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> ForkedProcess:
        """Start `rag-app` with the arguments, or `code` with them in `sys.argv`.

        Args:
            arguments: What follows the command's name.
            code: Python to run instead of the command.
            env: The whole environment, by default that of the tests.
            cwd: The working folder.
            stdin: A descriptor, None for the tests' own, or `subprocess.PIPE` or `DEVNULL`.
            stdout: The same.
            stderr: The same, or `subprocess.STDOUT`.
        """
        ours: dict[str, IO[str]] = {}
        theirs: list[int] = []
        opened: list[int] = []
        for number, (name, wanted) in enumerate({"stdin": stdin, "stdout": stdout, "stderr": stderr}.items()):
            if wanted == subprocess.PIPE:
                reading, writing = os.pipe()
                kept, given = (writing, reading) if name == "stdin" else (reading, writing)
                ours[name] = os.fdopen(kept, "w" if name == "stdin" else "r", encoding="utf-8")
                opened.append(given)
            elif wanted == subprocess.DEVNULL:
                opened.append(given := os.open(os.devnull, os.O_RDWR))
            elif wanted == subprocess.STDOUT:
                given = theirs[1]
            else:
                given = number if wanted is None else wanted
            theirs.append(given)
        ended, ends = os.pipe()
        opened.append(ends)
        request = {
            "arguments": [str(one) for one in arguments],
            "code": code,
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd),
        }
        socket.send_fds(self._control, [json.dumps(request).encode()], [*theirs, ends])
        for file in opened:
            os.close(file)
        return ForkedProcess(int(self._control.recv(16)), ended, ours)


@cache
def fork_server() -> ForkServer:
    """Return the fork server of this test process; the first call starts it."""
    return ForkServer()


def run_forked(code: str, *arguments: object) -> int:
    """Run Python in a process of its own, the arguments in `sys.argv[1:]`; return its exit code."""
    with fork_server().start(arguments, code=code) as process:
        return process.wait()


def children(parent: int) -> list[int]:
    """The living children of a process, zombies left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                state, above = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(above) == parent and state != "Z":
                    found.append(int(entry.name))
    return found


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
