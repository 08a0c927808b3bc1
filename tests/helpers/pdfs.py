"""PDFs written by hand, object by object: simple ones, and hostile ones that no library would write."""

import zlib
from dataclasses import replace

from ingestion.documents import ParsedDocument

MEBIBYTE = 1024**2


def bare(document: ParsedDocument) -> ParsedDocument:
    """The document without its pages' layouts, to compare texts."""
    return replace(document, pages=tuple(replace(page, layout=None) for page in document.pages))


def build(objects: list[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF with these objects, numbered from 1, the catalogue first, and a correct cross-reference table."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object's body, without compression unless `entries` says so."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def show(text: str) -> bytes:
    """A content stream that shows one line of text."""
    return b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % text.encode("latin-1")


def pdf(
    pages: list[bytes],
    *,
    font: bytes = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica",
    count: int | None = None,
    catalog: bytes = b"",
    resources: bytes = b"",
    page: bytes = b"",
    trailer: bytes = b"",
    extra: list[bytes] | None = None,
) -> bytes:
    """A PDF whose page n has the n-th stream object as its content.

    Objects: 1 catalogue, 2 page tree, 3 font, then `extra` from 4, then a page and its content in turn.
    `count` is what the page tree declares, by default the truth; `page` are entries of every page.
    """
    extra = extra or []
    first = 4 + len(extra)
    kids = b" ".join(b"%d 0 R" % (first + 2 * index) for index in range(len(pages)))
    total = len(pages) if count is None else count
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 612 792] "
        b"/Resources << /Font << /F1 3 0 R >> %s >> >>" % (kids, total, resources),
        b"<< %s >>" % font,
        *extra,
    ]
    for index, content in enumerate(pages):
        objects.append(b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R %s >>" % (first + 2 * index + 1, page))
        objects.append(content)
    return build(objects, trailer=trailer)


def text_pdf(*texts: str) -> bytes:
    """One line of text a page."""
    return pdf([stream(show(text)) for text in texts])


def bomb(mebibytes: int) -> bytes:
    """A content stream of a few hundred bytes that expands to `mebibytes` of white space.

    Blocks of deflate that end in a full flush do not refer to each other, so one of them can be repeated
    without ever holding the whole; a second round of deflate makes the repetition small.
    """
    packer = zlib.compressobj(9)
    header = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return stream(zlib.compress(header + block * mebibytes, 9), b"/Filter [/FlateDecode /FlateDecode]")


def nested_forms(levels: int, width: int) -> bytes:
    """A page that draws a form that draws `width` forms that draw ...: width ** levels in all."""
    resources = b"/Resources << /Font << /F1 3 0 R >> /XObject << %s >> >>"
    forms = []
    for level in range(levels):
        last = level == levels - 1
        content = show("deep") if last else b"/X Do " * width
        inner = b"" if last else b"/X %d 0 R" % (4 + level + 1)
        entries = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + resources % inner
        forms.append(stream(content, entries))
    return pdf([stream(b"/X Do " * width)], resources=b"/XObject << /X 4 0 R >>", extra=forms)


def outlined() -> bytes:
    """Three pages labelled i, ii, 1, with a title and an outline of two levels."""
    texts = ["Contents: First part, Second part", "First part begins here", "see First part. Second part"]
    return pdf(
        [stream(show(text)) for text in texts],
        catalog=b"/Outlines 4 0 R /PageLabels << /Nums [0 << /S /r >> 2 << /S /D >>] >>",
        trailer=b"/Info 7 0 R",
        extra=[
            b"<< /Type /Outlines /First 5 0 R /Last 5 0 R /Count 2 >>",
            b"<< /Title (First  part) /Parent 4 0 R /Dest [10 0 R /Fit] /First 6 0 R /Last 6 0 R /Count 1 >>",
            b"<< /Title (SECOND PART) /Parent 5 0 R /Dest [12 0 R /Fit] >>",
            b"<< /Title (A Small Report) >>",
        ],
    )


def without_header(data: bytes) -> bytes:
    """The same file, the header overwritten: PDFium refuses it, pypdf reads it."""
    return data.replace(b"%PDF-1.7", b"%%%%%%%%", 1)


def dense_page(lines: int) -> bytes:
    """A page of `lines` lines of twenty characters, no line like another, or PDFium would drop it."""
    shown = [b"(%010dabcdefghij) Tj 0 -7 Td" % number for number in range(lines)]
    return stream(b"BT /F1 6 Tf 72 780 Td " + b"\n".join(shown) + b" ET")


# Steps of Helvetica's glyphs, in thousandths of the font's size.
STEPS = {"S": 667, "a": 556, "l": 222, "e": 556, "s": 500, ",": 278, **dict.fromkeys("0123456789", 556)}


def broken_rows(rows: list[tuple[str, str]], *, matrix: bytes = b".24 0 0 -.24 0 700") -> bytes:
    """A content stream of two columns, written glyph by glyph as browsers do: PDFium breaks inside words."""
    out = [matrix + b" cm 2.8 0 0 2.8 40 100 cm"]
    for number, row in enumerate(rows):
        for column, word in enumerate(row):
            out.append(b"BT /F1 13.33 Tf 1 0 0 -1 %f %d Tm" % (9.3 + 291.2 * column, 17 * number))
            for before, character in zip(" " + word, word, strict=False):
                step = STEPS.get(before, 0) / 1000 * 13.33
                out.append(b"%f 0 Td (%s) Tj" % (step, character.encode("latin-1")))
            out.append(b"ET")
    return stream(b" ".join(out))
