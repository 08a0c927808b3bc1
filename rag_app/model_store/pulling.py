"""Fetches a model from the hub, through a child process (`puller`)."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from ingestion.errors import Cancelled, ModelError
from ingestion.storage.durable import sync_folder
from rag_app.config.folders import make_private
from rag_app.llm.process.child import environment
from rag_app.model_store.lock import LockedFile, LockedModel, ModelLock
from rag_app.model_store.manifest import ModelEntry
from rag_app.model_store.puller import PART

HUB = "hub"
_POLL_SECONDS = 0.1
_END_SECONDS = 10.0
# Characters of a dead child's last line on standard error.
_MOST_SAID = 300


@dataclass(frozen=True, slots=True)
class PullProgress:
    """Progress of a pull in bytes; `total` is 0 until the hub has reported it."""

    name: str
    done: int
    total: int


def hub_folder(repo: str, commit: str) -> str:
    """Return the folder of a repository's files, relative to the models folder."""
    return f"{HUB}/{repo.replace('/', '--')}/{commit}"


def fetch(
    lock: ModelLock,
    entry: ModelEntry,
    *,
    on_progress: Callable[[PullProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> LockedModel:
    """Fetch a model's files, check their hashes, put them in place and record them.

    A recorded model is fetched with the same commit and hashes. A cut or cancelled pull keeps its part for
    the next pull. Raises ModelError, Cancelled.
    """
    assert entry.repo
    held = lock.of(entry)
    base = lock.folder / hub_folder(entry.repo, "")
    try:
        make_private(base)
        with FileLock(base / "pull.lock", timeout=0):
            if held:
                _reuse(lock, held, base)
            request = {
                "repo": entry.repo,
                "revision": held.commit if held else entry.revision,
                "patterns": list(entry.files),
                "folder": f"{base}{os.sep}",
                "recorded": {file.path: file.sha256 for file in held.files} if held else {},
            }
            done = _run(request, entry, on_progress, cancelled)
            return _place(lock, entry, done)
    except Timeout as error:
        raise ModelError(f"another process is pulling {entry.repo}; wait for it, or stop it") from error
    except OSError as error:
        raise ModelError(
            f"{entry.name} cannot be written to {lock.folder}: {error.strerror or error}; "
            "make the folder writable, or choose another one with --data-dir"
        ) from error


def _reuse(lock: ModelLock, held: LockedModel, base: Path) -> None:
    """Link the files that match the record into the folder where the puller looks for finished files."""
    bad = {fault.file for fault in lock.check(held, full=True)}
    part = base / f"{held.commit}{PART}"
    for file in held.files:
        source, target = lock.root(held) / file.path, part / file.path
        if file.path not in bad and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, so that it stays usable; copy it where links are impossible."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _place(lock: ModelLock, entry: ModelEntry, done: dict[str, Any]) -> LockedModel:
    """Move the files from the puller's folder to their own, then record them."""
    assert entry.repo
    commit, part = done["commit"], Path(done["folder"])
    folder = hub_folder(entry.repo, commit)
    files = tuple(LockedFile(**file) for file in done["files"])
    for file in files:
        target = lock.folder / folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        (part / file.path).replace(target)
        sync_folder(target.parent)
    model = LockedModel(entry.role, entry.name, entry.source, commit, folder, files)
    lock.put(model)
    shutil.rmtree(part)
    return model


def _run(
    request: dict[str, Any],
    entry: ModelEntry,
    on_progress: Callable[[PullProgress], None] | None,
    cancelled: Callable[[], bool] | None,
) -> dict[str, Any]:
    """Run the puller, and return its last event. The child ends with this function in any case."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "rag_app.model_store.puller"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(),
    )
    assert child.stdin
    assert child.stdout
    assert child.stderr
    events: queue.Queue[str | None] = queue.Queue()
    said: list[str | None] = []
    readers = [
        threading.Thread(target=_read, args=(child.stdout, events.put), daemon=True),
        threading.Thread(target=_read, args=(child.stderr, said.append), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        while True:
            if cancelled and cancelled():
                raise Cancelled(f"pulling {entry.name}")
            try:
                line = events.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if line is None:
                raise ModelError(_died(entry, child.wait(_END_SECONDS), said))
            event = json.loads(line)
            if event["event"] == "error":
                raise ModelError(event["message"])
            if event["event"] == "done":
                return dict(event)
            if event["event"] == "progress" and on_progress:
                on_progress(PullProgress(entry.name, event["done"], event["total"]))
    finally:
        child.kill()
        child.wait()
        for reader in readers:
            reader.join()
        with suppress(BrokenPipeError):
            child.stdin.close()
        child.stdout.close()
        child.stderr.close()


def _environment() -> dict[str, str]:
    """Return the environment of a process that may ask the hub, and no other host."""
    kept = {name: value for name, value in environment().items() if not name.endswith("_OFFLINE")}
    return {**kept, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def _read(stream: IO[str], take: Callable[[str | None], None]) -> None:
    """Pass on each line, then None."""
    for line in stream:
        take(line)
    take(None)


def _died(entry: ModelEntry, code: int, said: list[str | None]) -> str:
    last = " ".join(next((line for line in reversed(said) if line), "").split())[:_MOST_SAID]
    why = f"exit code {code}: {last}" if last else f"exit code {code}"
    return f"pulling {entry.name} ended without an answer ({why}); pull again"
