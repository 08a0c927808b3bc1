"""Pictures as documents: opened, turned and coloured as they are seen, and what damaged ones say."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ingestion.documents import Page, Status
from ingestion.parsing import ParseLimits, draw_page, parse
from ingestion.parsing.frames import Frame, PageBegun, PageCount, RefusalError, TextDone
from ingestion.parsing.images import image_file, reader
from ingestion.parsing.images.image_file import ImageFile
from ingestion.parsing.ocr.recognition import UnreadPage
from ingestion.parsing.sandbox.collector import Collector
from ingestion.storage.originals import guess_suffix
from tests.helpers.drawn_page import DPI, POINTS, TEXT, drawn, words_of

ORIENTATION = 0x0112  # EXIF
TURNED_RIGHT = 6  # the camera's top is at the right


def corner(mode: str = "RGB", *, size: tuple[int, int] = (60, 40)) -> Image.Image:
    """A white picture with a black upper left corner."""
    image = Image.new(mode, size, "white" if mode != "I;16" else 65535)
    ImageDraw.Draw(image).rectangle((0, 0, 9, 9), fill="black" if mode != "I;16" else 0)
    return image


def seen(path: Path) -> tuple[Image.Image, float, float]:
    with ImageFile(path) as file:
        return file.picture(1)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"])
def test_each_format_is_seen_and_known_without_its_name(tmp_path: Path, suffix: str) -> None:
    path = saved(corner(), tmp_path / f"a{suffix}")
    grey, width, height = seen(path)
    assert (grey.mode, grey.size) == ("L", (60, 40))
    assert grey.getpixel((3, 3)) < 40  # type: ignore[operator]
    assert grey.getpixel((50, 30)) > 215  # type: ignore[operator]
    assert (width, height) == (45.0, 30.0)  # 96 dpi
    nameless = path.rename(tmp_path / "original")
    assert guess_suffix(nameless)[:4] == suffix.replace("jpeg", "jpg").replace(".tif", ".tiff")[:4]


@pytest.mark.parametrize("mode", ["1", "L", "I;16"])
def test_every_depth_is_grey(tmp_path: Path, mode: str) -> None:
    grey, *_ = seen(saved(corner(mode), tmp_path / "a.png"))
    assert (grey.getpixel((3, 3)), grey.getpixel((50, 30))) == (0, 255)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((0, 0, 9, 9), fill=(0, 0, 0, 255))
    grey, *_ = seen(saved(clear, tmp_path / "a.png"))
    assert (grey.getpixel((3, 3)), grey.getpixel((20, 20))) == (0, 255)


@pytest.mark.parametrize("suffix", [".jpg", ".tiff", ".webp", ".png"])
def test_a_photograph_is_turned_as_the_camera_says(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_RIGHT
    grey, width, height = seen(saved(corner(), tmp_path / f"a{suffix}", exif=exif))
    assert (grey.size, width, height) == ((40, 60), 30.0, 45.0)
    assert grey.getpixel((36, 3)) < 40  # type: ignore[operator]


def test_a_resolution_that_scanners_use_is_believed(tmp_path: Path) -> None:
    for dpi, width in ((200, 21.6), (72, 45.0), (1, 45.0)):
        assert seen(saved(corner(), tmp_path / "a.png", dpi=(dpi, dpi)))[1] == width


def test_a_large_picture_is_made_smaller_and_keeps_its_size_in_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_file, "MAX_PIXELS", 600)
    for suffix in (".png", ".jpg"):
        grey, width, height = seen(saved(corner(), tmp_path / f"a{suffix}", dpi=(96, 96)))
        assert grey.width * grey.height <= 660
        assert (width, height) == pytest.approx((45, 30), abs=1.5)
    monkeypatch.setattr(image_file, "MAX_FILE_PIXELS", 2399)
    with pytest.raises(RefusalError, match=r"'a\.png' has 2400 pixels, and the limit is 2399"):
        ImageFile(tmp_path / "a.png")


def test_only_a_tiff_has_pages(tmp_path: Path) -> None:
    pages = [corner(), corner()]
    for suffix, count in ((".tiff", 2), (".webp", 1), (".png", 1)):
        path = saved(pages[0], tmp_path / f"a{suffix}", save_all=True, append_images=pages[1:])
        with ImageFile(path) as file:
            assert file.page_count == count
    with ImageFile(
        saved(pages[0], tmp_path / "b.tiff", save_all=True, append_images=[corner(size=(20, 20))])
    ) as file:
        assert [file.picture(number)[0].size for number in (2, 1)] == [(20, 20), (60, 40)]


def test_a_child_that_continues_sends_the_pages_that_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recognised(_: object, pages: list[UnreadPage], limits: ParseLimits) -> Iterator[Frame]:
        for page in pages:
            yield PageBegun(page.number, recognise=True)
            yield Page(page.number, "seen")

    monkeypatch.setattr(reader, "recognise", recognised)
    pages = [corner() for _ in range(4)]
    path = saved(pages[0], tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    frames = list(reader.read_image(path, ParseLimits(), done={1}, failed={3}))
    seen = [frame.number for frame in frames if isinstance(frame, Page)]
    assert (frames[0], seen, frames[-1]) == (PageCount(4), [2, 4], TextDone())
    with pytest.raises(RefusalError, match="has 4 pages, and the limit is 3"):
        list(reader.read_image(path, ParseLimits(max_pages=3)))


def test_what_is_no_picture_or_damaged_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture at all")
    document = parse(path)
    assert (document.status, document.error) == (
        Status.CORRUPT,
        "'notes.png' is no picture in PNG, JPEG, TIFF or WebP by its content; check where the file came from",
    )
    whole = io.BytesIO()
    drawn()[0].save(whole, "PNG")
    path.write_bytes(whole.getvalue()[:3000])
    document = parse(path)
    assert document.status is Status.FAILED
    assert document.error is not None
    assert (
        "no page of 'notes.png' with text could be read. Page 1: it is a picture, and drawing it failed"
        in (document.error)
    )
    path.write_bytes(b"")
    assert parse(path).status is Status.CORRUPT


def test_a_picture_without_words_and_one_that_is_not_read() -> None:
    collector = Collector("beach.jpg", ParseLimits())
    for frame in (PageCount(1), PageBegun(1, recognise=True), Page(1, ""), TextDone()):
        collector.take(frame)
    document = collector.finish()
    assert (document.status, document.error) == (
        Status.NO_TEXT,
        "'beach.jpg' is a picture without words: text recognition (OCR) has found none in it",
    )


def test_without_recognition_a_picture_says_that_it_is_not_read(tmp_path: Path) -> None:
    document = parse(saved(corner(), tmp_path / "a.png"), limits=ParseLimits(ocr_languages=()))
    assert (document.status, document.error) == (
        Status.NO_TEXT,
        "the text of the picture 'a.png' is not read. Text recognition (OCR) is switched off: no language is "
        "chosen for it, or no page allowed",
    )


@pytest.mark.slow
def test_pages_of_a_picture_are_read_and_their_words_are_marked_on_the_drawing(tmp_path: Path) -> None:
    page, boxes = drawn()
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_RIGHT
    photo = saved(page.rotate(90, expand=True), tmp_path / "photo.jpg", exif=exif, dpi=(DPI, DPI))
    scans = saved(page, tmp_path / "scans.tiff", save_all=True, append_images=[page], dpi=(DPI, DPI))
    for file, number in ((photo, 1), (scans, 2)):
        document = parse(file)
        assert (document.status, document.error) == (Status.OK, None)
        found = document.pages[number - 1]
        assert found.text == TEXT
        assert dict(words_of(found))["replaced"] == pytest.approx(boxes["replaced"], abs=8)
        start = TEXT.index("replaced")
        picture = draw_page(
            file,
            number,
            found.layout,
            suffix=file.suffix,
            spans=[(start, start + len("replaced"))],
            pixels=500,
        )
        assert (picture.width, picture.height) == pytest.approx(POINTS, abs=0.1)
        shown = Image.open(io.BytesIO(picture.image))
        assert shown.size == pytest.approx((500, 647), abs=1)
        (box,) = picture.boxes[0]
        scale = shown.width / picture.width
        inside = shown.convert("L").crop(
            tuple(round(side * scale) for side in (box.left, box.top, box.right, box.bottom))  # type: ignore[arg-type]
        )
        darkest, _ = inside.getextrema()
        assert darkest < 100  # type: ignore[operator]
