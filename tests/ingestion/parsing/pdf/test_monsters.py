"""Structures no honest program writes, within small limits: a definite status, soon, and no child left."""

import os
import time
import zlib
from pathlib import Path

import pytest

from ingestion.documents import Status
from ingestion.parsing import ParseLimits, parse
from tests.helpers.pdfs import MEBIBYTE, build, dense_page, pdf, show, stream, text_pdf
from tests.helpers.processes import children, linux_only

LIMITS = ParseLimits(
    memory_bytes=600 * MEBIBYTE, cpu_seconds=10, wall_seconds=15.0, page_seconds=3.0, ocr_languages=()
)
MOST_SECONDS = 90.0  # on a machine that is busy with other things
PAGES = b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 612 792] >>"


def deep_page_tree(levels: int) -> bytes:
    """A page below so many nodes of the page tree."""
    nodes = [PAGES % (b"%d 0 R" % (number + 1), 1) for number in range(2, 2 + levels)]
    return build([b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, b"<< /Type /Page >>"])


def wide_page_tree(kids: int) -> bytes:
    """One page, named as often as you like."""
    tree = PAGES % (b"3 0 R " * kids, kids)
    return build([b"<< /Type /Catalog /Pages 2 0 R >>", tree, b"<< /Type /Page /Parent 2 0 R >>"])


def branching_page_tree(levels: int) -> bytes:
    """Every node has the next one twice: 2 ** levels pages, and a count that says one."""
    nodes = [PAGES % (b"%d 0 R %d 0 R" % (number + 1, number + 1), 1) for number in range(2, 2 + levels)]
    return build([b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, b"<< /Type /Page >>"])


def deep_outline(levels: int) -> bytes:
    items = [
        b"<< /Title (Level) /Parent %d 0 R /First %d 0 R /Last %d 0 R /Dest [6 0 R /Fit] >>"
        % (number - 1, number + 1, number + 1)
        for number in range(8, 8 + levels)
    ]
    data = [b"<< /Type /Outlines /First 8 0 R /Last 8 0 R >>", b"null", b"null", b"null"]
    return pdf(
        [stream(show("one"))], catalog=b"/Outlines 4 0 R", extra=[*data, *items, b"<< /Title (End) >>"]
    )


def wide_outline(items: int) -> bytes:
    """Bookmarks that lead nowhere, so that no number of headings ends the walk."""
    row = [b"<< /Title (Item) /Parent 4 0 R /Next %d 0 R >>" % (number + 1) for number in range(5, 5 + items)]
    data = [b"<< /Type /Outlines /First 5 0 R /Last %d 0 R >>" % (4 + items), *row, b"<< /Title (End) >>"]
    return pdf([stream(show("one"))], catalog=b"/Outlines 4 0 R", extra=data)


def huge_xref() -> bytes:
    data = text_pdf("one").replace(b"xref\n0 6", b"xref\n0 2000000000")
    return data.replace(b"/Size 6", b"/Size 2000000000")


def huge_xref_stream() -> bytes:
    """A cross-reference stream of 200 MB of zeros, packed into 200 KB."""
    body = zlib.compress(bytes(200 * MEBIBYTE), 9)
    entries = b"/Type /XRef /Size 50000000 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode"
    start = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    return b"%s2 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (start, stream(body, entries), len(start))


def endless_text(mebibytes: int) -> bytes:
    """A content stream that shows text without end, packed twice."""
    line = b"(endless words of no meaning) Tj 0.1 -0.3 Td "
    packer = zlib.compressobj(9)
    block = packer.compress(line * (MEBIBYTE // len(line))) + packer.flush(zlib.Z_FULL_FLUSH)
    head = zlib.compressobj(9)
    first = head.compress(b"BT /F1 6 Tf 72 780 Td ") + head.flush(zlib.Z_FULL_FLUSH)
    body = zlib.compress(first + block[2:] * mebibytes, 9)
    return pdf([stream(body, b"/Filter [/FlateDecode /FlateDecode]")])


def long_line(spaces: int) -> bytes:
    """Two letters and many spaces between, which a careless pattern walks again and again."""
    return pdf([stream(b"BT /F1 2 Tf 1 700 Td (a%sb) Tj ET" % (b" " * spaces))])


def deep_arrays(levels: int) -> bytes:
    return pdf([stream(show("one"))], catalog=b"/Names " + b"[" * levels + b"]" * levels)


MONSTERS = {
    "deep page tree": (lambda: deep_page_tree(50_000), None),
    "wide page tree": (lambda: wide_page_tree(300_000), Status.TOO_LARGE),
    "branching page tree": (lambda: branching_page_tree(40), None),
    "deep outline": (lambda: deep_outline(50_000), Status.OK),
    "wide outline": (lambda: wide_outline(200_000), Status.OK),
    "huge cross-reference table": (huge_xref, None),
    "huge cross-reference stream": (huge_xref_stream, None),
    "endless text": (lambda: endless_text(300), None),
    "too much text": (lambda: pdf([dense_page(60_000)]), Status.TOO_LARGE),
    "long line": (lambda: long_line(900_000), Status.OK),
    "deep arrays": (lambda: deep_arrays(200_000), None),
}


@linux_only
@pytest.mark.slow
@pytest.mark.parametrize("name", MONSTERS)
def test_monsters_end(tmp_path: Path, name: str) -> None:
    make, expected = MONSTERS[name]
    path = tmp_path / "file.pdf"
    path.write_bytes(make())
    began = time.monotonic()
    document = parse(path, limits=LIMITS)
    print(f"{document.status} after {time.monotonic() - began:.1f} s: {document.error}")
    assert time.monotonic() - began < MOST_SECONDS
    assert expected is None or document.status is expected
    assert document.pages or document.error
    assert children(os.getpid()) == []
