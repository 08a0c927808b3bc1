"""Page numbers in sentences."""

from collections.abc import Iterable
from itertools import groupby

MAX_RANGES = 20  # of page numbers in a sentence


def page_list(numbers: Iterable[int]) -> str:
    """ "page 3" or "pages 3, 5 to 7 and 9"; only the first MAX_RANGES ranges of many."""
    ordered = sorted(set(numbers))
    ranges: list[str] = []
    for _, group in groupby(enumerate(ordered), key=lambda item: item[1] - item[0]):
        run = [number for _, number in group]
        ranges += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    if len(ranges) > MAX_RANGES:
        return f"{len(ordered)} pages, the first of them {', '.join(ranges[:MAX_RANGES])}"
    listed = " and ".join([", ".join(ranges[:-1]), ranges[-1]] if len(ranges) > 1 else ranges)
    return f"page {listed}" if len(ordered) == 1 else f"pages {listed}"
