"""The map from a page's text to PDFium's characters, spelled out."""

from ingestion.documents import PageLayout


def indices(layout: PageLayout, length: int) -> list[int]:
    """PDFium's index of every character, as the documentation of `PageLayout.runs` says."""
    found: list[int] = []
    for (offset, index), (end, _) in zip(layout.runs, [*layout.runs[1:], (length, 0)], strict=True):
        found += range(index, index + end - offset)
    return found
