"""Whether a PDF's page shows text in pictures that it does not have: the measures.

What lies under the page's own text, as in a scan that was recognised before, is explained by it.
"""

import re
from mmap import mmap

# A picture of so many pixels may hold a few lines; what a file has in all, since scans come in strips, too.
MIN_FILE_PIXELS = 100_000
FEW_CHARACTERS = 400  # on a page with so few, pictures are looked for whatever the file's bytes say

MIN_SHARE = 0.2  # of the page; smaller pictures are part of a page of text
MOSTLY = 0.6  # a page that is a picture, with some text on it
# A page set or typed to the margins has 4000 characters; a third of them may be the least that is worth it.
MOST_CHARACTERS = 8400
FULL_CHARACTERS = 2500  # a page with more is a page of text; one that is half a picture has fewer

STRETCH_CHARACTERS = 8
ENOUGH, FEW = 10, 3  # stretches: two lines across half a page, or the one line of a page that is a picture
MIN_UNREAD = 0.3  # of all of a page's text

RECOGNISED = 400  # invisible characters; a page with so many was recognised before, and not only marked

_IMAGE = re.compile(rb"/Subtype\s*/Image\b")
_SIDE = re.compile(rb"/(Width|Height)\s+(\d+)(\s+\d+\s+R)?")
_AROUND = 600  # bytes of a picture's dictionary on either side


def may_have_scans(data: mmap | bytes) -> bool:
    """Whether a file's pictures have so many pixels that a page of text may be among them.

    A picture's dictionary is never compressed or encrypted.
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
    """Whether a page has so much text that its pictures, of such a share, can hold little beside it."""
    return characters > min(FULL_CHARACTERS, MOST_CHARACTERS * share)


def is_unread(unread: int, characters: int, share: float) -> bool:
    """Whether pictures of such a share hold a good part of a page's text beside its characters.

    Args:
        unread: Stretches of text lines in the pictures, each of about STRETCH_CHARACTERS.
        characters: Of the page's own text.
        share: Of the page, 0.0 to 1.0.
    """
    enough = ENOUGH if share < MOSTLY else FEW
    return unread >= enough and unread >= MIN_UNREAD * (unread + characters / STRETCH_CHARACTERS)
