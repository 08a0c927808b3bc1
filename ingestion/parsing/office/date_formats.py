"""Dates, times and durations as a cell of a spreadsheet shows them, by ECMA-376, in English."""

import datetime as dt

from ingestion.parsing.office.number_formats import FormatSection, format_sections

# Formats that programs show in the order of the user's country; here always ISO 8601.
_OF_THE_COUNTRY = {"mm-dd-yy": "yyyy-mm-dd", "m/d/yy h:mm": "yyyy-mm-dd h:mm"}

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Moment = dt.datetime | dt.date | dt.time | dt.timedelta


def shown_moment(value: Moment, number_format: str | None) -> str:
    """A date, time or duration as its cell shows it; ISO 8601 for formats of the user's country."""
    section = format_sections(_OF_THE_COUNTRY.get(number_format or "", number_format or "General"))[0]
    if not section.has("date", "elapsed"):
        return _plain_moment(value)
    return _MomentLayout(section).text(value)


def _plain_moment(value: Moment) -> str:
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return str(value.date())
    return str(value)


_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  # day 0 of the programs, which know no time zones
_MOST_DAYS = 600_000


class _MomentLayout:
    """Formats dates, times and durations by a section."""

    def __init__(self, section: FormatSection) -> None:
        self._tokens = section.tokens
        self._half = section.has("half")

    def text(self, value: Moment) -> str:
        if isinstance(value, dt.timedelta):
            seconds = value.total_seconds()
            moment = _EPOCH + value if abs(value.days) < _MOST_DAYS else _EPOCH
        else:
            moment = _as_datetime(value)
            seconds = (moment - _EPOCH).total_seconds()
        sign = "-" if seconds < 0 and any(kind == "elapsed" for kind, _ in self._tokens) else ""
        shown = [self._one(place, moment, abs(seconds)) for place in range(len(self._tokens))]
        return (sign + "".join(shown)).strip()

    def _one(self, place: int, moment: dt.datetime, seconds: float) -> str:
        kind, text = self._tokens[place]
        if kind == "elapsed":
            whole = int(seconds + 0.5e-3)
            count = whole // {"h": 3600, "m": 60, "s": 1}[text[0]]
            return f"{count:0{len(text)}d}"
        if kind == "half":
            full = "AM" if moment.hour < 12 else "PM"
            return full if len(text) > 3 else full[0]
        if kind == "date":
            return self._date(place, text.lower(), moment)
        return text

    def _date(self, place: int, text: str, moment: dt.datetime) -> str:  # noqa: PLR0911  # a letter each
        letter, width = text[0], len(text)
        if letter in "ye":
            return f"{moment.year % 100:02d}" if width <= 2 and letter == "y" else f"{moment.year:04d}"
        if letter == "d":
            name = _DAYS[moment.weekday()]
            return str(moment.day).zfill(width) if width <= 2 else name[:3] if width == 3 else name
        if letter == "h":
            hour = (moment.hour - 1) % 12 + 1 if self._half else moment.hour
            return str(hour).zfill(min(width, 2))
        if letter == "s":
            whole, _, part = text.partition(".")
            digits = f"{moment.microsecond:06d}"[: len(part)]
            return str(moment.second).zfill(len(whole)) + (f".{digits}" if part else "")
        if width <= 2 and self._are_minutes(place):
            return str(moment.minute).zfill(width)
        name = _MONTHS[moment.month - 1]
        if width <= 2:
            return str(moment.month).zfill(width)
        return {3: name[:3], 5: name[0]}.get(width, name)

    def _are_minutes(self, place: int) -> bool:
        """Whether an `m` means minutes: after hours, or before seconds."""
        before = [t for kind, t in self._tokens[:place] if kind in ("date", "elapsed")]
        after = [t for kind, t in self._tokens[place + 1 :] if kind in ("date", "elapsed")]
        return (bool(before) and before[-1][0] in "hH") or (bool(after) and after[0][0] in "sS")


def _as_datetime(value: dt.datetime | dt.date | dt.time) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    return dt.datetime.combine(dt.date(1899, 12, 30), value.replace(tzinfo=None))
