"""Sentences on what a file's text lacks, with the pages that they are about."""

from collections.abc import Iterable
from itertools import groupby

MAX_SPANS = 20


def pages_of(numbers: Iterable[int]) -> str:
    """ "page 3" or "pages 3, 5 to 7 and 9"; the first MAX_SPANS spans of many."""
    ordered = sorted(set(numbers))
    spans: list[str] = []
    for _, group in groupby(enumerate(ordered), key=lambda item: item[1] - item[0]):
        run = [number for _, number in group]
        spans += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    if len(spans) > MAX_SPANS:
        return f"{len(ordered)} pages, the first of them {', '.join(spans[:MAX_SPANS])}"
    listed = " and ".join([", ".join(spans[:-1]), spans[-1]] if len(spans) > 1 else spans)
    return f"page {listed}" if len(ordered) == 1 else f"pages {listed}"
