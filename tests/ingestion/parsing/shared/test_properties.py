"""What files say of themselves beside their text, each format in its own way."""

import zipfile
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from fpdf import FPDF

from ingestion.documents import FileProperties
from ingestion.parsing import parse
from tests.helpers.reading import make_docx, make_epub, repack

ADA = "Ada Lovelace"


def test_a_pdf(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.set_author(f" {ADA}\n")
    pdf.set_subject("Pumps")
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.cell(text="Water")
    pdf.output(str(tmp_path / "a.pdf"))
    assert parse(tmp_path / "a.pdf").properties == FileProperties(author=ADA, subject="Pumps")


def test_office_files(tmp_path: Path) -> None:
    word, deck, book = docx.Document(), pptx.Presentation(), openpyxl.Workbook()
    word.add_paragraph("Water")
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Water"
    book.worksheets[0]["A1"] = "Water"
    word.core_properties.author, word.core_properties.subject = ADA, "Pumps"
    deck.core_properties.author, deck.core_properties.subject = ADA, "Pumps"
    book.properties.creator, book.properties.subject = ADA, "Pumps"
    word.save(str(tmp_path / "a.docx"))
    deck.save(str(tmp_path / "a.pptx"))
    book.save(tmp_path / "a.xlsx")
    for suffix in ("docx", "pptx", "xlsx"):
        found = parse(tmp_path / f"a.{suffix}").properties
        assert (found.author, found.subject) == (ADA, "Pumps")


@pytest.mark.parametrize(
    ("company", "expected"), [("<Company>Acme Ltd</Company>", "Acme Ltd"), ("<Company>", "")]
)
def test_the_company_of_an_office_file(tmp_path: Path, company: str, expected: str) -> None:
    make_docx(tmp_path / "a.docx")
    data = f'<Properties xmlns="x">{company}</Properties>'.encode()
    parsed = parse(repack(tmp_path / "a.docx", tmp_path / "b.docx", {"docProps/app.xml": data}))
    assert parsed.status == "ok"  # a broken part loses nothing else
    assert parsed.properties.organisation == expected


def test_a_book(tmp_path: Path) -> None:
    make_epub(tmp_path / "a.epub")
    with zipfile.ZipFile(tmp_path / "a.epub") as archive:
        package = archive.read("OEBPS/book.opf").decode()
    said = f"<dc:creator>{ADA}</dc:creator><dc:publisher>Acme</dc:publisher><dc:date>1998-05-04</dc:date>"
    changed = {"OEBPS/book.opf": package.replace("</metadata>", f"{said}</metadata>").encode()}
    found = parse(repack(tmp_path / "a.epub", tmp_path / "b.epub", changed)).properties
    assert found == FileProperties(ADA, "Acme", "", "1998-05-04")


def test_pages_of_the_web_and_markdown(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        f'<meta name="Author" content="{ADA}"><meta property="og:site_name" content="Acme">'
        '<meta name="publisher" content="Other"><meta property="article:published_time" content="2021-05-04">'
        "<p>Water</p>",
        "utf-8",
    )
    (tmp_path / "a.md").write_text(
        f'---\ntitle: "Pumps"\nauthor: {ADA}\norganization: Acme\ndate: 2021-05-04\n---\n\nWater\n', "utf-8"
    )
    expected = FileProperties(ADA, "Acme", "", "2021-05-04")
    assert parse(tmp_path / "a.html").properties == expected
    assert parse(tmp_path / "a.md").properties == expected
    assert parse(tmp_path / "a.md").title == "Pumps"


def test_a_file_that_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Water", "utf-8")
    assert parse(tmp_path / "a.txt").properties == FileProperties()
    assert not FileProperties()
