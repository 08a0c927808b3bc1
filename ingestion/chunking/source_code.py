"""Spans of source code: blocks between blank lines, which stay whole where they fit into a chunk."""

import re
from collections.abc import Iterator

from ingestion.text.sentences import SentenceSpan

# A block ends before a blank line. Its first line keeps its indent, which is a part of the code.
_BLOCK = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")


def block_spans(text: str) -> Iterator[SentenceSpan]:
    """Yield the blocks of a page, each from its first to its last character that is no white space."""
    for number, block in enumerate(_BLOCK.finditer(text)):
        words = block.group()
        start = block.start() + len(words) - len(words.lstrip())
        yield SentenceSpan(start, block.start() + len(words.rstrip()), number)
