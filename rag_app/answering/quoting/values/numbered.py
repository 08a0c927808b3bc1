"""Things that a number tells apart: "week 5", "group 2", "Article 12"."""

import re

from ingestion.text.stopwords import stopwords_of

# The word before the number; "8 values", "in 2019" and "sales 49%" are no such things.
_THING = re.compile(
    r"\b(?P<word>[^\W\d_]{3,}?)s?\s+(?:no\.?\s*|nr\.?\s*|#)?(?P<number>\d{1,3}[a-z]?)"
    r"(?![\w%])(?!\s?%|[.,:/-]\d|\s*(?:million|billion))",
    re.IGNORECASE,
)
# Before numbers that count, date or measure; stop words as well.
_OTHER_WORDS = frozenset(
    re.findall(
        r"\w+",
        """january february march april may june july august september october november december jan feb mar
        apr jun jul aug sep sept oct nov dec januar februar märz mai juni juli oktober dezember
        approximately around average aged every exactly first last least less nearly next past per plus
        previous total within""",
    )
)


def numbered_things(text: str) -> dict[str, set[str]]:
    """Return the words before numbers in a text → the numbers, lower case: "Week 5" → {"week": {"5"}}."""
    found: dict[str, set[str]] = {}
    for match in _THING.finditer(text):
        word = match["word"].casefold()
        if word not in _OTHER_WORDS and word not in stopwords_of("en"):
            found.setdefault(word, set()).add(match["number"].casefold())
    return found


def is_of_other_number(asked: dict[str, set[str]], text: str) -> bool:
    """Return whether a text is about "week 3" where "week 5" is asked for, and says nothing of that."""
    own = numbered_things(text)
    return any(word in own and not own[word] & numbers for word, numbers in asked.items())


def is_of_asked_number(asked: dict[str, set[str]], text: str) -> bool:
    """Return whether a text has a thing with the number that is asked for."""
    own = numbered_things(text)
    return any(own.get(word, set()) & numbers for word, numbers in asked.items())
