"""The sample PDFs are what docs/samples/build.py makes, and read well."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pypdfium2 as pdfium
import pytest
from pypdf import PdfReader

from tests.helpers.paths import SAMPLES

SENTENCES = {
    "bi-encoders": "Encoding each sentence once and comparing the vectors took about 5 seconds.",
    "colbert": "Its score is 2.51, so passage B comes first.",
    "cross-encoders": "Going from 6 to 12 layers halves the speed and gains 0.01 points.",
}
TABLE_ROWS = {
    "bi-encoders": "all-MiniLM-L6-v2 mean 384 256 wordpieces 22.7 million",
    "colbert": "blade 0.35 0.10 0.47 0.96 0.96",
    "cross-encoders": "ms-marco-MiniLM-L6-v2 74.30 39.01 1,800",
}


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """docs/samples/build.py, which belongs to no package, loaded by its path."""
    pytest.importorskip("fpdf", reason="fpdf2 makes the samples and is a development dependency")
    spec = importlib.util.spec_from_file_location("samples_build", SAMPLES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up here
    spec.loader.exec_module(module)
    return module


def page_lines(name: str) -> list[list[str]]:
    """PDFium's text, which is what ingestion reads, as the lines of each page."""
    with pdfium.PdfDocument(SAMPLES / f"{name}.pdf") as document:
        pages = []
        for page in document:
            text = page.get_textpage()
            pages.append([line.strip() for line in text.get_text_range().splitlines()])
            text.close()
            page.close()
    return pages


def headings(name: str) -> list[str]:
    lines = (SAMPLES / f"{name}.md").read_text(encoding="utf-8").splitlines()
    return [line.lstrip("# ") for line in lines if line.startswith("#")]


def test_there_are_three_samples(build: ModuleType) -> None:
    assert {path.stem for path in build.build()} == set(SENTENCES)


def test_the_committed_pdfs_are_what_the_script_makes(build: ModuleType) -> None:
    assert build.stale() == []
    assert build.main(["--check"]) == 0


def test_check_names_a_pdf_that_is_not_current(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.md").write_text("# Note\n\nA subtitle.\n\n## Part\n\nSome **bold** text.\n")
    monkeypatch.setattr(build.stale, "__defaults__", (tmp_path,))
    assert build.main(["--check"]) == 1
    assert "note.pdf is not current" in capsys.readouterr().err


def test_a_character_that_the_fonts_lack_is_refused(build: ModuleType) -> None:
    with pytest.raises(UnicodeEncodeError, match="\\\\u2013"):
        build.render("# A\n\nB \u2013 C\n")


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sample_has_a_title_an_outline_and_two_or_three_pages(name: str) -> None:
    reader = PdfReader(SAMPLES / f"{name}.pdf")
    title, *sections = headings(name)
    assert len(reader.pages) in {2, 3}
    assert reader.metadata is not None
    assert reader.metadata.title == title
    top, below = reader.outline
    assert not isinstance(top, list)
    assert top.title == title
    assert isinstance(below, list)
    assert [entry.title for entry in below if not isinstance(entry, list)] == sections


@pytest.mark.parametrize("name", SENTENCES)
def test_a_samples_text_reads_as_it_was_written(name: str) -> None:
    pages = page_lines(name)
    assert SENTENCES[name] in " ".join(line for page in pages for line in page)
    lines = [line for page in pages for line in page]
    assert TABLE_ROWS[name] in lines
    assert [line for line in lines if line in headings(name)] == headings(name)
    for number, page in enumerate(pages, start=1):
        assert page[-1].endswith(f"Page {number}")
