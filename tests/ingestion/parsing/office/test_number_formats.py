"""Numbers, dates and durations as cells show them."""

import datetime as dt

import pytest

from ingestion.parsing.office.date_formats import Moment, shown_moment
from ingestion.parsing.office.number_formats import shown_number, shown_text


def moment(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # sheets know no time zones


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (2134, "00000", "02134"), (0.075, "0.0%", "7.5%"), (0.4, "0%", "40%"), (0, "0%", "0%"),
        (1234.5, '"$"#,##0.00', "$1,234.50"), (12345678901.25, "#,##0.00", "12,345,678,901.25"),
        (1234567890123.5, "#,##0.00", "1,234,567,890,123.50"),
        (1234567890123.5, "General", "1234567890123.5"),
        (123456789012345, "General", "123456789012345"), (123456789012345, "0", "123456789012345"),
        (0.1 + 0.2, "General", "0.3"), (1e-7, "General", "0.0000001"),
        (2.0, None, "2"), (-2.5, "General", "-2.5"),
        (-1234.5, "#,##0.00", "-1,234.50"), (-1234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"),
        (-5, "0;[Red]-0", "-5"), (0, '0;-0;"none"', "none"),
        (3, '0;-0;"none"', "3"), (-0.001, "0.00", "0.00"),
        (1234.567, "0", "1235"), (2.5, "0", "3"), (0.5, "#", "1"), (0.25, "#.##", ".25"), (3, "#.##", "3"),
        (1.5, "0.0?", "1.5"), (12345, "0.00E+00", "1.23E+04"), (0.00012, "0.0E+0", "1.2E-4"),
        (99999, "0.0E+0", "1.0E+5"), (12345, "##0.0E+0", "12.3E+3"),
        (0.75, "# ?/?", "3/4"), (1.5, "# ?/?", "1 1/2"), (2, "# ?/?", "2"), (0.3, "# ??/100", "30/100"),
        (1234567, "#,##0,", "1,235"), (1234567, '0.0,,"M"', "1.2M"), (5, '0" kg"', "5 kg"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"), (1234.5, "#,##0.00 [$€-1]", "1,234.50 €"),
        (1234.5, "_-* #,##0.00_-", "1,234.50"), (123456789, "000-00-0000", "123-45-6789"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"), (1234567, "###-####", "123-4567"),
        (7, "@", "7"), (1500, '[>=1000]0.0,"k";0', "1.5k"), (15, '[>=1000]0.0,"k";0', "15"),
        (5, ";;;", "5"), (0.5, '0.0"%"', "0.5%"), (45.5, '0.0" °C"', "45.5 °C"), (1e300, "0.00", "1E+300"),
        (42, "0\\x", "42x"), (12, '"No. "0', "No. 12"), (-12, '"No. "0', "-No. 12"),
    ],
)  # fmt: skip
def test_numbers(value: float, number_format: str | None, shown: str) -> None:
    assert shown_number(value, number_format) == shown


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (moment(2024, 3, 5), "dd/mm/yyyy", "05/03/2024"),
        (moment(2023, 11, 30, 14, 5), "dd/mm/yyyy hh:mm", "30/11/2023 14:05"),
        (moment(2024, 3, 5), "mm-dd-yy", "2024-03-05"),
        (moment(2024, 3, 5), "d mmm yy", "5 Mar 24"),
        (moment(2024, 3, 5), '[$-F800]dddd, mmmm dd, yyyy', "Tuesday, March 05, 2024"),
        (moment(2024, 3, 5, 15, 4, 9), "h:mm:ss AM/PM", "3:04:09 PM"),
        (moment(2024, 3, 5), 'yyyy"年"m"月"d"日"', "2024年3月5日"),
        (moment(2024, 3, 5), "mmm-yy", "Mar-24"), (dt.date(2024, 3, 1), "yyyy-mm-dd", "2024-03-01"),
        (dt.time(7, 30), "hh:mm", "07:30"), (dt.time(22, 0), "h:mm", "22:00"),
        (dt.time(0, 5, 9), "mm:ss", "05:09"),
        (dt.timedelta(hours=37, minutes=30), "[h]:mm", "37:30"), (dt.timedelta(hours=8), "[h]:mm", "8:00"),
        (dt.timedelta(hours=100, minutes=2, seconds=3), "[hh]:mm:ss", "100:02:03"),
        (dt.timedelta(minutes=90), "[mm]:ss", "90:00"), (dt.timedelta(minutes=2), "[s]", "120"),
        (moment(2024, 3, 5), "General", "2024-03-05"),
    ],
)  # fmt: skip
def test_moments(value: Moment, number_format: str, shown: str) -> None:
    assert shown_moment(value, number_format) == shown


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [("AB", '"ID-"@', "ID-AB"), ("AB", "@", "AB"), ("AB", "0.00", "AB"), ("AB", '0;0;0;"<"@">"', "<AB>")],
)
def test_texts(value: str, number_format: str, shown: str) -> None:
    assert shown_text(value, number_format) == shown


@pytest.mark.parametrize(
    "number_format", ["", '"', "\\", "[", "0" * 300, "E+", "/", "0/0", "#,", ",", "[h", "0.0.0", "?/?"]
)
def test_a_broken_format_shows_the_number(number_format: str) -> None:
    assert any(map(str.isdigit, shown_number(12.5, number_format)))
