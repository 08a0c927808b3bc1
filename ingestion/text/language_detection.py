"""The language a document is written in, from a sample of its text."""

import re
from collections.abc import Iterable, Iterator
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
    """Return the ISO 639-1 code of the language that most of a document is in, or "und".

    Undetermined is what has too little text, is no language (tables, code) or could as well be
    another one. Equal pages give equal answers.
    """
    sample = " ".join(_sample(list(pages)))
    if sum(map(str.isalpha, sample)) < _LEAST_LETTERS:
        return UNDETERMINED
    language, probability = _identifier().classify(sample)
    return language if probability >= _LEAST_SURE and len(language) == 2 else UNDETERMINED


def _sample(pages: list[str]) -> Iterator[str]:
    """Yield words without figures, addresses and code from pages that are evenly spread."""
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
    """Load the detector (0.5 s): languages with a code of two letters, and "zxx", which is none."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([label for label in identifier.labels if len(label) == 2 or label == "zxx"])
    return identifier
