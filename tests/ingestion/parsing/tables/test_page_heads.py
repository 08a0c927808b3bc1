"""Heads over several columns, forms, and tables beside prose, on pages that a test draws."""

from itertools import pairwise
from pathlib import Path

from ingestion.tables.cells import period_of_cell, unit_of_cell
from tests.helpers.placed_text import LEFT, centred, page, right_aligned
from tests.ingestion.parsing.tables.test_page_tables import grid, tables

RIGHTS = (290.0, 360.0, 430.0, 500.0)
Words = list[tuple[float, float, str]]


def values(top: float, label: str, *figures: str) -> Words:
    return [
        (LEFT, top, label),
        *(right_aligned(right, top, one) for right, one in zip(RIGHTS, figures, strict=False)),
    ]


def heads(top: float, *texts: str) -> Words:
    return [centred(right - 12, top, text) for right, text in zip(RIGHTS, texts, strict=False) if text]


BODY = [*values(130, "Revenue", "123", "110", "240", "215"), *values(144, "Costs", "70", "66", "141", "130")]


def test_a_head_stands_over_columns_whose_lines_have_spaces_between_them(tmp_path: Path) -> None:
    """The line below a head is drawn column by column; no other head stands above the others' parts."""
    words = [centred(383, 90, "As of June 30, 2023"), *heads(110, "Cash", "Bonds", "Loans", "Total"), *BODY]
    lines = [(right - 60, 102.0, right, 102.0) for right in RIGHTS]
    (table,) = tables(tmp_path, page(words, lines))
    assert [column.head for column in table.columns] == [
        f"As of June 30, 2023 {name}" for name in ("Cash", "Bonds", "Loans", "Total")
    ]


def test_heads_stand_over_what_repeats_below_them(tmp_path: Path) -> None:
    words = [
        centred(330, 90, "Net income"),
        centred(460, 90, "Cash flow"),
        *heads(110, "2023", "Change", "2023", "Change"),
        *BODY,
    ]
    (table,) = tables(tmp_path, page(words))
    assert [column.head for column in table.columns] == [
        "Net income 2023",
        "Net income Change",
        "Cash flow 2023",
        "Cash flow Change",
    ]


def test_the_word_that_ends_a_head_is_no_section(tmp_path: Path) -> None:
    words = [*heads(105, "2021", "2022", "2023", "Target"), *heads(115, "", "", "", "met"), *BODY]
    (table,) = tables(tmp_path, page(words))
    assert table.columns[3].head == "Target met"
    assert [line.section for line in table.rows] == [(), ()]


def test_short_labels_and_indented_ones_are_one_column(tmp_path: Path) -> None:
    words = [
        *heads(110, "2021", "2022", "2023", "2024"),
        *[(left + 25 * (left == LEFT), top, text) for left, top, text in BODY],
        *values(158, "All", "53", "44", "99", "85"),
    ]
    (table,) = tables(tmp_path, page(words))
    assert [line[0] for line in grid(table)] == ["Revenue", "Costs", "All"]


def test_a_date_among_the_rows_holds_until_the_next(tmp_path: Path) -> None:
    words = [
        *heads(90, "Cost", "Gains", "Losses", "Value"),
        (LEFT, 110, "December 31, 2023"),
        *values(124, "Bonds", "12", "1", "2", "11"),
        *values(138, "Total", "12", "1", "2", "11"),
        (LEFT, 152, "December 31, 2022"),
        *values(166, "Bonds", "10", "1", "1", "10"),
    ]
    (table,) = tables(tmp_path, page(words))
    assert [period_of_cell(table, line, 0) for line in table.rows] == [
        "December 31, 2023",
        "December 31, 2023",
        "December 31, 2022",
    ]


def test_the_rows_of_a_form_are_no_heads(tmp_path: Path) -> None:
    words = [
        (left, top, text)
        for top, texts in (
            (90, ("Airport:", "Green Field", "Surface:", "Grass")),
            (104, ("Elevation:", "120 ft", "Condition:", "Dry")),
            (118, ("Runway:", "23", "Lights:", "2")),
            (132, ("Length:", "800", "Width:", "30")),
        )
        for left, text in zip((LEFT, 160, 300, 400), texts, strict=True)
    ]
    (table,) = tables(tmp_path, page(words))
    assert grid(table)[0] == ["Airport:", "Green Field", "Surface:", "Grass"]
    assert not any(column.head for column in table.columns)


def test_a_table_beside_prose_has_none_of_it(tmp_path: Path) -> None:
    prose = [
        (LEFT, 90 + 11.5 * line, "The firm lends money to clients and to banks abroad") for line in range(12)
    ]
    beside = [(310, 120, "Loans"), (310, 134.5, "Bonds"), (310, 149, "Shares"), (310, 163.5, "Total")]
    figures = [
        right_aligned(right, top, figure)
        for (_, top, _), pair in zip(beside, ("12 10", "30 28", "7 9", "49 47"), strict=True)
        for right, figure in zip((450.0, 520.0), pair.split(), strict=True)
    ]
    others = [(310, 90 + 14.5 * line, "A note that is short") for line in (0, 8)]
    words = [
        *prose,
        *beside,
        *figures,
        *others,
        right_aligned(450, 104.5, "2023"),
        right_aligned(520, 104.5, "2022"),
    ]
    (table,) = tables(tmp_path, page(words))
    assert grid(table) == [
        ["Loans", "12", "10"],
        ["Bonds", "30", "28"],
        ["Shares", "7", "9"],
        ["Total", "49", "47"],
    ]


def test_upright_lines_alone_show_where_a_table_ends(tmp_path: Path) -> None:
    """Cells are coloured in the head's row, and no line lies below the last row."""
    xs, ys = (60.0, 180.0, 260.0, 340.0, 420.0), (80.0, 110.0, 150.0)
    names = ("Measure", "2021", "2022", "Met/")
    words = [centred((one + two) / 2, 86, name) for (one, two), name in zip(pairwise(xs), names, strict=True)]
    words += [centred(380, 97, "Not met"), (64, 117, "Answers within"), (64, 129, "five minutes")]
    words += [
        centred((one + two) / 2, 123, text)
        for (one, two), text in zip(pairwise(xs[1:]), ("71", "75", "Met"), strict=True)
    ]
    fills = [(one, ys[0], two, ys[1]) for one, two in pairwise(xs)]
    (table,) = tables(tmp_path, page(words, [(x, ys[0], x, ys[2]) for x in xs[1:]], fills))
    assert [column.head for column in table.columns] == ["2021", "2022", "Met/ Not met"]
    assert grid(table) == [["Answers within five minutes", "71", "75", "Met"]]


def test_a_percentage_sign_in_the_first_row_is_the_columns(tmp_path: Path) -> None:
    words = [
        *heads(110, "2023", "2022", "Change", "Share"),
        *values(130, "Revenue", "$ 1,230", "$ 1,100", "12%", "60%"),
        *values(144, "Costs", "(14)", "66", "8", "40"),
        (LEFT, 90, "(in millions)"),
    ]
    (table,) = tables(tmp_path, page(words))
    assert [unit_of_cell(table, table.rows[1], column) for column in range(4)] == [
        "million",
        "million",
        "%",
        "%",
    ]
