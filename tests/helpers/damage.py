"""Damage to each store of a data folder, and what a person sees of it: the commands that are run on it."""

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.commands import Run
from tests.helpers.processes import fork_server

QUESTION = "When was the Bramley apple tree planted?"
ANSWER = "1921"
# Characters of a message in a cell of the table.
MOST = 170
KINDS = ("missing", "empty", "cut", "flipped")

# Runs commands one after the other and prints how each ended; dies with the first one that kills it. To save
# time, the encoder is loaded once, and where Chroma is "sound", verifying does not look at it.
_COMMANDS = """
import contextlib, functools, io, json, sys
import ingestion.encoders, ingestion.maintenance.repairs, ingestion.maintenance.verification
from ingestion.maintenance.chroma import ChromaComparison
from rag_app import cli

ingestion.encoders.builtin_encoder = functools.cache(ingestion.encoders.builtin_encoder)
if sys.argv[2] == "sound":
    for module in (ingestion.maintenance.repairs, ingestion.maintenance.verification):
        module.compare = lambda *_: ChromaComparison()
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["rag-app", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class DataFolder:
    """A data folder with its settings file; `environment` makes commands use both."""

    place: Path

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def settings(self) -> Path:
        return self.place / "settings.toml"

    def run(self, *commands: Sequence[str], chroma: str = "damaged") -> list[Run]:
        """Run commands in one process. One that kills it has a negative code; the rest run in the next."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAG_APP_")},
            "RAG_APP_DATA_DIR": str(self.data), "RAG_APP_CONFIG": str(self.settings), "HOME": str(self.place),
        }  # fmt: skip
        ended: list[Run] = []
        while left := commands[len(ended) :]:
            with fork_server().start(
                [json.dumps(left), chroma],
                code=_COMMANDS,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                out, err = process.communicate(timeout=300)
            ended += [Run(*json.loads(line)) for line in out.splitlines()]
            if process.returncode != 0:
                ended.append(Run(process.returncode or 1, "", err))
        return ended


# Files and tables, each damaged in four ways


def damage_file(file: Path, kind: str, *, position: int | None = None) -> None:
    """Remove a file, empty it, cut it in half, or flip a bit of it: at a position, else in the middle."""
    data = bytearray(file.read_bytes())
    if kind == "missing":
        file.unlink()
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "cut":
        os.truncate(file, len(data) // 2)
    else:
        data[len(data) // 2 if position is None else position] ^= 1
        file.write_bytes(data)


def _catalogue(folder: DataFolder) -> Path:
    return folder.data / "catalogue.sqlite3"


def _damage_catalogue(folder: DataFolder, kind: str) -> None:
    """A bit is flipped in a text: in the year 1921."""
    file = _catalogue(folder)
    damage_file(file, kind, position=file.read_bytes().find(b"1921") + 2)


def _damage_log(folder: DataFolder, kind: str) -> None:
    """The write-ahead log of a process that was killed holds the last document."""
    file = folder.data / "catalogue.sqlite3-wal"
    assert file.stat().st_size
    damage_file(file, kind)


_WORDS = {
    "missing": "DELETE FROM chunk_index_data",
    "empty": "UPDATE chunk_index_data SET block = x'' WHERE id > 10",
    "cut": "UPDATE chunk_index_data SET block = substr(block, 1, length(block) / 2) WHERE id > 10",
    "flipped": "UPDATE chunk_index_data SET block = CAST(substr(block, 1, 40) || x'01' || substr(block, 42) "
    "AS BLOB) WHERE id > 10",
}


def _damage_words(folder: DataFolder, kind: str) -> None:
    with closing(sqlite3.connect(_catalogue(folder))) as connection:
        connection.execute(_WORDS[kind])
        connection.commit()


def _damage_chroma(folder: DataFolder, kind: str) -> None:
    """A bit is flipped in a vector."""
    file = folder.data / "chroma" / "chroma.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (vector,) = connection.execute("SELECT vector FROM embeddings_queue LIMIT 1").fetchone()
    damage_file(file, kind, position=file.read_bytes().find(vector[:64]) + 2)


def _damage_graphs(folder: DataFolder, kind: str) -> None:
    """The graphs of more than a thousand vectors; a bit is flipped in the header."""
    name = "header.bin" if kind == "flipped" else "data_level0.bin"
    files = list((folder.data / "chroma").rglob(name))
    assert files
    for file in files:
        damage_file(file, kind)


def _document(folder: DataFolder, sql: str) -> str:
    with closing(sqlite3.connect(_catalogue(folder))) as connection:
        return str(connection.execute(sql).fetchone()[0])


def _damage_segment(folder: DataFolder, kind: str) -> None:
    sql = "SELECT s.file FROM segments s JOIN documents d ON d.id = s.document_id WHERE d.name = 'orchard.md'"
    damage_file(folder.data / "tokens" / _document(folder, sql), kind)


def _damage_original(folder: DataFolder, kind: str) -> None:
    sha256 = _document(folder, "SELECT sha256 FROM documents WHERE name = 'orchard.md'")
    damage_file(folder.data / "originals" / sha256, kind)


def _damage_state(folder: DataFolder, kind: str) -> None:
    damage_file(folder.data / "state.sqlite3", kind, position=0)


def _damage_settings(folder: DataFolder, kind: str) -> None:
    damage_file(folder.settings, kind, position=0)


STORES: dict[str, Callable[[DataFolder, str], None]] = {
    "catalogue": _damage_catalogue,
    "catalogue's log": _damage_log,
    "index of words": _damage_words,
    "Chroma's database": _damage_chroma,
    "Chroma's graphs": _damage_graphs,
    "token segment": _damage_segment,
    "original": _damage_original,
    "history": _damage_state,
    "settings": _damage_settings,
}


# What is there


def contents(data: Path) -> dict[str, Any]:
    """Return the text of each document of a closed library by collection and name, and the originals."""
    with closing(sqlite3.connect(f"{(data / 'catalogue.sqlite3').as_uri()}?mode=ro", uri=True)) as connection:
        texts = connection.execute(
            "SELECT c.name, d.name, t.body, d.sha256 FROM documents d "
            "JOIN collections c ON c.id = d.collection_id JOIN texts t ON t.id = d.text_id"
        ).fetchall()
    return {
        f"{name} ({collection})": {
            "text": body,
            "original": (data / "originals" / sha256).read_bytes()
            if (data / "originals" / sha256).is_file()
            else None,
        }
        for collection, name, body, sha256 in texts
    }


def lost(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what there was before and is no more."""
    gone = [name for name in before if name not in after]
    for name in before.keys() & after.keys():
        gone += [
            f"the {part} of {name}"
            for part in ("text", "original")
            if before[name][part] is not None and before[name][part] != after[name][part]
        ]
    return sorted(gone)


def said(text: str, place: Path) -> str:
    """Return a message without what differs between two runs, for a cell of a table."""
    line = " ".join(text.split()).replace(str(place), "…").replace("|", "/")
    line = re.sub(r"…/data/(chroma|tokens)/[-0-9a-f]{8,}/?|[0-9a-f]{8}-[-0-9a-f]{27}/", "", line)
    line = re.sub(r"\b(seg-|merged-)?[0-9a-f]{8,}(\.tok)?\b", "…", line)
    return line if len(line) <= MOST else line[: MOST - 1] + "…"
