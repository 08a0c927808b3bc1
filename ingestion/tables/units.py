"""Units of a table's amounts: what scale and currency they have, and how a cell is shown with them."""

import re
from dataclasses import dataclass

from ingestion.tables.periods import PERIOD_YEAR

# (in millions, except per share data) · (Dollars in thousands) · in billions of dollars
UNIT = re.compile(
    r"\((?:[^()\n\d]{0,40}?\b)?(?P<unit>thousand|million|billion)s?\b(?P<rest>[^)\n]*)\)?|"
    r"^(?:(?:u\.?s\.? )?(?:dollars|amounts|\$|€|usd) )?in (?P<plain>thousand|million|billion)s\b"
    r"(?P<more>.*)$|(?:[$€£]|\b(?:dollars|amounts|shares|figures|data))[^.;:()\n\d]{0,40}? in "
    r"(?P<words>thousand|million|billion)s\b(?P<besides>[^)\n]*)|[($€£]\s?(?P<short>000s?)\b(?:['’]s)?|"
    r"\bin (?P<last>thousand|million|billion)s\)?\s?:$",
    re.IGNORECASE,
)
# Labels of amounts that a table's unit is not for.
COUNT = re.compile(
    r"\bnumber\b|(?<!per )(?<!per-)\bshares?"
    r"(?: (?:outstanding|used|issued|repurchased|purchased|granted|vested))?\W*$|"
    r"\bshares used\b|\b(?:weighted|dilutive|employees|stores|restaurants|customers|units|headcount|count|"
    r"members|memberships?|hours|tokens|votes|subscribers)\b",
    re.IGNORECASE,
)
# Places and people that a table's unit is never for: 908 "Stores at Beginning of Quarter" ($ in millions).
_WHOLE_NUMBER = re.compile(
    r"\bnumber of\b[^|]{0,40}\b(?:stores|restaurants|employees|locations|branches)\b|\bheadcount\b|\bvotes\b|"
    r"\b(?:store|restaurant|club|branch) (?:openings|closings|closures|count)\b|"
    r"\b(?:stores|restaurants|employees|locations|branches)\b[^|]{0,20}"
    r"\b(?:opened|closed|(?:at|as of)(?: the)? (?:beginning|end))\b",
    re.IGNORECASE,
)
# What is counted, and whose money it may be: "Revenues from franchised restaurants" are no number.
_OWNERS = re.compile(
    r"\b(?:employees|stores|restaurants|customers|members|memberships?|subscribers)\b", re.IGNORECASE
)
_MONEY = re.compile(
    r"\b(?:revenues?|sales|income|fees?|expenses?|costs?|cash|proceeds|receivables?|payables?|loans?)\b",
    re.IGNORECASE,
)
# Labels of percentages and other ratios; "4.625% Senior Notes" is none.
RATIO = re.compile(
    r"^\W*%|\bpercent(?:age)?\b|\(%\)|%\s(?:of|change)|\b(?:rates?|margins?|yields?|ratios?|days|weeks)\W*$",
    re.IGNORECASE,
)
# A unit that is not for counts: "except share and per share data"; "except per share data" is for them.
EXEMPT_COUNTS = re.compile(r"\bnumber|(?<!per )(?<!per-)\bshares?\b", re.IGNORECASE)
# (…, except number of shares, which are reflected in thousands, …)
COUNTS_IN = re.compile(r"\bshares\b[^)]{0,30}\bin (thousand|million)s", re.IGNORECASE)
# Amounts for one share or unit, and averages of such prices.
PER_UNIT = re.compile(
    r"\bper\b|\bbasic\b|\bdiluted\b|\bweighted[- ]\s?average\b.*\b(?:prices?|values?)\b|"
    r"\b(?:exercise|average|share|stock) prices?\b|\bgrant[- ]date fair values?\b",
    re.IGNORECASE,
)
# Lengths of time: "Weighted average remaining term (years)".
YEARS = re.compile(
    r"\((?:in )?(?:years|months)\)|\bin years\b|\b(?:remaining|average|expected|useful|vesting)\b"
    r".*\b(?:term|period|life|lives)\b",
    re.IGNORECASE,
)
CURRENCY = re.compile(r"[$€£¥]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A scale ("thousand", "million", "billion" or ""), and what it is not for: "except per share data"."""

    scale: str = ""
    exempt: str = ""


def unit_in(text: str) -> Unit:
    """Return the unit that a line of a table's head says; without a scale where it says none."""
    found = UNIT.search(text)
    if found is None:
        return Unit()
    scale = found["unit"] or found["plain"] or found["words"] or found["last"] or "thousand"
    besides = found["rest"] or found["more"] or found["besides"] or ""
    own = "xcept" in besides or COUNTS_IN.search(besides) is not None
    return Unit(scale.lower(), besides.strip(" ,;:") if own else "")


def without_unit(text: str) -> str:
    """Return a head without the unit that it says in brackets."""
    return " ".join(UNIT.sub(" ", text).split()).strip()


def is_count(text: str) -> bool:
    """Return whether a row's label, with what it stands below, is of a number and not of money."""
    return COUNT.search(_OWNERS.sub("", text) if _MONEY.search(text) else text) is not None


def is_whole_number(value: str, text: str) -> bool:
    """Return whether a value counts places or people, which no table gives in thousands or millions.

    Args:
        value: As it stands in the cell.
        text: Its row's label, with what it stands below.
    """
    return (
        not CURRENCY.search(value)
        and not re.search(r"\d\.\d", value)
        and not _MONEY.search(text)
        and _WHOLE_NUMBER.search(text) is not None
    )


def shown_amount(value: str, label: str, unit: Unit, currency: str, *, section: str = "") -> str:
    """Return a cell's value with the currency and the unit that hold for it: $1,001,425 thousand.

    Args:
        value: As it stands in the cell.
        label: Of its row: a count, a ratio or an amount per share has no unit of money.
        unit: The table's.
        currency: The table's sign; "" without one.
        section: What the row stands below.
    """
    bare = re.sub(r"\s+(?=[%)])|(?<=[$€£¥(])\s+", "", value).strip()
    if not any(map(str.isdigit, bare)) or "%" in bare or PERIOD_YEAR.fullmatch(bare):
        return bare
    if bare.startswith("(") and not bare.endswith(")"):
        bare += ")"
    own = CURRENCY.search(bare) is not None
    text = f"{section} {label}"
    is_small = PER_UNIT.search(text) is not None and re.search(r"\d\.\d{2,4}\b", bare) is not None
    is_exempt = is_count(text) and EXEMPT_COUNTS.search(unit.exempt) is not None
    is_ratio = RATIO.search(label) is not None and not own and "," not in bare
    is_money = own or not (is_count(text) or is_ratio)
    sign = currency if is_money and not own else ""
    is_time = YEARS.search(text) is not None and not own and re.fullmatch(r"\d{1,2}(?:\.\d{1,2})?", bare)
    scale = "" if is_small or (is_exempt and not own) or is_ratio or is_time else unit.scale
    return f"{sign}{bare}{' ' + scale if scale else ''}"
