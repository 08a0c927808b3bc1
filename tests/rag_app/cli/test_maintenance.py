"""The commands that care for the whole library, each on a real one: what they print and return."""

import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow

CRANE = "When did the crane's cable break?"
COLLECTION = {"name", "documents", "pages", "chunks", "created", "instructions"}
REPORT = {
    "schema_version", "ok", "problems", "notes", "documents", "chunks", "segments", "vectors", "originals",
}  # fmt: skip


def damage(data: Path) -> None:
    """Turn over a byte in the middle of a document's token vectors."""
    segment = sorted((data / "tokens").glob("*.tok"))[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)


# Filters


def test_a_search_is_narrowed(run: Command, data: Path, stock: Path, tmp_path: Path) -> None:
    def found(*arguments: object) -> set[tuple[str, int]]:
        done = run("--data-dir", data, "search", CRANE, "--top-k", "50", *arguments, "--json")
        assert (done.code, done.err) == (0, "")
        return {(hit["document"], hit["page"]) for hit in done.json["hits"]}

    today, tomorrow = date.today(), date.today() + timedelta(days=1)  # noqa: DTZ011  # as people say it
    everything = {("harbour.pdf", 1), ("harbour.pdf", 2), ("orchard.md", 1)}
    assert found() == everything
    assert found("--pages", "2") == {("harbour.pdf", 2)}
    assert found("--pages", "1-1") == everything - {("harbour.pdf", 2)}
    assert found("--pages", "7-") == set()
    assert found("--type", "md") == {("orchard.md", 1)}
    assert found("--type", "md", "--type", ".pdf") == everything
    assert found("--document", "harbour.pdf", "--pages", "2-") == {("harbour.pdf", 2)}
    assert found("--folder", stock) == everything
    assert found("--folder", tmp_path) == set()
    assert found("--added-from", today) == everything
    assert found("--added-from", tomorrow) == set()
    assert found("--added-to", today - timedelta(days=1)) == set()
    answer = run("--data-dir", data, "ask", CRANE, "--type", "md", "--json").json
    assert {hit["document"] for hit in answer["nearest"]} == {"orchard.md"}
    listed = run("--data-dir", data, "documents", "--type", "md", "--json").json["documents"]
    assert [document["name"] for document in listed] == ["orchard.md"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pages", "7-3"), "'7-3'"),
        (("--pages", "x"), "'x'"),
        (("--added-from", "yesterday"), "added_from"),
        (("--added-to", "2026-13-01"), "added_to"),
    ],
)
def test_a_filter_that_makes_no_sense(
    run: Command, data: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run("--data-dir", data, "search", CRANE, *arguments, "--json")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err


# Collections


def test_collections_are_created_renamed_and_deleted(run: Command, own: Path, stock: Path) -> None:
    library = ("--data-dir", own, "collections")
    listed = run(*library, "--json")
    assert listed.json == run(*library, "list", "--json").json
    assert [collection.keys() for collection in listed.json["collections"]] == [COLLECTION]
    assert [(c["name"], c["documents"]) for c in listed.json["collections"]] == [("default", 2)]

    assert run(*library, "create", "taxes").out == "created taxes\n"
    assert run(*library, "create", "taxes", "--json").code == 2
    renamed = run(*library, "rename", "taxes", "rates", "--json").json
    assert [(c["name"], c["documents"]) for c in renamed["collections"]] == [("rates", 0)]
    assert run(*library, "rename", "default", "main").code == 2
    assert "rates" in run(*library).out

    # What holds nothing goes without a question.
    assert run(*library, "delete", "rates").out == "deleted rates: 0 documents\n"
    assert run(*library, "delete", "rates").code == 2


def test_a_collection_with_documents_is_deleted_only_when_confirmed(run: Command, own: Path) -> None:
    library = ("--data-dir", own, "collections", "delete", "default")
    for arguments in ((), ("--json",)):  # nobody is there to answer
        refused = run(*library, *arguments)
        assert (refused.code, refused.out) == (2, "")
        assert "--yes" in refused.err
    assert len(run("--data-dir", own, "documents", "--json").json["documents"]) == 2
    deleted = run(*library, "--yes", "--json")
    assert (deleted.code, deleted.json["collections"][0]["documents"]) == (0, 2)
    assert run("--data-dir", own, "documents", "--json").json["documents"] == []


# Verify, repair, compact, stats


def test_verify_finds_damage_and_repair_mends_it(run: Command, own: Path) -> None:
    library = ("--data-dir", own)
    sound = run(*library, "verify", "--json")
    assert (sound.code, sound.err, sound.json.keys()) == (0, "", REPORT)
    assert (sound.json["ok"], sound.json["documents"]) == (True, 2)
    assert run(*library, "verify").out.startswith("nothing is wrong; looked at 2 documents")

    damage(own)
    found = run(*library, "verify", "--json")
    assert (found.code, found.err, found.json["ok"]) == (1, "", False)
    assert found.json["problems"][0].keys() == {"store", "what", "document", "mend"}
    assert "rag-app repair" in run(*library, "verify").out
    checks = run(*library, "doctor", "--json")
    assert checks.code == 1
    assert "error" in {check["state"] for check in checks.json["checks"] if check["name"] == "tokens"}

    mended = run(*library, "repair", "--json")
    assert (mended.code, mended.err, mended.json.keys()) == (0, "", {"schema_version", "ok", "done", "left"})
    assert mended.json["ok"] is True
    assert mended.json["done"]
    assert run(*library, "verify").code == 0
    assert run(*library, "repair").out == "nothing was wrong\n"


def test_ctrl_c_cancels_long_work(run: Command, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep, pressed = time.sleep, list[Any]()

    def interrupted(seconds: float) -> None:
        if not pressed:
            pressed.append(seconds)
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr("rag_app.cli.progress.time.sleep", interrupted)
    done = run("--data-dir", own, "verify", "--json")
    assert (done.code, done.out) == (130, "")
    assert done.err == "rag-app: verify was stopped; what was finished before is kept\n"
    assert run("--data-dir", own, "verify").code == 0


def test_compact_gives_room_back(run: Command, own: Path) -> None:
    library = ("--data-dir", own)
    run(*library, "delete", "harbour.pdf")
    done = run(*library, "compact", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json.keys() == {"schema_version", "bytes_before", "bytes_after", "before", "after"}
    assert 0 < done.json["bytes_after"] <= done.json["bytes_before"]
    assert run(*library, "verify").code == 0


def test_stats_say_what_is_there(run: Command, data: Path) -> None:
    done = run("--data-dir", data, "stats", "--json")
    assert (done.code, done.err) == (0, "")
    assert {c["name"]: c["documents"] for c in done.json["collections"]} == {"default": 2, "harbour": 1}
    assert [each["name"] for each in done.json["representations"]] == ["builtin"]
    assert set(done.json["bytes"]) == {"catalogue", "chroma", "tokens", "originals"}
    shown = run("--data-dir", data, "stats").out
    assert "builtin" in shown
    assert "on the disk: catalogue" in shown


# Representations


def test_reindex_has_nothing_to_do_on_a_fresh_library(run: Command, own: Path) -> None:
    done = run("--data-dir", own, "reindex", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json.keys() == {
        "schema_version", "representation", "fingerprint", "codec", "documents", "chunks", "converted",
        "removed",
    }  # fmt: skip
    assert (done.json["representation"], done.json["documents"]) == ("builtin", 0)
    assert done.json["removed"] is False
    assert run("--data-dir", own, "reindex").out == "builtin is up to date\n"


def test_another_precision_is_another_reading_until_reindexed(
    run: Command, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_APP_ENCODER_PRECISION", "int8")
    refused = run("--data-dir", own, "search", CRANE, "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "rag-app reindex" in refused.err
    done = run("--data-dir", own, "reindex", "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.json["documents"], "int8" in done.json["fingerprint"]) == (2, True)
    hits = run("--data-dir", own, "search", CRANE, "--json").json["hits"]
    assert (hits[0]["document"], hits[0]["page"]) == ("harbour.pdf", 2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--representation", "other"), 2, "--model FOLDER"),
        (("--remove",), 2, "built-in representation stays"),
        (("--representation", "other", "--remove"), 2, "'other'"),
        (("--representation", "other", "--remove", "--model", "x"), 2, "--model"),
        (("--representation", "other", "--model", "no-such-model"), 1, "no-such-model"),
        (("--representation", "other", "--model", "bge-small-en-v1.5"), 1, "hf download"),
        (("--representation", "other", "--model", "LateOn"), 1, "hf download"),
        (("--codec", "int5"), 2, "int4-pool2"),
        (("--representation", "other", "--remove", "--codec", "int4"), 2, "--codec"),
    ],
)
def test_a_representation_that_cannot_be_made(
    run: Command, data: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run("--data-dir", data, "reindex", *arguments, "--json")
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert said in done.err


def test_tokens_take_less_room_in_another_codec(run: Command, own: Path) -> None:
    before = run("--data-dir", own, "stats", "--json").json["representations"][0]
    assert before["codec"] == "int8"
    assert before["section_bytes"]["codes"] == before["code_bytes"]
    done = run("--data-dir", own, "reindex", "--codec", "int4-pool2")
    assert done.code == 0
    assert done.out.startswith("builtin: converted 2 documents to int4-pool2, ")
    after = run("--data-dir", own, "stats", "--json").json["representations"][0]
    assert (after["codec"], after["documents"], after["tokens"]) == ("int4-pool2", 2, before["tokens"])
    assert before["code_bytes"] / 4 <= after["code_bytes"] < before["code_bytes"] / 3.5
    hits = run("--data-dir", own, "search", CRANE, "--strategy", "colbert", "--json").json["hits"]
    assert (hits[0]["document"], hits[0]["page"]) == ("harbour.pdf", 2)
    answer = run("--data-dir", own, "ask", CRANE, "--strategy", "colbert", "--json").json
    assert answer["citations"][0]["document"] == "harbour.pdf"
    assert run("--data-dir", own, "reindex", "--codec", "int4-pool2").out == "builtin is up to date\n"
    back = run("--data-dir", own, "reindex", "--codec", "int8")
    assert back.out.startswith("builtin: encoded 2 documents, ")
    assert run("--data-dir", own, "stats", "--json").json["representations"][0] == before


# Export and import


def test_a_library_goes_into_a_file_and_out_of_it(
    run: Command, data: Path, tmp_path: Path, encoder: Encoder
) -> None:
    archive = tmp_path / "library.zip"
    written = run("--data-dir", data, "export", archive, "--originals", "--json")
    assert (written.code, written.err) == (0, "")
    assert written.json.keys() == {
        "schema_version", "file", "documents", "chunks", "originals", "unreadable", "bytes",
    }  # fmt: skip
    assert (written.json["documents"], written.json["bytes"]) == (3, archive.stat().st_size)
    assert run("--data-dir", data, "export", archive).code == 2  # it exists
    some = run("--data-dir", data, "export", archive, "--force", "--collection", "harbour", "--json")
    assert some.json["documents"] == 1

    other = ("--data-dir", tmp_path / "other")
    read = run(*other, "import", archive, "--json")
    assert (read.code, read.err) == (0, "")
    assert read.json.keys() == {
        "schema_version", "file", "added", "replaced", "skipped", "encoded", "instructions",
        "instructions_left",
    }  # fmt: skip
    assert (read.json["added"], read.json["skipped"], read.json["encoded"]) == (1, 0, 0)
    assert run(*other, "import", archive, "--json").json["skipped"] == 1
    listed = run(*other, "documents", "--collection", "harbour", "--json").json["documents"]
    assert [document["name"] for document in listed] == ["harbour.pdf"]
    assert "9 May 1987" in run(*other, "ask", CRANE, "--collection", "harbour", "--json").json["answer"]
    assert run(*other, "verify").code == 0


def test_what_is_no_archive(run: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "note.zip").write_text("no archive")
    for file in ("note.zip", "missing.zip"):
        done = run("--data-dir", data, "import", tmp_path / file, "--json")
        assert (done.code, done.out) == (2, "")
        assert file in done.err
    assert run("--data-dir", data, "export", tmp_path / "x.zip", "--collection", "taxes").code == 2
    assert not (tmp_path / "x.zip").exists()


# A library that another command has


def test_a_holder_that_serves_nothing_is_named(run: Command, data: Path) -> None:
    with Assistant.open(Settings(data_dir=data)):
        done = run("--data-dir", data, "documents", "--json")
    assert (done.code, done.out) == (1, "")
    assert f"process {os.getpid()}" in done.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:1/", "nonsense"])
def test_a_note_that_names_no_server_is_as_good_as_none(run: Command, data: Path, url: str) -> None:
    from ingestion.storage.lock import announce

    with Assistant.open(Settings(data_dir=data)):
        announce(data, url=url, token="t")
        done = run("--data-dir", data, "documents", "--json")
    assert (done.code, done.out) == (1, "")
    assert f"process {os.getpid()}" in done.err


def test_a_stale_note_is_no_obstacle(run: Command, own: Path) -> None:
    note = {"pid": 1, "command": "x", "url": "http://127.0.0.1:9", "token": "t"}
    (own / "library.holder").write_text(json.dumps(note))
    assert run("--data-dir", own, "documents").code == 0
    assert not (own / "library.holder").exists()


# A library without its catalogue


def contents(data: Path) -> dict[str, bytes]:
    """Every file of a library but those that say who has it open."""
    held = ("library.lock", "library.holder")
    files = (path for path in sorted(data.rglob("*")) if path.is_file() and path.name not in held)
    return {str(path.relative_to(data)): path.read_bytes() for path in files if "logs" not in path.parts}


@pytest.mark.parametrize("way", ["missing", "empty", "another's"])
def test_no_command_opens_or_touches_a_library_that_lost_its_catalogue(
    run: Command, run_process: Command, own: Path, tmp_path: Path, way: str
) -> None:
    catalogue, fresh = own / "catalogue.sqlite3", tmp_path / "fresh"
    if way == "missing":
        catalogue.unlink()
    elif way == "empty":
        catalogue.write_bytes(b"")
    else:
        assert run("--data-dir", fresh, "documents").code == 0
        catalogue.write_bytes((fresh / "catalogue.sqlite3").read_bytes())
    (tmp_path / "note.txt").write_text("A note.")
    before = contents(own)
    for command in (
        ("documents",), ("stats",), ("verify",), ("repair",), ("repair", "--remove-orphans"), ("compact",),
        ("reindex",), ("collections",), ("jobs",), ("ask", CRANE), ("search", CRANE), ("summarise",),
        ("delete", "orchard.md"), ("ingest", tmp_path / "note.txt"), ("export", tmp_path / "x.zip"),
    ):  # fmt: skip
        done = run("--data-dir", own, *command)
        assert (done.code, done.out) == (1, ""), command
        assert str(catalogue) in done.err, command
        assert "2 originals" in done.err, command
        assert "rag-app repair --rebuild" in done.err, command
    served = run_process("--data-dir", own, "serve", "--port", "0")
    assert served.code == 1
    assert "rag-app repair --rebuild" in served.err
    left = contents(own)
    assert {name: left[name] for name in before if not name.endswith(("-wal", "-shm"))} == {
        name: content for name, content in before.items() if not name.endswith(("-wal", "-shm"))
    }

    rebuilt = run("--data-dir", own, "repair", "--rebuild", "--json")
    assert (rebuilt.code, rebuilt.json["documents"], rebuilt.json["lost"]) == (0, 2, [])
    assert "9 May 1987" in run("--data-dir", own, "ask", CRANE, "--json").json["answer"]
    assert Path(rebuilt.json["kept"]).is_dir()


def test_an_incomplete_rebuild_is_no_success(run: Command, own: Path) -> None:
    (own / "catalogue.sqlite3").unlink()
    for folder in ("names", "snapshots"):
        for file in (own / folder).glob("*"):
            file.unlink()
    done = run("--data-dir", own, "repair", "--rebuild")
    assert done.code == 1
    assert "without its name, collection and path: document-" in done.out
    assert "remove this folder when the library has what you need" in done.out


def test_orphans_are_moved_when_they_are_named(run: Command, own: Path) -> None:
    (own / "tokens" / "seg-a.tok").write_bytes(b"x")
    done = run("--data-dir", own, "repair")
    assert done.code == 1
    assert "rag-app repair --remove-orphans" in done.out
    assert (own / "tokens" / "seg-a.tok").exists()
    assert run("--data-dir", own, "repair", "--remove-orphans", "--rebuild").code == 2
    assert run("--data-dir", own, "repair", "--remove-orphans").code == 0
    assert [path.name for path in (own / "orphans").glob("*/tokens/*")] == ["seg-a.tok"]
