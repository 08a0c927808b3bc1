"""Files into the library: one definite result each, progress, cancelling."""

import os
import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import pytest

from ingestion.errors import Cancelled, InvalidInput
from ingestion.library import Library
from ingestion.pipeline.folder_sync import find_files
from ingestion.pipeline.ingest import ingest
from ingestion.pipeline.progress import IngestProgress, IngestResult, IngestStage
from ingestion.storage.catalogue.records import Document, JournalEntry
from tests.helpers.store_contents import assert_whole, everything


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def run(library: Library, *paths: Path, collection: str = "default") -> list[IngestResult]:
    return list(ingest(library, paths, collection=collection))


# Finding


def test_folders_are_searched_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    names = ("b.md", "a/z.TXT", "a/c.pdf", "a.txt", "x.wpd", ".hidden.txt", ".git/a.txt", "a/.x/b.txt")
    for name in names:
        write(tmp_path, name, "text")
    (tmp_path / "folder.txt").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in find_files([tmp_path])]
    assert found == ["a/c.pdf", "a/z.TXT", "a.txt", "b.md"]


def test_named_files_are_taken_as_they_are_and_once(tmp_path: Path) -> None:
    odd = write(tmp_path, "x.wpd", "text")
    hidden = write(tmp_path, ".a.txt", "text")
    visible = write(tmp_path, "b.txt", "text")
    assert find_files([odd, hidden, tmp_path / "missing.txt", odd, tmp_path]) == [
        odd, hidden, tmp_path / "missing.txt", visible,
    ]  # fmt: skip


def test_a_folder_named_like_a_hidden_one_may_itself_be_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, ".notes/a.txt", "text")
    assert find_files([path.parent]) == [path]


@pytest.mark.parametrize("names", [(), ("a.wpd", ".b.txt")], ids=["empty", "nothing supported"])
def test_a_folder_with_nothing_to_ingest(library: Library, tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in names:
        write(folder, name, "text")
    good = write(tmp_path, "good.txt", "Text.")
    with pytest.raises(
        InvalidInput, match=r"folder holds nothing to ingest; files that can be read end in \.csv, "
    ):
        run(library, good, folder)
    assert library.catalogue.documents() == []


# Many small files


def test_notes_are_committed_together(library: Library, tmp_path: Path) -> None:
    """A few commits, and so a few segments, hold them; a note whose bytes change meanwhile fails alone."""
    folder = tmp_path / "notes"
    for number in range(30):
        write(folder, f"{number:02}.txt", f"The ferry {number} sails at noon.")
    changed = folder / "07.txt"

    def change(step: IngestProgress) -> None:
        if step.name == changed.name and step.stage is IngestStage.ENCODING:
            changed.write_text("The ferry is cancelled.")

    versions: list[int] = []
    begin = library.catalogue.journal.begin

    def counted(
        kind: str, documents: Sequence[Document], segments: tuple[tuple[int, str], ...]
    ) -> list[JournalEntry]:
        versions.append(len(documents))
        return begin(kind, documents, segments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library.catalogue.journal, "begin", counted)
        results = list(ingest(library, [folder], on_progress=change))
    assert {result.name: result.status for result in results if result.status != "ok"} == {"07.txt": "failed"}
    (failed,) = (result for result in results if result.status != "ok")
    assert "changed while it was ingested" in str(failed.error)
    assert max(versions) > 1
    assert_whole(library)
    write(folder, "05.txt", "The ferry 5 sails at one.")
    again = {result.name: str(result.status) for result in ingest(library, [folder])}
    assert {name for name, status in again.items() if status == "ok"} == {"05.txt", "07.txt"}
    (replaced,) = (one for one in library.catalogue.documents() if one.name == "05.txt")
    assert replaced.version == 2
    assert_whole(library)
    library.delete(*library.catalogue.documents()[:20])
    assert_whole(library)


# Statuses


def test_each_kind_of_file_has_its_status_and_stops_no_other(
    library: Library, tmp_path: Path, write_pdf: Callable[..., Path]
) -> None:
    good = write(tmp_path, "good.md", "# Title\n\nSome text of it.")
    copy = write(tmp_path, "copy.md", good.read_bytes())
    pdf = write_pdf("two.pdf", "The first page.", "The second page.")
    results = run(
        library,
        good,
        good.parent / "." / "good.md",
        copy,
        write(tmp_path, "empty.txt", b""),
        write(tmp_path, "blank.txt", " \n\n "),
        tmp_path / "missing.txt",
        write(tmp_path, "sheet.wpd", "text"),
        write(tmp_path, "text.pdf", "This is no PDF."),
        write(tmp_path, "binary.txt", b"\0\1\2\3" * 50),
        pdf,
    )
    # Files end when they are done; that is in their order where one waits for the other.
    names = [result.name for result in results]
    assert names.index("good.md") < names.index("copy.md")
    assert {(result.name, str(result.status)) for result in results} == {
        ("good.md", "ok"),
        ("copy.md", "duplicate"),
        ("empty.txt", "no_text"),
        ("blank.txt", "no_text"),
        ("missing.txt", "failed"),
        ("sheet.wpd", "unsupported"),
        ("text.pdf", "corrupt"),
        ("binary.txt", "unsupported"),
        ("two.pdf", "ok"),
    }
    by_name = {result.name: result for result in results}
    first = by_name["good.md"]
    assert (first.path, first.error, first.pages, first.pages_failed, first.chunks) == (
        str(good),
        None,
        1,
        0,
        1,
    )
    assert [stage for stage, _ in first.timings_ms] == ["parse", "encode", "write"]
    assert all(milliseconds > 0 for _, milliseconds in first.timings_ms)
    duplicate = by_name["copy.md"]
    assert (duplicate.document_id, duplicate.sha256) == (first.document_id, first.sha256)
    assert duplicate.error == f"has the same bytes as good.md ({good})"
    assert (by_name["two.pdf"].pages, by_name["two.pdf"].chunks) == (2, 2)
    for result in results:
        if result.status not in ("ok", "duplicate"):
            assert result.document_id is None
            assert result.error
            assert result.name in result.error
            assert "\n" not in result.error
    assert_whole(library)
    again = run(library, good, copy, pdf)
    assert [str(result.status) for result in again] == ["unchanged"] * 3
    assert [result.document_id for result in again] == [first.document_id] * 2 + [
        by_name["two.pdf"].document_id
    ]


def test_a_link_is_the_file_that_it_names(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Text.")
    (tmp_path / "link.txt").symlink_to(path)
    statuses = [str(result.status) for result in run(library, path, tmp_path / "link.txt")]
    assert statuses == ["ok", "unchanged"]


def test_names_that_are_not_utf_8(library: Library, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    try:
        path.write_text("Coffee is roasted.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (result,) = run(library, path)
    assert (str(result.status), result.name) == ("ok", "caf\\udce9.txt")
    assert str(run(library, path)[0].status) == "unchanged"
    assert library.catalogue.documents()[0].name == "caf\\udce9.txt"
    assert_whole(library)


@pytest.mark.timeout(20)
def test_pipes_devices_and_loops_are_refused_at_once(library: Library, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    paths = [tmp_path / "pipe.txt", Path("/dev/zero"), tmp_path / "loop.txt", Path("nul\0.txt")]
    results = run(library, *paths)
    assert [str(result.status) for result in results] == ["failed"] * 4
    assert all(result.error and "cannot be read: " in result.error for result in results)


def test_collections_are_apart(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Text.")
    assert [str(run(library, path, collection=name)[0].status) for name in ("one", "two", "one")] == [
        "ok", "ok", "unchanged",
    ]  # fmt: skip
    assert {document.collection for document in library.catalogue.documents()} == {"one", "two"}
    with pytest.raises(InvalidInput, match="cannot name a collection"):
        run(library, path, collection="a/b")


def test_a_file_known_by_another_name_replaces_what_had_that_name(library: Library, tmp_path: Path) -> None:
    def upload(path: Path) -> IngestResult:
        (result,) = ingest(library, [path], source_path=lambda file: f"upload:{file.name}")
        return result

    first = upload(write(tmp_path, "x/report.txt", "The first version."))
    second = upload(write(tmp_path, "y/report.txt", "The second version."))
    assert (first.path, first.document_id) == (second.path, second.document_id)
    assert second.path == "upload:report.txt"
    assert_whole(library)


# IngestProgress and cancelling


def test_progress_only_goes_forward(library: Library, tmp_path: Path, write_pdf: Callable[..., Path]) -> None:
    long = write(tmp_path, "long.txt", "The tree stands by the north wall. " * 200)
    events: list[IngestProgress] = []
    paths = [long, write_pdf("two.pdf", "One.", "Two."), tmp_path / "missing.txt", long]
    list(ingest(library, paths, on_progress=events.append))
    assert {event.files for event in events} == {3}
    events.sort(key=lambda event: event.file)  # several are on their way at once
    assert {(event.file, event.name) for event in events} == {(1, "long.txt"), (2, "two.pdf")}
    order = list(IngestStage)
    for _, of_file in groupby(events, key=lambda event: event.file):
        listed = list(of_file)
        stages = [order.index(event.stage) for event in listed]
        assert stages == sorted(stages)
        assert set(stages) == {0, 1, 2}
        for _, of_stage in groupby(listed, key=lambda event: event.stage):
            steps = list(of_stage)
            done = [event.done for event in steps]
            assert done == sorted(done)
            assert steps[-1].done == steps[-1].total > 0


def test_cancelling_between_files_keeps_what_is_done(library: Library, files: Path) -> None:
    done: list[IngestResult] = []

    def work() -> None:
        done.extend(())
        for result in ingest(library, [files], cancelled=lambda: len(done) == 1):
            done.append(result)

    with pytest.raises(Cancelled):
        work()
    assert done[0].name in {document.name for document in library.catalogue.documents()}
    assert_whole(library)
    with pytest.raises(Cancelled):  # also where there is nothing to parse
        list(ingest(library, [files / done[0].name], cancelled=lambda: True))
    assert {str(result.status) for result in run(library, files)} <= {"unchanged", "ok"}
    assert len(library.catalogue.documents()) == 2
    assert_whole(library)


@pytest.mark.parametrize("stage", [IngestStage.PARSING, IngestStage.ENCODING])
def test_cancelling_within_a_file_leaves_nothing_of_it(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: IngestStage
) -> None:
    monkeypatch.setattr("ingestion.encoders.batches.BATCH_TOKENS", 1)
    path = write(tmp_path, "a.txt", "The tree stands by the north wall. " * 100)
    run(library, write(tmp_path, "old.txt", "Old text."))
    before = everything(library)
    seen: list[IngestProgress] = []
    with pytest.raises(Cancelled):
        list(
            ingest(
                library,
                [path],
                on_progress=seen.append,
                cancelled=lambda: bool(seen) and seen[-1].stage is stage,
            )
        )
    assert seen[-1].stage is stage
    assert everything(library) == before
    assert_whole(library)


def test_leaving_the_loop_early_keeps_what_is_done(library: Library, files: Path) -> None:
    for result in ingest(library, [files]):
        first = result.name
        break
    assert first in {document.name for document in library.catalogue.documents()}
    assert_whole(library)


def test_what_was_being_written_is_told_before_the_cancelling(library: Library, tmp_path: Path) -> None:
    (tmp_path / "apples.txt").write_text("Apples ripen late.")
    writing = threading.Event()

    def follow(progress: IngestProgress) -> None:
        if progress.stage is IngestStage.WRITING:
            writing.set()

    told: list[str] = []
    results = ingest(library, [tmp_path / "apples.txt"], on_progress=follow, cancelled=writing.is_set)
    with pytest.raises(Cancelled):
        told.extend(result.name for result in results)
    assert told == [document.name for document in library.catalogue.documents()] == ["apples.txt"]
