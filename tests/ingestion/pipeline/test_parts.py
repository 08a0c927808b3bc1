"""Files inside a PDF are documents of their own, which come, move and go with it."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pypdf
import pytest
from fpdf import FPDF

from ingestion.documents import Status
from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.maintenance import verify
from ingestion.maintenance.rebuilding import rebuild
from ingestion.maintenance.reindex import reindex
from ingestion.parsing import ParseLimits, parse
from ingestion.pipeline.context import IngestContext
from ingestion.pipeline.folder_sync import remove_gone
from ingestion.pipeline.ingest import ingest
from ingestion.pipeline.parsing_stage import ChunkedDocument
from ingestion.pipeline.parts import PartsReader
from ingestion.pipeline.progress import IngestResult
from ingestion.pipeline.writing_stage import write
from ingestion.storage.originals import Source, hash_file
from retrievers.search import search
from retrievers.strategies import strategy_named
from tests.helpers.store_contents import assert_whole

pytestmark = pytest.mark.slow

TERMS = b"The notice period is ninety days.\n"
PRICES = b"A crate of pears costs forty euros.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "letters"
    folder.mkdir()
    return folder


def offer(path: Path, **parts: bytes) -> Path:
    plain = FPDF()
    plain.add_page()
    plain.set_font("Helvetica", size=12)
    plain.cell(text="Our offer; the terms are attached.")
    plain.output(str(path))
    writer = pypdf.PdfWriter(path)
    for name, data in parts.items():
        writer.add_attachment(name.replace("_", "."), data)
    writer.write(path)
    return path


def added(library: Library, *paths: Path) -> list[IngestResult]:
    return list(ingest(library, paths))


def names(library: Library) -> list[str]:
    return [document.name for document in library.catalogue.documents()]


def found(library: Library, question: str) -> list[str]:
    hits = search(library, question, strategy_named("bm25"), library.catalogue.scope()).hits
    return [hit.chunk.document for hit in hits]


def test_a_part_is_found_and_cited_by_its_own_name(library: Library, folder: Path) -> None:
    (result,) = added(library, offer(folder / "offer.pdf", terms_txt=TERMS, prices_txt=PRICES))
    assert (result.status, result.warnings) == (Status.OK, ())
    assert names(library) == ["offer.pdf", "offer.pdf › prices.txt", "offer.pdf › terms.txt"]
    assert found(library, "notice period") == ["offer.pdf › terms.txt"]
    (part,) = library.catalogue.find("offer.pdf › terms.txt", (1,))
    assert library.original(part.sha256).read_bytes() == TERMS
    assert not list((library.folder / "unpacked").iterdir())
    assert verify(library).ok


def test_what_is_not_read_is_a_warning_of_its_container(library: Library, folder: Path) -> None:
    inner = offer(folder / "inner.pdf", deep_txt=b"The deepest secret is a pear.", deep_gif=b"GIF89a")
    data = inner.read_bytes()
    inner.unlink()
    (result,) = added(library, offer(folder / "offer.pdf", inner_pdf=data, all_zip=b"PK", bad_pdf=b"no"))
    assert names(library) == ["offer.pdf", "offer.pdf › inner.pdf", "offer.pdf › inner.pdf › deep.txt"]
    (document,) = library.catalogue.find("offer.pdf", (1,))
    assert document.warnings == result.warnings
    warnings = sorted(result.warnings)
    assert len(warnings) == 3
    for warning, part in zip(
        warnings,
        ("offer.pdf › all.zip", "offer.pdf › bad.pdf", "offer.pdf › inner.pdf › deep.gif"),
        strict=True,
    ):
        assert f"The attached file '{part}' is not in the library: " in warning


def test_parts_go_with_their_container(library: Library, folder: Path) -> None:
    added(library, offer(folder / "offer.pdf", terms_txt=TERMS), folder / "offer.pdf")
    container, part = library.catalogue.documents()
    library.delete(container, part)
    assert names(library) == []
    assert not list((library.folder / "originals").iterdir())
    added(library, folder / "offer.pdf")
    assert len(names(library)) == 2
    library.unlink(1, str(folder / "offer.pdf"))
    assert names(library) == []
    assert_whole(library)


def test_parts_have_a_limit_of_text_together(library: Library, folder: Path) -> None:
    path = offer(folder / "offer.pdf", prices_txt=PRICES, terms_txt=TERMS)
    (result,) = ingest(library, [path], limits=ParseLimits(max_characters=50))
    assert names(library) == ["offer.pdf", "offer.pdf › prices.txt"]
    (warning,) = result.warnings
    assert warning == (
        "The attached file 'offer.pdf › terms.txt' is not in the library: the files inside its container "
        "have more than 50 characters together."
    )


def test_a_new_version_forgets_the_parts_that_it_lacks(library: Library, folder: Path) -> None:
    added(library, offer(folder / "offer.pdf", terms_txt=TERMS, prices_txt=PRICES))
    before = {d.name: d.id for d in library.catalogue.documents()}
    added(library, offer(folder / "offer.pdf", terms_txt=TERMS, more_txt=b"Delivery takes a week."))
    after = {d.name: d.id for d in library.catalogue.documents()}
    assert sorted(after) == ["offer.pdf", "offer.pdf › more.txt", "offer.pdf › terms.txt"]
    assert after["offer.pdf › terms.txt"] == before["offer.pdf › terms.txt"]
    assert found(library, "pears") == []
    added(library, offer(folder / "offer.pdf"))
    assert names(library) == ["offer.pdf"]
    assert_whole(library)


def test_parts_move_with_their_container(library: Library, folder: Path) -> None:
    added(library, offer(folder / "offer.pdf", terms_txt=TERMS))
    (folder / "offer.pdf").rename(folder / "final.pdf")
    added(library, folder)
    remove_gone(library, folder, "default")
    assert names(library) == ["final.pdf", "final.pdf › terms.txt"]
    assert found(library, "notice period") == ["final.pdf › terms.txt"]


def test_bytes_that_lie_in_two_files_stay_while_one_has_them(library: Library, folder: Path) -> None:
    added(
        library,
        offer(folder / "a.pdf", terms_txt=TERMS),
        offer(folder / "b.pdf", terms_txt=TERMS, x_txt=b"X y."),
    )
    (part,) = (d for d in library.catalogue.documents() if d.name.endswith("terms.txt"))
    assert sorted(library.catalogue.sources.of(part.id)) == [
        f"{folder}/a.pdf › terms.txt", f"{folder}/b.pdf › terms.txt",
    ]  # fmt: skip
    library.delete(library.catalogue.find("a.pdf", (1,))[0])
    assert library.catalogue.sources.of(part.id) == [f"{folder}/b.pdf › terms.txt"]
    assert found(library, "notice period") == ["b.pdf › terms.txt"]


def test_mirroring_a_folder_keeps_the_parts(library: Library, folder: Path) -> None:
    added(library, offer(folder / "offer.pdf", terms_txt=TERMS))
    assert remove_gone(library, folder, "default") == []
    offer(folder / "other.pdf")
    (folder / "offer.pdf").unlink()
    assert str(folder / "offer.pdf") in remove_gone(library, folder, "default")
    assert names(library) == []


def test_a_container_without_text_has_its_parts(library: Library, folder: Path) -> None:
    empty = FPDF()
    empty.add_page()
    empty.output(str(folder / "cover.pdf"))
    writer = pypdf.PdfWriter(folder / "cover.pdf")
    writer.add_attachment("terms.txt", TERMS)
    writer.write(folder / "cover.pdf")
    (result,) = added(library, folder / "cover.pdf")
    assert result.status is Status.NO_TEXT
    assert "the files inside it are documents of their own" in (result.error or "")
    assert names(library) == ["cover.pdf › terms.txt"]


def test_a_file_that_is_read_again_says_which_parts_are_not_there(library: Library, folder: Path) -> None:
    added(library, offer(folder / "offer.pdf", terms_txt=TERMS, all_zip=b"PK"))
    library.delete(*library.catalogue.find("offer.pdf › terms.txt", (1,)))
    with library.catalogue.transaction() as connection:
        connection.execute("UPDATE documents SET reader = 1")
    reindex(library)
    (document,) = library.catalogue.documents()
    assert sorted(warning.split("'")[1] for warning in document.warnings) == [
        "offer.pdf › all.zip", "offer.pdf › terms.txt",
    ]  # fmt: skip


def test_parts_and_warnings_come_back_without_the_catalogue(
    tmp_path: Path, encoder: Encoder, folder: Path
) -> None:
    with Library.open(tmp_path / "data", encoder) as library:
        added(library, offer(folder / "offer.pdf", terms_txt=TERMS, all_zip=b"PK"))
    for file in (tmp_path / "data").glob("catalogue.sqlite3*"):
        file.unlink()
    rebuild(tmp_path / "data", encoder)
    with Library.open(tmp_path / "data", encoder) as library:
        container, part = library.catalogue.documents()
        assert (container.name, part.name) == ("offer.pdf", "offer.pdf › terms.txt")
        assert ["all.zip" in warning for warning in container.warnings] == [True]
        assert found(library, "notice period") == ["offer.pdf › terms.txt"]
        library.delete(container)
        assert names(library) == []


def test_a_fault_that_ends_a_part_is_a_warning_of_its_container(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(context: IngestContext, batch: Sequence[ChunkedDocument]) -> list[IngestResult]:
        if any(item.is_part for item in batch):
            raise MemoryError
        return write(context, batch)

    monkeypatch.setattr("ingestion.pipeline.ingest.write", failing)
    (result,) = added(library, offer(folder / "offer.pdf", terms_txt=TERMS))
    assert result.status is Status.OK
    (warning,) = result.warnings
    assert "terms.txt' is not in the library" in warning
    assert "memory" in warning
    assert names(library) == ["offer.pdf"]
    assert_whole(library)


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return path


def test_files_of_an_archive_are_found_and_cited_by_their_names(library: Library, folder: Path) -> None:
    message = b"From: ada@example.org\nSubject: Pears\n\nThe pears are ripe in October.\n"
    old = packed(folder / "old.zip", letters__terms_txt=TERMS, pears_eml=message, bad_pdf=b"no", a_gif=b"x")
    (result,) = added(library, old)
    assert result.status is Status.OK
    assert names(library) == ["old.zip", "old.zip › letters∕terms.txt", "old.zip › pears.eml"]
    assert found(library, "notice period") == ["old.zip › letters∕terms.txt"]
    assert found(library, "ripe pears")[0] == "old.zip › pears.eml"
    bad, other = result.warnings
    assert "'old.zip › bad.pdf' is not in the library: 'bad.pdf' is not a PDF" in bad
    assert other == (
        "The attached file 'old.zip › a.gif' is not in the library: files of its type are not read."
    )
    assert verify(library).ok


def test_archives_in_archives_are_read_to_a_depth(library: Library, folder: Path) -> None:
    data = b"the deepest pear " * 20
    for depth in range(4):
        inner = packed(folder / "inner.zip", **{f"at{depth}_txt": b"pear %d" % depth, "next_zip": data})
        data = inner.read_bytes()
        inner.unlink()
    outer = folder / "outer.zip"
    outer.write_bytes(data)
    (result,) = added(library, outer)
    assert result.status is Status.OK
    assert "outer.zip › next.zip › at2.txt" in names(library)
    assert not any(name.endswith("at1.txt") for name in names(library))
    assert any("it lies too deep" in warning for warning in result.warnings)


def test_archives_in_archives_share_one_limit_of_size(folder: Path, tmp_path: Path) -> None:
    inner = packed(folder / "inner.zip", a_txt=TERMS * 30)
    outer = packed(folder / "outer.zip", one_zip=inner.read_bytes(), two_zip=inner.read_bytes())
    limits = ParseLimits(max_bytes=1_500)
    reader = PartsReader(tmp_path / "unpacked", password=None, limits=limits, cancelled=None)
    source = Source(str(outer), outer.name, *hash_file(outer), outer)
    read = [part.source.name for part in reader.read(source, parse(outer, limits=limits))]
    assert "outer.zip › one.zip › a.txt" in read
    assert "outer.zip › two.zip › a.txt" not in read
    assert any("two.zip › a.txt' is not in the library" in warning for warning in reader.warnings)
