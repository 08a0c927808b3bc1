"""Importing a package does nothing: no variable, no socket, no file, and none of the slow libraries."""

import os
import subprocess
import sys
from pathlib import Path

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
for module in sys.argv[1:]:
    __import__(module)
changed = {name for name in before.keys() | os.environ.keys() if before.get(name) != os.environ.get(name)}
print("\\n".join([*seen, *sorted(changed)]))
"""
SLOW = """
import sys

for module in sys.argv[1:]:
    __import__(module)
slow = ("torch", "transformers", "sentence_transformers", "chromadb", "gradio", "llama_cpp")
print("\\n".join(name for name in slow if name in sys.modules))
"""


def imported(code: str, folder: Path, *modules: str) -> str:
    """Import modules in a fresh process that begins in `folder`; return what the code saw."""
    done = subprocess.run(
        [sys.executable, "-c", code, *modules],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_importing_a_package_does_nothing(tmp_path: Path) -> None:
    assert imported(IMPORT, tmp_path, "ingestion", "retrievers", "rag_app", "ui") == ""
    assert list(tmp_path.iterdir()) == []


def test_slow_libraries_wait_for_their_first_use(tmp_path: Path) -> None:
    modules = ("ingestion", "retrievers", "rag_app", "ui", "rag_app.cli", "rag_app.service.composition")
    assert imported(SLOW, tmp_path, *modules) == ""
    assert list(tmp_path.iterdir()) == []
