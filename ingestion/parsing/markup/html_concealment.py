"""Text of a web page that is set so that nobody sees it, by the styles of its own elements.

Rules in style sheets are not read: a page's own sheet may give any background, so letters count as unseen by
their colour only where the colour behind them is known.
"""

import re

from lxml import etree

from ingestion.parsing.shared.xml import local_name

TINY = "too small to be read"
OUTSIDE = "outside the page"
UNSEEN = "in the colour of the page"
TRANSPARENT = "transparent"

ALIKE = 16  # of 255; colours that differ less in red, green and blue look the same
_FAR = 500  # pixels; an element so far to the left of the page or above it is not seen
_SMALL = 2.0  # pixels; smaller letters cannot be read

_DECLARATION = re.compile(r"([a-z-]+)\s*:\s*([^;]+)")
_NUMBER = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|em|rem|%|vw|vh)?")
_PIXELS = {"pt": 4 / 3, "em": 16.0, "rem": 16.0, "%": 0.16, "vw": 13.0, "vh": 8.0}
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\b")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})")
_NAMES = {"white": (255, 255, 255), "black": (0, 0, 0), "snow": (255, 250, 250), "ivory": (255, 255, 240)}
_NOTHING = re.compile(
    r"rect\(\s*0(?:px)?[\s,]+0(?:px)?[\s,]+0|rect\(\s*1px[\s,]+1px[\s,]+1px|inset\(\s*(?:50|100)%|circle\(\s*0"
)

Colour = tuple[int, int, int]
_WHITE: Colour = (255, 255, 255)


class Concealment:
    """Judges the elements of one page."""

    def __init__(self, root: etree._Element) -> None:
        self._has_sheet = any(
            local_name(element) == "style" or "stylesheet" in (element.get("rel") or "").lower()
            for element in root.iter("{*}style", "{*}link")
        )

    def kind(self, element: etree._Element) -> str:
        """How an element is kept from being seen; "" for one that is seen."""
        if not (element.get("style") or element.get("color")):
            return ""
        style = declarations(element)
        if _number(style.get("opacity"), 1.0) < 0.05:
            return TRANSPARENT
        size = style.get("font-size")
        if size is not None and _number(size, 99.0) < _SMALL:
            return TINY
        if _is_outside(style):
            return OUTSIDE
        colour = _colour(style.get("color") or element.get("color"))
        if colour is not None and self._is_alike_behind(colour, element):
            return UNSEEN
        return TRANSPARENT if style.get("color") == "transparent" else ""

    def _is_alike_behind(self, colour: Colour, element: etree._Element) -> bool:
        """Whether letters of a colour stand on nearly that colour, as far as this is known."""
        place: etree._Element | None = element
        while place is not None:
            style = declarations(place)
            behind = style.get("background-color") or style.get("background") or place.get("bgcolor")
            if place.get("background") or "url(" in (behind or "") or "gradient" in (behind or ""):
                return False
            if behind and behind not in ("transparent", "none", "inherit"):
                known = _colour(behind)
                return known is not None and _are_alike(colour, known)
            place = place.getparent()
        return not self._has_sheet and _are_alike(colour, _WHITE)


def declarations(element: etree._Element) -> dict[str, str]:
    """An element's own style by its properties, in lower case."""
    text = (element.get("style") or "").lower().replace("!important", "")
    return {name: value.strip() for name, value in _DECLARATION.findall(text)}


def _is_outside(style: dict[str, str]) -> bool:
    if _number(style.get("text-indent"), 0.0) <= -_FAR:
        return True
    if style.get("position") in ("absolute", "fixed", "relative"):
        sides = ("left", "top", "margin-left", "margin-top")
        if any(_number(style.get(side), 0.0) <= -_FAR for side in sides):
            return True
        if _NOTHING.search(style.get("clip", "") + style.get("clip-path", "")):
            return True
    is_cut = style.get("overflow", style.get("overflow-y", "")) in ("hidden", "clip")
    return is_cut and any(_number(style.get(side), 99.0) <= 1 for side in ("height", "width", "max-height"))


def _number(value: str | None, default: float) -> float:
    """A length in pixels, or a plain number."""
    found = _NUMBER.match(value or "")
    if found is None:
        return default
    return float(found.group(1)) * _PIXELS.get(found.group(2) or "", 1.0)


def _colour(value: str | None) -> Colour | None:
    value = (value or "").strip().lower()
    if value in _NAMES:
        return _NAMES[value]
    if found := _HEX.search(value):
        digits = (
            found.group(1) if len(found.group(1)) == 6 else "".join(2 * digit for digit in found.group(1))
        )
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.search(value):
        return int(found.group(1)), int(found.group(2)), int(found.group(3))
    return None


def _are_alike(one: Colour, other: Colour) -> bool:
    return all(abs(first - second) < ALIKE for first, second in zip(one, other, strict=True))
