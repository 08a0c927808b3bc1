"""PDF pages whose words and lines stand where a test puts them."""

from collections.abc import Sequence

from tests.helpers.pdfs import pdf, stream

# Widths of Helvetica's glyphs in thousandths of the font's size, near enough to align words.
_WIDE, _NARROW = 556, 278
_NARROW_GLYPHS = " .,:;'!|ijl()[]ft/-"
SIZE = 9


def width(text: str, size: float = SIZE) -> float:
    return sum(_NARROW if letter in _NARROW_GLYPHS else _WIDE for letter in text) / 1000 * size


def right_aligned(right: float, top: float, text: str) -> tuple[float, float, str]:
    return right - width(text), top, text


def centred(middle: float, top: float, text: str) -> tuple[float, float, str]:
    return middle - width(text) / 2, top, text


def page(
    words: Sequence[tuple[float, float, str]],
    lines: Sequence[tuple[float, float, float, float]] = (),
    fills: Sequence[tuple[float, float, float, float]] = (),
) -> bytes:
    """A page in points from the top left corner.

    Args:
        words: Left, top and text of each.
        lines: From x, y to x, y.
        fills: Grey boxes: left, top, right, bottom.
    """
    shown = [
        b"BT /F1 %d Tf %.2f %.2f Td (%s) Tj ET"
        % (SIZE, left, 792 - top - SIZE, text.replace("(", r"\(").replace(")", r"\)").encode("cp1252"))
        for left, top, text in words
    ]
    drawn = [b"%.2f %.2f m %.2f %.2f l S" % (x, 792 - y, u, 792 - v) for x, y, u, v in lines]
    grey = [b"0.9 g %.2f %.2f %.2f %.2f re f 0 g" % (x, 792 - v, u - x, v - y) for x, y, u, v in fills]
    return stream(b"0.5 w\n" + b"\n".join([*grey, *drawn, *shown]))


def placed(*pages: bytes) -> bytes:
    return pdf(
        list(pages), font=b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding"
    )


def boxes(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float, float, float]]:
    """The lines of a grid of cells."""
    return [(xs[0], y, xs[-1], y) for y in ys] + [(x, ys[0], x, ys[-1]) for x in xs]


LEFT, FIRST, SECOND = 60.0, 400.0, 500.0  # where labels begin, and where the values of two columns end


def row(top: float, label: str, *values: str, indent: float = 0) -> list[tuple[float, float, str]]:
    columns = [
        right_aligned(right, top, value) for right, value in zip((FIRST, SECOND), values, strict=False)
    ]
    return [(LEFT + indent, top, label)] * bool(label) + columns


STATEMENT = [
    (LEFT, 60, "Consolidated Balance Sheets"),
    (LEFT, 72, "(in millions, except per share data)"),
    centred(440, 90, "December 31,"),
    right_aligned(FIRST, 102, "2023"),
    right_aligned(SECOND, 102, "2022"),
    (LEFT, 116, "Current assets:"),
    *row(130, "Cash and cash equivalents", "$ 1,204", "$ 977", indent=10),
    (LEFT + 10, 144, "Receivables, less allowances for doubtful"),
    *row(154, "accounts", "88", "(91)", indent=18),
    *row(168, "Total current assets", "1,292", "886"),
    *row(182, "", "$ 1,292", "$ 886"),
    *row(196, "Earnings per share", "$ 3.15", "$ 2.80"),
]
