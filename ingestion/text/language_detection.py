"""Detects the language of a document from a sample of its text."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from ingestion.text.languages import UNDETERMINED

# Enough to be sure of a language, and 5 ms of work: the sample's pages lie all over the document.
_SAMPLE_PAGES = 12
_SAMPLE_CHARACTERS = 800
# Fewer letters name a language by chance.
_LEAST_LETTERS = 20
# Of the detector's probability.
_LEAST_SURE = 0.5

_NO_WORD = re.compile(r"[\d@_/\\<>{}=|]")


def detect_language(pages: Iterable[str]) -> str:
    """Detect the language of most of a document.

    Args:
        pages: The texts of all pages.

    Returns:
        The ISO 639-1 code, or "und" for too little text, tables, code, and text that may as well be in
        another language. Equal pages give equal answers.
    """
    sample = " ".join(_sample(list(pages)))
    if sum(map(str.isalpha, sample)) < _LEAST_LETTERS:
        return UNDETERMINED
    language, probability = _identifier().classify(sample)
    return language if probability >= _LEAST_SURE and len(language) == 2 else UNDETERMINED


def _sample(pages: list[str]) -> Iterator[str]:
    """Yield words from evenly spread pages, without numbers, addresses and code."""
    written = [page for page in pages if page.strip()]
    count = min(len(written), _SAMPLE_PAGES)
    for number in range(count):
        page = written[number * len(written) // count]
        size = _SAMPLE_CHARACTERS * _SAMPLE_PAGES // count
        for word in page[:size].split():
            if not _NO_WORD.search(word):
                yield word.lower() if word.isupper() else word


@cache
def _identifier() -> LanguageIdentifier:
    return load_identifier(lambda label: len(label) == 2 or label == "zxx")  # "zxx" is no language


def load_identifier(keeps: Callable[[str], bool]) -> LanguageIdentifier:
    """Load the detector (0.5 s) for the languages whose ISO 639 codes `keeps` accepts."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(filter(keeps, identifier.labels)))
    return identifier
