"""Importing a package does nothing: no variable, no socket, no file, and none of the slow libraries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

IMPORT = """
import os, sys

seen = []

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    acts = event in ("os.mkdir", "os.putenv", "os.fork", "subprocess.Popen")
    if writes or acts or event.startswith("socket."):
        seen.append(f"{event} {arguments!r}")

sys.addaudithook(watch)
before = dict(os.environ)
__import__(sys.argv[1])
changed = {name for name in before.keys() | os.environ.keys() if before.get(name) != os.environ.get(name)}
print("\\n".join([*seen, *sorted(changed)]))
"""
SLOW = """
import sys

__import__(sys.argv[1])
slow = ("torch", "transformers", "sentence_transformers", "chromadb", "gradio", "llama_cpp")
print("\\n".join(name for name in slow if name in sys.modules))
"""


def imported(code: str, package: str, folder: Path) -> str:
    """Import a package in a fresh process that begins in `folder`; return what the code saw."""
    done = subprocess.run(
        [sys.executable, "-c", code, package],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize("package", ["ingestion", "retrievers", "rag_app", "ui"])
def test_importing_a_package_does_nothing(tmp_path: Path, package: str) -> None:
    assert imported(IMPORT, package, tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "module", ["ingestion", "retrievers", "rag_app", "ui", "rag_app.cli", "rag_app.service.composition"]
)
def test_slow_libraries_wait_for_their_first_use(tmp_path: Path, module: str) -> None:
    assert imported(SLOW, module, tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
