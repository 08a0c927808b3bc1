"""The child process that talks to the hub: `python -m rag_app.model_store.puller`.

It is a process of its own, because huggingface_hub reads HF_HUB_OFFLINE once, at its import, and everything
else stays offline. Standard input gets one JSON object that says what to fetch; standard output gives JSON
lines: {"event": "resolved" | "progress" | "done" | "error", …}. The process ends when standard input closes.

huggingface_hub finds the repository, its files and their hashes, and follows redirects with the person's
token. This module writes the bytes itself: snapshot_download (2.4, cache and local_dir alike) discards the
part of a file when a download is cut, and models are large.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO

from rag_app.model_store.lock import check_relative

PART = ".part"
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
# A cut loses at most this.
_BLOCK = 2**20
_REPORT_SECONDS = 0.2
_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0
_TIMEOUT_SECONDS = 30.0
# Stays free for the rest of the machine.
_SPARE_BYTES = 200 * 2**20


class PullRefused(Exception):
    """The pull cannot continue; the message is for people."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the repository, with its SHA-256 (a large file) or git's hash."""

    path: str
    bytes: int
    sha256: str | None
    blob: str


class EventWriter:
    """Writes events; progress at most five times a second."""

    def __init__(self, total: int = 0) -> None:
        self.done = 0
        self.total = total
        self._last = 0.0

    def say(self, event: str, **fields: Any) -> None:
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()

    def add(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self._last >= _REPORT_SECONDS or self.done >= self.total:
            self._last = now
            self.say("progress", done=self.done, total=self.total)


def main() -> None:
    """Serve the request on standard input."""
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    report = EventWriter()
    try:
        pull(request, report)
    except PullRefused as error:
        report.say("error", message=str(error))
        sys.exit(1)


def pull(request: Mapping[str, Any], report: EventWriter) -> None:
    """Fetch a repository's files into a folder, continuing an earlier pull.

    Args:
        request: repo, revision, patterns, folder (the commit is appended to its name), and recorded (path →
            the SHA-256 that it must have).

    Raises:
        PullRefused: The hub, a hash or the disk prevents it.
    """
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is its HTTP client's
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo, revision = request["repo"], request["revision"]
    try:
        commit, files = _listed(repo, revision, request["patterns"])
        _fetch_all(repo, commit, files, request, report)
    except GatedRepoError as error:
        raise PullRefused(
            f"{repo} is gated: accept its terms on the hub, and set HF_TOKEN to your token"
        ) from error
    except RevisionNotFoundError as error:
        raise PullRefused(f"{repo} has no revision {revision!r}; correct the source of the model") from error
    except RepositoryNotFoundError as error:
        raise PullRefused(
            f"the hub has no repository {repo}, or hides it from you ({_status(error)}); "
            "check the name, or set HF_TOKEN if it is private"
        ) from error
    except HfHubHTTPError as error:
        status = _status(error)
        denied = "; set HF_TOKEN to a token that may read it" if status in ("401", "403") else ""
        what = denied or "; the part received is kept, pull again later"
        raise PullRefused(f"the hub answered {status} for {repo}{what}") from error
    except HTTPError as error:
        raise PullRefused(
            f"the hub {endpoint()} cannot be reached ({type(error).__name__}: {error or 'no answer'}); "
            "check the network or HF_ENDPOINT. The part received is kept, pull again to continue"
        ) from error
    except OSError as error:
        raise PullRefused(
            f"{error.filename or 'a file'} cannot be written: {error.strerror or error}"
        ) from error


def _listed(repo: str, revision: str | None, patterns: list[str]) -> tuple[str, list[RemoteFile]]:
    """Return the commit of the revision, and its files that match the patterns."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    api = HfApi()
    commit = api.model_info(repo, revision=revision, timeout=_TIMEOUT_SECONDS).sha
    if commit is None or not _COMMIT.fullmatch(commit):  # a commit becomes a folder's name
        raise PullRefused(f"the hub returns no commit of {repo}; pull again later")
    files = [
        RemoteFile(file.path, file.size, file.lfs.sha256 if file.lfs else None, file.blob_id)
        for file in api.list_repo_tree(repo, recursive=True, revision=commit)
        if isinstance(file, RepoFile) and any(fnmatch(file.path, pattern) for pattern in patterns)
    ]
    missing = [one for one in patterns if "*" not in one and one not in {file.path for file in files}]
    if missing or not files:
        raise PullRefused(f"{repo} at {commit[:12]} has no {' '.join(missing or patterns)}; correct the list")
    return commit, files


def _fetch_all(
    repo: str, commit: str, files: list[RemoteFile], request: Mapping[str, Any], report: EventWriter
) -> None:
    for file in files:
        try:
            check_relative(file.path)
        except ValueError as error:
            raise PullRefused(f"{repo} cannot be pulled: {error}") from error
    folder = Path(f"{request['folder']}{commit}{PART}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    report.total = sum(file.bytes for file in files)
    report.say("resolved", commit=commit, folder=str(folder), files=[asdict(file) for file in files])
    waiting = [file for file in files if not _whole(folder / file.path, file)]
    needed = sum(file.bytes - _size(_part(folder / file.path)) for file in waiting)
    free = shutil.disk_usage(folder).free
    if needed and free < needed + _SPARE_BYTES:
        raise PullRefused(
            f"{repo} needs {needed // 10**6} MB more, and {folder.parent} has {free // 10**6} MB free; "
            "free some space, or choose another folder with --data-dir"
        )
    report.add(report.total - needed)
    done = []
    for file in files:
        if file in waiting:
            _fetch(repo, commit, file, folder, report)
        done.append(_checked(file, folder, request["recorded"].get(file.path)))
    report.say("done", commit=commit, folder=str(folder), files=done)


def _fetch(repo: str, commit: str, file: RemoteFile, folder: Path, report: EventWriter) -> None:
    """Fetch the missing part of a file, under a name that marks it as incomplete."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    path = folder / file.path
    part = _part(path)
    part.parent.mkdir(parents=True, exist_ok=True)
    if _size(part) > file.bytes:
        part.unlink()
    failed = 0
    with part.open("ab") as stream:
        while (start := stream.tell()) < file.bytes:
            try:
                for count in _stream(repo, commit, file, stream):
                    report.add(count)
                if stream.tell() < file.bytes:
                    raise PullRefused(
                        f"the hub ended {file.path} of {repo} too early; pull again to continue"
                    )
            except HfHubHTTPError:  # an answer, which another attempt would get again
                raise
            except HTTPError:
                failed = failed + 1 if stream.tell() == start else 1
                if failed == _ATTEMPTS:
                    raise
                time.sleep(_PAUSE_SECONDS)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def _stream(repo: str, commit: str, file: RemoteFile, stream: BinaryIO) -> Iterator[int]:
    """Append the bytes that follow the file's end; yield by how many bytes the file grew."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        build_hf_headers,
        hf_raise_for_status,
        http_stream_backoff,
    )

    start = stream.tell()
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with http_stream_backoff(
        "GET",
        hf_hub_url(repo, file.path, revision=commit),
        headers=headers,
        timeout=_TIMEOUT_SECONDS,
        retry_on_exceptions=(),
        retry_on_status_codes=(408, 429),
    ) as response:
        hf_raise_for_status(response)
        if start and response.status_code != 206:  # the hub sends the whole file again
            stream.seek(0)
            stream.truncate()
            yield -start
        for block in response.iter_bytes(_BLOCK):
            if stream.tell() + len(block) > file.bytes:
                stream.seek(0)
                stream.truncate()
                raise PullRefused(f"the hub sent more than the {file.bytes} bytes of {file.path}; pull again")
            stream.write(block)
            yield len(block)


def _checked(file: RemoteFile, folder: Path, recorded: str | None) -> dict[str, Any]:
    """Return a file's record. A file whose hash is wrong is deleted, and PullRefused raised."""
    path = folder / file.path
    found, git = _hashes(path)
    for expected, actual, who in (
        (recorded, found, "the first pull recorded"),
        (file.sha256, found, "the hub says"),
        (None if file.sha256 else file.blob, git, "the hub says"),
    ):
        if expected and expected != actual:
            path.unlink()
            raise PullRefused(
                f"{file.path} is not what {who}: its hash is {actual} instead of {expected}; "
                "it was deleted. Pull again; if that fails too, remove the model, and distrust its source"
            )
    stat = path.stat()
    return {"path": file.path, "bytes": stat.st_size, "sha256": found, "mtime_ns": stat.st_mtime_ns}


def _hashes(path: Path) -> tuple[str, str]:
    """Return a file's SHA-256, and git's SHA-1, which begins with "blob SIZE"."""
    sha256 = hashlib.sha256()
    git = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
            git.update(block)
    return sha256.hexdigest(), git.hexdigest()


def _whole(path: Path, file: RemoteFile) -> bool:
    return _size(path) == file.bytes and path.exists()


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _status(error: Any) -> str:
    return str(error.response.status_code) if error.response is not None else "no status"


def endpoint() -> str:
    """Return the hub's address."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def _end_with_parent() -> None:
    # Not sys.stdin: a waiting thread would hold its lock when the process ends.
    with suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)


if __name__ == "__main__":
    main()
