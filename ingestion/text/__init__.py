"""Text analysis: cleaning, sentences, names, numbers and dates, and the terms that BM25 counts.

    text ──cjk──▶ words ──stem, fold──▶ terms ──keyed hash──▶ FTS5 (tokenize='ascii')

Import from the modules. This file imports none of them, because every parsing process imports `cleaning`
and would load the stemmer and the language detector with it (0.1 s).
"""
