"""A stand-in for the hub, on loopback, and a models folder that lists what it serves."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from rag_app.config.settings import Settings
from rag_app.model_store.manifest import parse_line
from rag_app.model_store.store import ModelStore

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "owner/small"
LARGE = 4 * 2**20
# No two blocks are the same: what is put together wrongly is noticed.
WEIGHTS = b"GGUF" + np.arange(LARGE // 4 - 1, dtype=">u4").tobytes()
FILES = {"config.json": b'{"model_type": "bert"}', "model.safetensors": WEIGHTS}


@dataclass
class Hub:
    """What the stand-in serves, and what it was asked for. Files that end in .json are not large files."""

    files: dict[str, bytes]
    url: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    status: int | None = None  # instead of every answer
    error_code: str | None = None
    cut_after: int | None = None  # bytes of a large file after which the connection ends, and then 503
    wrong: bool = False  # other bytes than the tree says
    ranges: bool = True
    declared: int | None = None  # the size that the tree gives of a large file, instead of its own
    slow: threading.Event | None = None  # set when a large file is under way, which then never ends

    def ranges_of(self, name: str) -> list[str | None]:
        return [asked for path, asked in self.requests if path.endswith(f"/{name}")]


def _handler(hub: Hub, gone: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.requests.append((self.path, self.headers.get("Range")))
            if hub.status:
                headers = {"X-Error-Code": hub.error_code} if hub.error_code else {}
                return self._send(hub.status, b"{}", headers)
            if re.fullmatch(rf"/api/models/{REPO}(/revision/[^/]+)?", self.path):
                return self._send(200, json.dumps({"id": REPO, "sha": COMMIT, "siblings": []}).encode())
            if self.path.startswith(f"/api/models/{REPO}/tree/{COMMIT}"):
                return self._send(200, json.dumps([_tree(hub, name) for name in hub.files]).encode())
            prefix = f"/{REPO}/resolve/{COMMIT}/"
            if self.path.startswith(prefix) and self.path.removeprefix(prefix) in hub.files:
                return self._file(hub.files[self.path.removeprefix(prefix)])
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

        def _file(self, data: bytes) -> None:
            large = len(data) == LARGE
            if large and hub.cut_after == 0:
                self._send(503, b"")
                return
            asked = self.headers.get("Range")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and hub.ranges else 0
            body = bytes(reversed(data)) if hub.wrong and large else data
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("X-Repo-Commit", COMMIT)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if large and hub.slow:
                self.wfile.write(body[start : 2 * 2**20])
                self.wfile.flush()
                hub.slow.set()
                gone.wait()
                self.close_connection = True
            elif large and hub.cut_after:
                self.wfile.write(body[start : hub.cut_after])
                hub.cut_after = 0
                self.close_connection = True
            else:
                self.wfile.write(body[start:])

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _tree(hub: Hub, name: str) -> dict[str, object]:
    data = hub.files[name]
    git = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    entry: dict[str, object] = {"type": "file", "path": name, "size": len(data), "oid": git}
    if not name.endswith(".json"):
        entry["size"] = hub.declared or len(data)
        digest = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": digest, "size": entry["size"], "pointerSize": 130}
    return entry


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """Serve the stand-in on a free port of loopback until the end of the block."""
    hub, gone = Hub(dict(FILES)), threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub, gone))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        gone.set()
        server.shutdown()
        thread.join()
        server.server_close()


def hub_variables(hub: Hub) -> dict[str, str]:
    """Return the environment of a process that shall ask the stand-in and nobody else."""
    return {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "1",  # as in the application; the puller must not mind
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    }


def listed(data: Path, *lines: str) -> ModelStore:
    """A store whose own models.txt holds these lines."""
    store = ModelStore(Settings(data_dir=data))
    store.folder.mkdir(parents=True, exist_ok=True)
    for line in lines:
        parse_line(line)
    (store.folder / "models.txt").write_text("\n".join(lines) + "\n")
    return store


SMALL = f"reranker | small | hf:{REPO} | *.json *.safetensors | MIT | 4 | 10 | for tests"
