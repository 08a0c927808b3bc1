"""The thresholds that tell whether pictures on a PDF page show text that the page lacks.

Lines in a picture that lie under the page's own text, as in a scan that was recognised before, do not count.
"""

import re
from mmap import mmap

# A picture of so many pixels may hold a few lines. Of all pictures in a file, because scans also come in
# strips.
MIN_FILE_PIXELS = 100_000
FEW_CHARACTERS = 400  # a page with fewer is checked for pictures whatever the file's bytes say

MIN_SHARE = 0.2  # of the page; smaller pictures are part of a page of text
MOSTLY = 0.6  # of the page; such a page is a picture with some text on it
# A page set or typed to the margins has 4000 characters.
MOST_CHARACTERS = 8400
FULL_CHARACTERS = 2500  # a page with more is a page of text; a page that is half a picture has fewer

STRETCH_CHARACTERS = 8
ENOUGH, FEW = 10, 3  # stretches: two lines across half a page, or the one line of a page that is a picture
MIN_UNREAD = 0.3  # of all of a page's text

RECOGNISED = 400  # invisible characters; a page with so many was recognised before

_IMAGE = re.compile(rb"/Subtype\s*/Image\b")
_SIDE = re.compile(rb"/(Width|Height)\s+(\d+)(\s+\d+\s+R)?")
_AROUND = 600  # bytes of a picture's dictionary on either side


def may_have_scans(data: mmap | bytes) -> bool:
    """Whether a file's pictures have enough pixels for a page of text.

    They are found in the file's bytes: a picture's dictionary is never compressed or encrypted.
    """
    pixels = 0
    for found in _IMAGE.finditer(data):
        around = data[max(0, found.start() - _AROUND) : found.end() + _AROUND]
        begin = around.rfind(b"obj", 0, min(_AROUND, found.start()))
        end = around.find(b"stream", min(_AROUND, found.start()))
        sides = {}
        for name, number, reference in _SIDE.findall(around, max(0, begin), end if end > 0 else len(around)):
            sides[name] = 0 if reference else int(number[:7])
        if len(sides) < 2 or not all(sides.values()):
            return True  # written in an unusual way
        pixels += sides[b"Width"] * sides[b"Height"]
        if pixels >= MIN_FILE_PIXELS:
            return True
    return False


def is_crowded(characters: int, share: float) -> bool:
    """Whether a page has so much text that pictures on this share of it can hold little more."""
    return characters > min(FULL_CHARACTERS, MOST_CHARACTERS * share)


def is_unread(unread: int, characters: int, share: float) -> bool:
    """Whether pictures hold a large part of a page's text.

    Args:
        unread: Stretches of text lines in the pictures, each of about STRETCH_CHARACTERS.
        characters: Of the page's own text.
        share: Of the page that the pictures cover, 0.0 to 1.0.
    """
    enough = ENOUGH if share < MOSTLY else FEW
    return unread >= enough and unread >= MIN_UNREAD * (unread + characters / STRETCH_CHARACTERS)
