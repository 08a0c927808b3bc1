"""Lexical analysis: what BM25 takes for a word, in many languages.

text ──segments──▶ pieces ──stem, fold──▶ terms ──keyed hash──▶ FTS5 (tokenize='ascii')
"""

from ingestion.text.acronyms import asked_acronyms, without_acronyms
from ingestion.text.language_detection import detect_language
from ingestion.text.languages import UNDETERMINED
from ingestion.text.stopwords import function_words
from ingestion.text.terms import ANALYSER, Analyser, words

__all__ = [
    "ANALYSER",
    "UNDETERMINED",
    "Analyser",
    "asked_acronyms",
    "detect_language",
    "function_words",
    "without_acronyms",
    "words",
]
