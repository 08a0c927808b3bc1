"""Nothing leaves the machine: ingest, search and ask, with every way out watched and shut."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.drawn_page import drawn
from tests.helpers.paths import ROOT

OUTSIDE = "203.0.113.7"  # TEST-NET-3 of RFC 5737: nobody's address

# Python runs this at the start of every process below, those of the parser and of the model included.
WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        target = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        target = arguments
    else:
        return
    if not isinstance(target, tuple):
        return  # a path: a socket within this machine
    host = target[0].decode() if isinstance(target[0], bytes) else target[0]
    if host not in ("localhost", "127.0.0.1", "::1", "", None):
        with open(os.environ["OUTBOUND_LOG"], "a") as log:
            log.write(f"{event} {target!r}\\n")
        raise OSError(f"{event} to {host} is shut")

sys.addaudithook(watch)
"""

# Several commands in one process, as their console script calls them.
COMMANDS = """
import sys
from rag_app.cli import main

for line in sys.stdin.read().splitlines():
    sys.argv = ["rag-app", *line.split("|")]
    try:
        main()
    except SystemExit as stopped:
        print("exit", stopped.code, flush=True)
"""


def watched(folder: Path, code: str, commands: str = "", **env: str) -> tuple[str, str]:
    """Run Python code whose connections are logged and refused; return its output and that log."""
    (folder / "sitecustomize.py").write_text(WATCH)
    log = folder / "outbound.log"
    log.touch()
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=commands,
        env={
            **os.environ,
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")])
            ),
            "OUTBOUND_LOG": str(log),
            **env,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr, log.read_text()


@pytest.mark.slow
def test_no_command_opens_a_connection(stock: Path, gguf: Path, tmp_path: Path) -> None:
    question = "When was the Bramley apple tree planted?"
    scan = tmp_path / "scan.png"
    drawn()[0].save(scan)
    commands = (
        f"ingest|{stock}",
        f"ingest|{scan}",
        f"ask|{question}",
        f"ask|{question}|--llm|{gguf}",
        f"search|{question}|--rerank|nobody/no-such-model",
        "doctor",
        "models|list",
    )
    # The shell of somebody who has LangSmith watch other work.
    tracing = {"LANGCHAIN_TRACING_V2": "true", "LANGCHAIN_API_KEY": "none"}
    output, log = watched(
        tmp_path, COMMANDS, "\n".join(commands), RAG_APP_DATA_DIR=str(tmp_path / "data"),
        RAG_APP_LLM_MAX_TOKENS="16", RAG_APP_FIND_SERVERS="true", **tracing,
    )  # fmt: skip
    assert [line for line in output.splitlines() if line.startswith("exit ")] == [
        "exit 0", "exit 0", "exit 0", "exit 0", "exit 1", "exit 0", "exit 0",
    ]  # fmt: skip
    assert "scan.png ok 1 page" in output
    assert "It was planted in 1921 by Ada Finch." in output
    assert "nobody/no-such-model is not on this machine" in output
    assert log == ""


@pytest.mark.parametrize(
    "reach",
    [
        f"socket.create_connection(({OUTSIDE!r}, 80), timeout=1)",
        "socket.getaddrinfo('example.org', 80)",
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ({OUTSIDE!r}, 53))",
    ],
)
def test_the_watch_sees_what_it_is_for(tmp_path: Path, reach: str) -> None:
    """Else the test above could not fail."""
    output, log = watched(tmp_path, f"import socket; {reach}")
    assert "is shut" in output
    assert OUTSIDE in log or "example.org" in log
