"""Forms of the US Securities and Exchange Commission: which form, of whom, for which period."""

import re
from dataclasses import dataclass

from ingestion.fields.front_matter import FrontMatter
from ingestion.fields.organisations import as_written, has_legal_form
from ingestion.fields.periods import Period, calendar_quarter, of_date, quarter_of, spoken_period, year_ending
from ingestion.text.dates import Date, dates

# Characters of the first page in which its head stands, and of a label's value behind it.
_HEAD = 1_500
_VALUE = 110
# The most lines of a company's name.
_MOST_LINES = 3
_COMMISSION = re.compile(r"securities\s+and\s+exchange\s+commission", re.IGNORECASE)
_FORM = re.compile(
    r"^\W*form\s+(?P<form>10-?K(?:T|405|SB)?|10-?QT?|8-?K|20-?F|40-?F|6-?K)(?P<amended>/A)?\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    r"\(?\s*exact\s+names?\s+of\s+(?:each\s+)?(?:the\s+)?registrants?\s+as\s+specified\s+in", re.IGNORECASE
)
_FILE_NUMBER = re.compile(r"commission\s+file\s+(?:number|no)", re.IGNORECASE)
_YEAR_ENDED = re.compile(r"\byear\s+ended\b", re.IGNORECASE)
_QUARTER_ENDED = re.compile(r"\b(?:quarterly\s+period|quarter)\s+ended\b", re.IGNORECASE)
_REPORTED = re.compile(r"\bdate\s+of\s+report\b", re.IGNORECASE)
# A line between the head of the form and the name: a number, a date, a label.
_NO_NAME = re.compile(
    r"commission|securities|exchange\s+act|transition\s+period|for\s+the\b|date\s+of|washington|\bform\b|"
    r"\bor\b$|mark\s+one|\(.*\)|\d{4}|^[\W\d_]*$|:$",
    re.IGNORECASE,
)
_RULED = re.compile(r"[_\W]*")


@dataclass(frozen=True, slots=True)
class Filing:
    """A form, in the commission's spelling, such as 10-K."""

    form: str
    is_amended: bool

    @property
    def title(self) -> str:
        """What the form is called."""
        return f"Form {self.form}{'/A' if self.is_amended else ''}"

    @property
    def covers(self) -> str:
        """What it reports on: "year", "quarter" or "event"."""
        if self.form.startswith(("10-K", "20-F", "40-F")):
            return "year"
        return "quarter" if self.form.startswith("10-Q") else "event"


def filing_of(front: FrontMatter) -> Filing | None:
    """Return the form that a first page is the head of; None for another document."""
    head = front.first[:_HEAD]
    match = _FORM.search(head)
    if match is None or not _COMMISSION.search(head):
        return None
    form = match["form"].upper().replace("-", "")
    form = re.sub(r"^(\d+)", r"\1-", form)
    return Filing(form, bool(match["amended"]))


def registrant(front: FrontMatter) -> str:
    """Return the company that files, as its text writes it; "" where the head does not show it."""
    if named := _NAMED.search(front.first):
        above = front.first[: named.start()].splitlines()
        lines: list[str] = []
        for line in reversed([" ".join(one.split()) for one in above]):
            if _RULED.fullmatch(line) and not lines:
                continue
            if _NO_NAME.search(line) or len(lines) == _MOST_LINES:
                break
            lines.insert(0, line)
        return as_written(_one_name(lines), front.text)
    if number := _FILE_NUMBER.search(front.first):
        below = [" ".join(line.split()) for line in front.first[number.end() :].splitlines()[1:]]
        line = next((one for one in below if not _RULED.fullmatch(one)), "")
        if has_legal_form(line) and not _NO_NAME.search(line):
            return as_written(line, front.text)
    return ""


def _one_name(lines: list[str]) -> str:
    """Return the name in these lines, which may be one name in several lines or several names."""
    if len(lines) > 1 and all(map(has_legal_form, lines)):
        return lines[0]
    return " ".join(lines)


def filing_period(front: FrontMatter, filing: Filing) -> Period | None:
    """Return the fiscal year, the quarter or the day that a form is for."""
    if filing.covers == "event":
        return _day_of_report(front)
    pattern = _YEAR_ENDED if filing.covers == "year" else _QUARTER_ENDED
    match = pattern.search(front.first)
    found = [one for one in dates(front.first[match.end() :][:_VALUE]) if one.day] if match else []
    if not found:
        return None
    if filing.covers == "quarter":
        return quarter_ending(found[0], front.name_words)
    named = f"{front.text} {_fiscal_years(front.name_words)}"
    return year_ending(found[0], named)


def quarter_ending(end: Date, named: str) -> Period | None:
    """Return the quarter that ends on a day.

    Which quarter of a company's year that is, the head of the form does not say; the file's name may. Where
    neither it nor the calendar tells, the day itself is the period.

    Args:
        named: Words that may name the quarter, as the file's name does.
    """
    by_name, by_calendar = spoken_period(named), calendar_quarter(end)
    if by_name and by_name.quarter and by_calendar and abs(by_name.year - by_calendar.year) <= 1:
        same = (by_name.year, by_name.quarter) == (by_calendar.year, by_calendar.quarter)
        return Period(by_name.year, by_name.fiscal or not same, by_name.quarter)
    return quarter_of(end) or of_date(end)


def _fiscal_years(name: str) -> str:
    """Return a file's name with each year as a fiscal one: "10K 2023" of a filing means that."""
    return " ".join(f"fiscal {year}" for year in re.findall(r"\b(?:19|20)\d\d\b", name))


def _day_of_report(front: FrontMatter) -> Period | None:
    """The day of report stands behind its label, or in the line above."""
    label = _REPORTED.search(front.first)
    if label is None:
        return None
    named = _NAMED.search(front.first, label.end())
    end = min(label.end() + 2 * _VALUE, named.start() if named else len(front.first))
    behind = dates(front.first[label.end() : end])
    above = dates(front.first[max(0, label.start() - _VALUE) : label.start()])
    found = [one for one in (*behind[:1], *above[-1:]) if one.day and one.year]
    return of_date(found[0]) if found else None
