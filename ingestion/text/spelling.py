"""Words at one typing error from another: a letter too many, one missing, one wrong, or two exchanged.

After Norvig, "How to write a spelling corrector" (2007). Damerau (1964) found that four of five misspelt
words have one of these errors.
"""

from collections.abc import Iterator
from string import ascii_lowercase

ENGLISH_LETTERS = ascii_lowercase
# Those that European languages with Latin letters write most.
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßáàâãåçéèêíìîñóòôõøúùûœæ"
_SHORTEST = 5  # one error makes most shorter words another word
_LONGEST = 25


def can_be_misspelt(word: str) -> bool:
    """Whether a word is long enough, and of letters alone, for its neighbours to be the same word."""
    return _SHORTEST <= len(word) <= _LONGEST and word.isalpha()


def neighbours(word: str, letters: str = LETTERS) -> Iterator[str]:
    """Yield the words at one typing error from a word in lower case; some more than once. `letters` are those
    that may be put in."""
    for place in range(len(word) + 1):
        left, right = word[:place], word[place:]
        if right:
            yield left + right[1:]
        if len(right) > 1:
            yield left + right[1] + right[0] + right[2:]
        for letter in letters:
            if right:
                yield left + letter + right[1:]
            yield left + letter + right
