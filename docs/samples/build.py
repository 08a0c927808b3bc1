"""Makes the sample PDFs from the Markdown files beside this script.

    python docs/samples/build.py            write docs/samples/*.pdf
    python docs/samples/build.py --check    exit 1 if a PDF is missing or differs from its Markdown

With one version of fpdf2 (constraints.txt pins it) the same Markdown always gives the same bytes: dates and
identifiers are fixed, and streams are uncompressed, because zlib's output differs between implementations.

The Markdown is a small part of the language, and anything else is printed as it stands: `#` title, `##`
section, paragraphs, `**bold**`, lists with `- `, one-line formulas indented by four spaces, and tables. The
paragraph after the title is the subtitle. Characters are those of Latin-1, which the fonts built into every
PDF reader hold.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

FOLDER = Path(__file__).parent

CREATED = datetime(2026, 1, 1, tzinfo=UTC)  # fixed, so that the bytes are
ACCENT = (30, 84, 116)
INK = (34, 34, 38)
MUTED = (110, 114, 120)
TINT = (238, 243, 246)

MARGIN = 25.0  # mm, left and right
BODY = 11.6  # points
LINE = 5.75  # mm from one line of text to the next
KEEP = 29.0  # mm that a heading needs below it: itself and about three lines

Kind = Literal["title", "section", "text", "item", "formula", "table"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the Markdown; `rows` is filled for a table, `text` for everything else."""

    kind: Kind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def parse(markdown: str) -> Iterator[Block]:
    """The blocks of a document in reading order; blocks are separated by blank lines."""
    for paragraph in markdown.strip().split("\n\n"):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if not lines:
            continue
        first = lines[0]
        if first.startswith("# "):
            yield Block("title", first[2:])
        elif first.startswith("## "):
            yield Block("section", first[3:])
        elif first.startswith("|"):
            cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            yield Block("table", rows=(cells[0], *cells[2:]))
        elif first.startswith("    "):
            yield from (Block("formula", line.strip()) for line in lines)
        elif first.startswith("- "):
            yield from (Block("item", item.replace("\n", " ")) for item in f"\n{paragraph}".split("\n- ")[1:])
        else:
            yield Block("text", " ".join(lines))


class SamplePdf(FPDF):
    """A4 pages with a title band on the first and a page number at the foot of each."""

    def __init__(self, title: str, subject: str) -> None:
        super().__init__(format="A4")
        self.name = title
        self.set_compression(False)
        self.set_creation_date(CREATED)
        self.set_producer("rag-app")
        self.set_creator("rag-app")
        self.set_author("rag-app")
        self.set_title(title)
        self.set_subject(subject)
        self.set_lang("en-GB")
        self.set_margins(MARGIN, 22.0, MARGIN)
        self.c_margin = 0.0  # text, tints and rules share one left edge
        self.set_auto_page_break(True, margin=24.0)
        self.add_page()

    def file_id(self) -> str:
        """Without an identifier the file holds nothing that depends on when it was made."""
        return ""

    def header(self) -> None:
        self.set_fill_color(*ACCENT)
        self.rect(0, 0, self.w, 4 if self.page_no() == 1 else 1.5, style="F")

    def footer(self) -> None:
        self.set_y(-16)
        self.set_draw_color(*TINT)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.set_font("Helvetica", size=8)
        self.set_text_color(*MUTED)
        self.cell(self.epw / 2, 8, f"{self.name} \xb7 rag-app sample documents")
        self.cell(self.epw / 2, 8, f"Page {self.page_no()}", align="R")

    def room(self, height: float) -> None:
        """Starts a new page unless `height` mm are left on this one."""
        if self.will_page_break(height):
            self.add_page()

    def body(self, text: str, *, indent: float = 0.0, after: float = 2.9) -> None:
        """A paragraph, its left edge `indent` mm in; at least two of its lines stand on one page."""
        self.room(2 * LINE)
        self.set_font("Times", size=BODY)
        self.set_text_color(*INK)
        self.set_x(MARGIN + indent)
        self.multi_cell(0, LINE, text, align="L", markdown=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(after)

    def title_block(self, title: str, subtitle: str) -> None:
        self.start_section(title, level=0)
        self.set_y(20)
        self.set_font("Helvetica", "B", 24)
        self.set_text_color(*ACCENT)
        self.cell(0, 12, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font("Times", "I", 12.5)
        self.set_text_color(*MUTED)
        self.multi_cell(0, 6, subtitle, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def section(self, title: str) -> None:
        self.room(KEEP)
        if self.get_y() > self.t_margin:
            self.ln(2.8)
        self.start_section(title, level=1)
        self.set_font("Helvetica", "B", 13)
        self.set_text_color(*ACCENT)
        self.cell(0, 7, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1.2)

    def item(self, text: str) -> None:
        self.room(2 * LINE)
        self.set_fill_color(*ACCENT)
        self.ellipse(MARGIN + 1.6, self.get_y() + LINE / 2 - 0.6, 1.2, 1.2, style="F")
        self.body(text, indent=5.0, after=1.4)

    def formula(self, text: str) -> None:
        self.room(14)
        self.set_font("Courier", size=9.6)
        self.set_text_color(*INK)
        self.set_fill_color(*TINT)
        self.cell(0, 10, f"  {text}", fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3.2)

    def grid(self, rows: Sequence[Sequence[str]]) -> None:
        """A table on one page: the first column to the left, the others centred."""
        self.room(8.0 * len(rows))
        self.ln(0.8)
        self.set_font("Helvetica", size=9.4)
        self.set_text_color(*INK)
        self.set_fill_color(255, 255, 255)
        widths = [max(len(row[column]) for row in rows) + 3 for column in range(len(rows[0]))]
        head = FontFace(emphasis="BOLD", color=(255, 255, 255), fill_color=ACCENT)
        with self.table(
            rows,
            borders_layout=TableBordersLayout.NONE,
            cell_fill_color=TINT,
            cell_fill_mode="EVEN_ROWS",
            col_widths=widths,
            headings_style=head,
            line_height=6.8,
            padding=(0.4, 1.5),
            text_align=("LEFT", *["CENTER"] * (len(widths) - 1)),
        ):
            pass
        self.set_draw_color(*ACCENT)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.ln(4.8)


def render(markdown: str) -> bytes:
    """The PDF of one document. A character outside Latin-1 raises UnicodeEncodeError, naming it."""
    markdown.encode("latin-1")
    title, subtitle, *blocks = parse(markdown)
    pdf = SamplePdf(title.text, subtitle.text)
    pdf.title_block(title.text, subtitle.text)
    last: Kind = "title"
    for block in blocks:
        if last == "item" and block.kind != "item":
            pdf.ln(1.4)
        last = block.kind
        match block.kind:
            case "section":
                pdf.section(block.text)
            case "item":
                pdf.item(block.text)
            case "formula":
                pdf.formula(block.text)
            case "table":
                pdf.grid(block.rows)
            case _:
                pdf.body(block.text)
    return bytes(pdf.output())


def build(folder: Path = FOLDER) -> dict[Path, bytes]:
    """What each PDF of the folder should hold, by its path. Writes nothing."""
    return {
        source.with_suffix(".pdf"): render(source.read_text(encoding="utf-8"))
        for source in sorted(folder.glob("*.md"))
    }


def stale(folder: Path = FOLDER) -> list[Path]:
    """The PDFs that are missing or are not what their Markdown gives."""
    return [path for path, data in build(folder).items() if not path.is_file() or path.read_bytes() != data]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 when the PDFs are written or current, 1 when `--check` finds a stale one."""
    parser = argparse.ArgumentParser(description="Make the sample PDFs from their Markdown.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a PDF is not current")
    if parser.parse_args(arguments).check:
        late = stale()
        for path in late:
            print(f"{path.name} is not current; run: python docs/samples/build.py", file=sys.stderr)
        return 1 if late else 0
    for path, data in build().items():
        path.write_bytes(data)
        print(f"{path.name}: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
