"""Lexical analysis: what BM25 takes for a word, in many languages.

text ──segments──▶ pieces ──stem, fold──▶ terms ──keyed hash──▶ FTS5 (tokenize='ascii')
"""

from ingestion.words.acronyms import asked_acronyms, without_acronyms
from ingestion.words.detection import detect_language
from ingestion.words.function_words import function_words
from ingestion.words.languages import UNDETERMINED
from ingestion.words.terms import ANALYSER, Analyser, words

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
