"""Opens pictures with Pillow, which hostile files can exhaust: imported in the child process only."""

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from PIL import Image, ImageOps, UnidentifiedImageError

from ingestion.documents import Status
from ingestion.parsing.frames import RefusalError
from ingestion.parsing.ocr.unread_text import PlacedLetter
from ingestion.text.cleaning import one_line

# What a picture may be, whatever its suffix says: cameras and mail programs name files wrongly.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
_PAGED = "TIFF"  # in other formats further frames are an animation, or a camera's previews

# A0 at 400 dpi; decoded in colour it takes 0.6 GB.
MAX_FILE_PIXELS = 200_000_000
# Of a picture that is recognised or drawn: A2 at 200 dpi.
MAX_PIXELS = 20_000_000

# Resolutions that are believed. Cameras and screens write 72 or 1 for any picture.
_LEAST_DPI, _MOST_DPI = 90.0, 2400.0
_SCREEN_DPI = 96.0
POINTS_PER_INCH = 72


class ImageFile:
    """An opened picture. Pages count from 1; only a TIFF has more than one.

    Raises:
        RefusalError: It is no picture, is damaged, or has too many pixels.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = None  # the limit here is looser, and within the process's memory
        try:
            self._image: Image.Image = Image.open(path, formats=_FORMATS)
            paged = self._image.format == _PAGED
            self.page_count: int = getattr(self._image, "n_frames", 1) if paged else 1
        except UnidentifiedImageError as error:
            raise RefusalError(
                Status.CORRUPT,
                f"{self._name!r} is no picture in PNG, JPEG, TIFF or WebP by its content; "
                "check where the file came from",
            ) from error
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            reason = one_line(str(error), 100)
            raise RefusalError(
                Status.CORRUPT, f"{self._name!r} is damaged and cannot be opened ({reason}); get a new copy"
            ) from error
        if math.prod(self._image.size) > MAX_FILE_PIXELS:
            self._image.close()
            raise RefusalError(Status.TOO_LARGE, f"{self._name!r} {_too_large(*self._image.size)}")
        self._dpi: object = None
        self._reduced = 1.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._image.close()

    def picture(self, number: int, *, own_text: bool = True) -> tuple[Image.Image, float, float]:
        """The page in grey as it is meant to be seen; its width and height in points."""
        assert own_text  # it is all picture
        image = self.seen(number, "L")
        return image, *self.size(image)

    def letters(self, number: int) -> Sequence[PlacedLetter]:
        """A picture has no text of its own."""
        del number
        return ()

    def seen(self, number: int, mode: str) -> Image.Image:
        """The page in grey ("L") or colour ("RGB"), on white, turned as the camera says.

        Raises:
            RefusalError: It has too many pixels.
            OSError: It is damaged.
        """
        self._image.seek(number - 1)
        width, height = self._image.size
        if width * height > MAX_FILE_PIXELS:
            raise ValueError(_too_large(width, height))
        share = math.sqrt(min(1.0, MAX_PIXELS / (width * height)))
        fitting = max(1, int(width * share)), max(1, int(height * share))
        self._dpi = self._image.info.get("dpi")
        if share < 1:
            self._image.draft(mode, fitting)  # a JPEG is decoded in an eighth to a half of its size
        image = _on_white(ImageOps.exif_transpose(self._image)).convert(mode)
        if share < 1:
            image.thumbnail((max(fitting), max(fitting)), Image.Resampling.LANCZOS)
        self._reduced = max(image.size) / max(width, height)
        return image

    def size(self, image: Image.Image) -> tuple[float, float]:
        """Width and height in points of the page last seen."""
        try:
            dpi = float(max(self._dpi)) if isinstance(self._dpi, tuple) else 0.0
        except (TypeError, ValueError, ZeroDivisionError):  # no numbers, or a broken fraction
            dpi = 0.0
        scale = POINTS_PER_INCH / (dpi if _LEAST_DPI <= dpi <= _MOST_DPI else _SCREEN_DPI) / self._reduced
        return round(image.width * scale, 2), round(image.height * scale, 2)


def _on_white(image: Image.Image) -> Image.Image:
    """The picture without transparency, which would be black; and in 8 bits."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(white, coloured).convert("RGB")
    return image


def _too_large(width: int, height: int) -> str:
    return f"has {width * height} pixels, and the limit is {MAX_FILE_PIXELS}; scale it down"
