"""How the page's server begins and ends: however slow the machine is, and without asking itself anything."""

import asyncio
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.errors import RagError
from ingestion.library import Library
from rag_app.config.ports import free_port
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.paths import ROOT
from ui.app import build
from ui.server import PageServer, Stop

HOST = "127.0.0.1"


class Noting:
    """Middleware that notes the paths that are asked for."""

    paths: list[str]

    def __init__(self, app: ASGIApp, paths: list[str]) -> None:
        self.app, self.paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        await self.app(scope, receive, send)


@contextmanager
def made(
    library: Library, port: int, paths: list[str], may_start: threading.Event | None = None
) -> Iterator[PageServer]:
    """A page's server, not started; its start takes until `may_start` is set."""

    async def work() -> PageServer:
        page = build(Assistant(Settings(data_dir=library.folder), library))
        begin = page.run_startup_events

        def slowly() -> None:
            assert may_start is None or may_start.wait(60)
            begin()

        page.run_startup_events = slowly  # type: ignore[method-assign]
        return PageServer(page, HOST, port, [Middleware(Noting, paths)], largest_upload=10**6, auth=None)

    # Without a running loop Gradio makes some and leaves them open; Playwright's may run in this thread.
    with ThreadPoolExecutor(1) as thread:
        server = thread.submit(asyncio.run, work()).result()
    try:
        yield server
    finally:
        if may_start:
            may_start.set()
        server.stop()


class NeverStopped(threading.Event):
    """Is never set, and counts the seconds that it is waited for without letting them pass."""

    def __init__(self, enough: float, at_last: threading.Event) -> None:
        super().__init__()
        self.waited, self._enough, self._at_last = 0.0, enough, at_last

    def wait(self, timeout: float | None = None) -> bool:
        self.waited += timeout or 0.0
        if self.waited >= self._enough:
            self._at_last.set()
            time.sleep(0.01)
        return False


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_begins_without_asking_itself_whatever_the_proxy(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    paths: list[str] = []
    port = free_port(HOST, 0)
    with made(library, port, paths) as server:
        assert server.start(threading.Event())
        assert paths == []
        assert get(port, "/") == 200
        assert get(port, "/config") == 200
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")


def test_a_start_of_minutes_is_no_fault(library: Library) -> None:
    port, may_start = free_port(HOST, 0), threading.Event()
    patient = NeverStopped(180.0, may_start)
    with made(library, port, [], may_start) as server:
        assert server.start(patient)
        assert patient.waited >= 180.0
        assert get(port, "/") == 200


def test_a_start_that_is_stopped(library: Library) -> None:
    stopped = threading.Event()
    stopped.set()
    with made(library, free_port(HOST, 0), [], threading.Event()) as server:
        assert server.start(stopped) is False


def test_a_port_that_another_program_has_taken_is_named(library: Library) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with (
            made(library, port, []) as server,
            pytest.raises(RagError, match=f"{HOST}, port {port}.*--port"),
        ):
            server.start(threading.Event())


def test_a_handler_reads_no_file_that_was_not_uploaded(library: Library) -> None:
    """Gradio checks that only of a page that says it has been launched."""
    with made(library, free_port(HOST, 0), []) as server:
        assert server.page.has_launched


def test_a_signal_that_comes_while_it_is_waited_for_is_heard() -> None:
    """The handler may run within `wait` at any point of it."""
    for _ in range(200):
        stop = Stop()
        before = signal.signal(signal.SIGALRM, lambda *_, stop=stop: stop.set())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            while not stop.wait(0.0001):
                pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert stop.wait()


@pytest.mark.slow
def test_the_command_serves_from_a_fresh_process(tmp_path: Path) -> None:
    """Other tests fork their servers from a process that has imported everything; people start it cold.

    Nothing can be written where Gradio would keep its files: another user has that folder.
    """
    data, shared = tmp_path / "data", tmp_path / "tmp"
    command = [sys.executable, "-m", "rag_app", "--data-dir", str(data), "serve", "--port", "0"]
    env = {**os.environ, "RAG_APP_CONFIG": str(tmp_path / "settings.toml"), "TMPDIR": str(shared)}
    env.pop("GRADIO_TEMP_DIR", None)
    (tmp_path / "settings.toml").touch()
    shared.mkdir()
    (shared / "gradio").touch()  # no folder, which stops the tests' root as well
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if line.startswith("serving http://"):
                    break
            assert lines
            assert lines[-1].startswith("serving http://"), "".join(lines)
            with httpx.Client(timeout=120, trust_env=False, follow_redirects=True) as client:
                page = client.get(lines[-1].split()[1])
                assert (page.status_code, "<gradio-app" in page.text) == (200, True)
                taken = client.post(
                    page.url.join("/gradio_api/upload"), files={"files": ("secret.txt", b"the secret")}
                )
            file = Path(taken.json()[0])
            assert file.is_relative_to(data / "temporary")
            assert file.read_bytes() == b"the secret"
            for folder in (data, data / "temporary"):
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert [path.name for path in shared.iterdir()] == ["gradio"]
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            assert (process.wait(120), "Traceback" in rest) == (0, False), rest
            assert not file.exists()
        finally:
            process.kill()
