"""Patterns for text that comes in pieces: they also tell whether more text could complete them.

A stream may hold back only text that a pattern may still take. So a pattern is a sequence of parts, and each
part has two regular expressions: one for the whole part, and one for any beginning of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a pattern: regular expressions of the whole part, and of its beginnings."""

    whole: str
    begun: str


def literal(text: str) -> Part:
    """Return the part that is exactly this text; case does not matter."""
    return one_of(text)


def one_of(*texts: str) -> Part:
    """Return the part that is one of these texts; case does not matter."""
    ordered = sorted(texts, key=len, reverse=True)
    beginnings = {text[:length] for text in texts for length in range(1, len(text) + 1)}
    return Part(_choice(ordered), _choice(sorted(beginnings, key=len, reverse=True)))


def some(characters: str, least: int, most: int) -> Part:
    """Return the part of `least` to `most` characters of a regular expression's class, such as "[0-9]"."""
    return Part(f"{characters}{{{least},{most}}}", f"{characters}{{0,{most}}}")


class MoreNeeded(Exception):  # no error: a state of the stream
    """Only more text tells what stands at a place."""


class StreamPattern:
    """A sequence of parts. The last one ends with a certain character, so that more text changes nothing."""

    def __init__(self, *parts: Part) -> None:
        self._parts: Sequence[Part] = parts

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Return the match at a place; each part is a group."""
        return self._whole.match(text, start)

    def may_begin(self, text: str, start: int = 0) -> bool:
        """Return whether the text from `start` to its end is a beginning that more text could complete."""
        return self._begun.match(text, start) is not None

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return re.compile("".join(f"({part.whole})" for part in self._parts), re.IGNORECASE)

    @cached_property
    def _begun(self) -> re.Pattern[str]:
        ways = [
            "".join(before.whole for before in self._parts[:place]) + part.begun
            for place, part in enumerate(self._parts)
        ]
        return re.compile(f"(?:{'|'.join(ways)})\\Z", re.IGNORECASE)


def _choice(texts: Sequence[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, texts))})"
