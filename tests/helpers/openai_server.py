"""A stand-in for an OpenAI-compatible server, on loopback: it says what a test tells it to."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Event = dict[str, Any]
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


def delta(**fields: Any) -> Event:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def end(reason: str = "stop", **usage: Any) -> list[Event]:
    """The last events of an answer: why it ended, and what it used."""
    return [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {"choices": [], "usage": {**USAGE, **usage}},
    ]


@dataclass
class StandIn:
    """What the server says, and what it was asked.

    `pieces` are events (dicts), raw bytes, or functions that are called between them. `cut`: the connection
    breaks after them, in the middle of the answer. `keys` are those of the questions. `own` is the server's
    own API: what it answers at a path, or a function that gets the body of a request; `seen` are all paths,
    `api_keys` those of the requests that ask no question.
    """

    pieces: Sequence[Event | bytes | Callable[[], object]] = ()
    models: Sequence[Event] = ({"id": "small"},)
    status: int = 200
    error: str = "no reason"
    cut: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    api_keys: list[str | None] = field(default_factory=list)
    asked: list[Event] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def do_GET(self) -> None:
        self.stand_in.seen.append(self.path)
        self.stand_in.api_keys.append(self.headers.get("Authorization"))
        if self.path in self.stand_in.own:
            answer = self.stand_in.own[self.path]
            self._json(answer({}) if callable(answer) else answer)
        elif self.path == "/v1/models":
            self._json({"object": "list", "data": list(self.stand_in.models)})
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        stand_in = self.stand_in
        stand_in.seen.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path in stand_in.own:
            stand_in.api_keys.append(self.headers.get("Authorization"))
            answer = stand_in.own[self.path](body)
            self.send_error(404) if answer is None else self._json(answer)
            return
        if self.path != "/v1/chat/completions":
            self.send_error(404)
            return
        stand_in.keys.append(self.headers.get("Authorization"))
        stand_in.asked.append(body)
        if stand_in.status != 200:
            self._json({"error": {"message": stand_in.error}})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in stand_in.pieces:
                if callable(piece):
                    piece()
                else:
                    raw = piece if isinstance(piece, bytes) else f"data: {json.dumps(piece)}\n\n".encode()
                    self._chunk(raw)
            if not stand_in.cut:
                self._chunk(b"data: [DONE]\n\n")
                self._chunk(b"")
        except OSError:
            stand_in.left.set()
        self.close_connection = True

    def _chunk(self, raw: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        self.wfile.flush()

    def _json(self, content: Event) -> None:
        raw = json.dumps(content).encode()
        self.send_response(self.stand_in.status)
        for name, value in self.stand_in.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _QuietServer(ThreadingHTTPServer):
    """A server that says nothing of clients that leave."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve until the end of the block; its address is in `url`."""
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with _QuietServer(("127.0.0.1", 0), handler) as server:
        stand_in.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
