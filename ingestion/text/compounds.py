"""Single terms for dates, numbers and codes that people write as several words or in several forms.

Dates (3 March 2024, 03/03/2024) become 2024-03-03. Numbers with spaces or foreign separators between
thousands (1 234 567, 12,34,567, 1.234.567,89) become plain digits. Codes, ISBNs and account numbers (AB 12
34, 978-3-16-148410-0, DE89 3704 0044 …) become one word. Their parts are terms as well.
"""

import re
from collections.abc import Iterator

from ingestion.text.cjk import number_pattern
from ingestion.text.dates import dates
from ingestion.text.languages import decimal_mark
from ingestion.text.numbers import GROUPED, plain_number

# Numbers in groups: of three digits, or of two and then three; with points and commas in any order.
_NUMBER = re.compile(rf"{GROUPED}|(?<![\w.,])\d{{1,3}}(?:[.,]\d{{2,3}})+(?:[.,]\d+)?(?![\d.,]*\d)(?!\w)")
# Letters in capitals with groups of digits behind them; an account's number (IBAN, ISO 13616); digits in
# three groups or more with hyphens between them, or a book's number.
SPACED_CODE = re.compile(
    r"(?<![^\W_])(?:[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?|"
    r"[A-Z]{1,4} ?\d{2,6}(?: \d{2,6}){1,5}|97[89](?:[ -]\d{1,7}){3,4}|\d{2,8}(?:-\d{1,8}){1,5})(?![^\W_])"
)
_LEAST_DIGITS = 6
_HAS_DIGITS = re.compile(r"\d\D?\d")
_SEPARATORS = re.compile(r"[ -]")


def compounds(text: str, language: str) -> Iterator[tuple[str, int, int]]:
    """Yield (term, start, end) for each compound, dates first."""
    if not _HAS_DIGITS.search(text):
        return
    dated = []
    for date in dates(text):
        for day in date.days:
            yield day, date.start, date.end
        dated.append((date.start, date.end))
    own = number_pattern(decimal_mark(language))
    for match in _NUMBER.finditer(text):
        number = plain_number(match[0])
        # A number in the language's own notation is one word already.
        if number and (" " in match[0] or not own.fullmatch(match[0])) and not _is_within(match, dated):
            yield number, match.start(), match.end()
    for match in SPACED_CODE.finditer(text):
        if not _is_within(match, dated) and is_code(match[0]):
            yield _SEPARATORS.sub("", match[0]).casefold(), match.start(), match.end()


def is_code(text: str) -> bool:
    """Whether a match of SPACED_CODE is a code, and not a range of years or a short sum."""
    if text[0].isalpha():
        return True
    parts = _SEPARATORS.split(text)
    years = all(len(part) == 4 and part[:2] in ("18", "19", "20") for part in parts)
    # Hyphens around a single digit join the whole in `segments.pieces`.
    joined = "-" in text and any(len(part) == 1 for part in parts)
    return sum(map(len, parts)) >= _LEAST_DIGITS and not years and not joined


def _is_within(match: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start < match.end() and match.start() < end for start, end in spans)
