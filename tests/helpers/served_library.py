"""A library that is served, in a process of its own, and questions to it past the command line."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ingestion.storage.lock import read_holder
from rag_app.config.settings import CONFIG_VARIABLE
from tests.helpers.processes import ForkedProcess, fork_server


@dataclass(frozen=True)
class Served:
    """Where a library is served, and who may ask."""

    data: Path
    port: int
    token: str
    process: ForkedProcess

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        """Return a client that may ask, for what `ask` below is too simple."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False)

    def ask(
        self, method: str, path: str, fields: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send one request, by default as somebody who may; return status and body (parsed if JSON)."""
        usual = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            body = fields if isinstance(fields, (bytes, type(None))) else json.dumps(fields)
            sent = {**usual, "Content-Type": "application/json", **(headers or {})}
            connection.putrequest(method, path, skip_host=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if body is not None and "Transfer-Encoding" not in sent and "Content-Length" not in sent:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body.encode() if isinstance(body, str) else body)
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.getheader("content-type") == "application/json"
            return answer.status, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()


@contextmanager
def serving_copy(template: Path, folder: Path, **variables: str) -> Iterator[Served]:
    """Serve a copy of a closed library, with default settings but for the variables."""
    (folder / "settings.toml").touch()
    shutil.copytree(template, folder / "data")
    with serving(folder / "data", **{CONFIG_VARIABLE: str(folder / "settings.toml"), **variables}) as running:
        yield running


@contextmanager
def serving(data: Path, **variables: str) -> Iterator[Served]:
    """Serve the library on a free port until the end of the block; it must end well."""
    with fork_server().start(
        ["--data-dir", data, "serve", "--port", "0"],
        env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        found = re.search(r"serving http://127\.0\.0\.1:(\d+)", line)
        assert found, line + process.stderr.read()
        holder = read_holder(data)
        assert holder
        assert holder.token
        yield Served(data, int(found[1]), holder.token, process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, ""), errors
