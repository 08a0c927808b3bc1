"""A page of letter paper with known words at known places, as a scanner delivers it."""

from PIL import Image, ImageDraw, ImageFont

from ingestion.documents import Page

DPI = 200
SIZE = (1700, 2200)  # letter paper
POINTS = (612.0, 792.0)
SCALE = 72 / DPI

PARAGRAPHS = [
    ["High water at the pier was 4.2 metres", "on the third of March, and the", "boats were brought in."],
    ["The crane's cable was replaced after", "it broke on 9 May 1987."],
    ["Nobody was hurt. The ferry sailed at noon,", "although the wind was strong."],
    ["The harbour master wrote all of it down", "in the log that lies before you."],
]
TEXT = "\n\n".join("\n".join(lines) for lines in PARAGRAPHS)

Box = tuple[float, float, float, float]


def drawn() -> tuple[Image.Image, dict[str, Box]]:
    """The page with the paragraphs, and where each word was drawn, in points."""
    image = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=36)
    boxes: dict[str, Box] = {}
    top = 200.0
    for paragraph in PARAGRAPHS:
        for line in paragraph:
            left = 200.0
            for word in line.split():
                draw.text((left, top), word, font=font, fill=0)
                x0, y0, x1, y1 = (side * SCALE for side in draw.textbbox((left, top), word, font=font))
                boxes.setdefault(word, (x0, y0, x1, y1))
                left += draw.textlength(word + " ", font=font)
            top += 50
        top += 100
    return image, boxes


def turned(box: Box, degrees: int) -> Box:
    """Where a box of the page lies once the page is turned against the clock."""
    left, top, right, bottom = box
    width, height = POINTS
    return {
        0: box,
        90: (top, width - right, bottom, width - left),
        180: (width - right, height - bottom, width - left, height - top),
        270: (height - bottom, left, height - top, right),
    }[degrees]


def words_of(page: Page) -> list[tuple[str, Box]]:
    """The recognised words with their places."""
    assert page.layout is not None
    return [(page.text[start:end], tuple(box)) for start, end, *box in page.layout.words]  # type: ignore[misc]
