"""Numbers, dates and negations, compared literally."""

import pytest

from ingestion.text.dates import dates
from ingestion.text.numbers import numbers
from rag_app.answering.fact_check import Literal, compare, negations


def outcome(claim: str, source: str, context: str = "") -> Literal:
    return compare(claim, source, context).literal


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Revenue was 66,608.", "Total revenues $66,608 $62,286 $58,158"),
        ("Revenue was $66608.", "Total revenues $66,608"),
        ("It fell 12 percent.", "a decline of 12%"),
        ("It fell 12.0%.", "a decline of 12 %"),
        ("Three ships sank.", "3 ships sank"),
        ("3 ships sank.", "Three ships sank"),
        ("Twenty-one men rowed.", "There were 21 men at the oars."),
        ("It cost 1.5 million.", "The cost was 1,500,000 francs."),
        ("It cost $2 billion.", "a cost of two billion dollars"),
        ("COVID-19 spread.", "the COVID-19 pandemic"),
        ("H1N1 spread in FY2022.", "In fiscal 2022 H1N1 spread"),
        ("One of them left.", "A man left."),
        ("It holds.", "It holds no 7 and 8."),
        ("Der Umsatz stieg um 2,5 Prozent.", "ein Plus von 2,5 %"),
        ("It rose 2.5%.", "ein Plus von 2,5 %"),
        ("It cost 1.234.567 euros.", "Es kostete 1.234.567 Euro."),
        ("It cost 1,234,567 euros.", "Es kostete 1.234.567,00 Euro."),
        ("It cost 1234 euros.", "Es kostete 1.234 Euro."),
        ("It cost 12\u202f345,6 francs.", "12345.6 francs"),
        ("See section 1.2.3 there.", "section 1.2.3"),
        ("Samples 4,5,6 failed.", "Samples 4, 5 and 6 failed."),
    ],
)
def test_figures_are_compared_by_value(claim: str, source: str) -> None:
    assert outcome(claim, source) is Literal.STATED


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Revenue was 66,806.", "Total revenues $66,608 $62,286 $58,158"),
        ("Revenue was 66.", "Total revenues $66,608"),
        ("It fell 21%.", "a decline of 12%"),
        ("It fell 1.2%.", "a decline of 12%"),
        ("Four ships sank.", "Three ships sank"),
        ("It cost 5 billion.", "The cost was 5 million."),
        ("It took 7 days.", "It took some days."),
        ("It was built in 1912.", "It was built in 1921."),
        ("Der Umsatz stieg um 2,7 Prozent.", "ein Plus von 2,5 %"),
        ("It cost 1.234.999 euros.", "Es kostete 1.234.567 Euro."),
        ("It cost 1.235 euros.", "Es kostete 1.234 Euro."),
        ("See section 1.2.4 there.", "section 1.2.3"),
        ("See section 3.2.1 there.", "section 1.2.3"),
    ],
)
def test_other_figures_are_contradicted(claim: str, source: str) -> None:
    finding = compare(claim, source)
    assert finding.literal is Literal.CONTRADICTED
    assert finding.reason
    assert "is not in the source" in finding.reason


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Revenue was $66.6 billion.", "Total revenues $66,608 (in millions)"),
        ("Revenue was about 66,600.", "Total revenues $66,608"),
        ("It rose 12.3%.", "It rose 12.34%"),
    ],
)
def test_fewer_digits_are_rounded(claim: str, source: str) -> None:
    assert outcome(claim, source) is Literal.ROUNDED


def test_a_year_may_stand_around_the_source_but_no_other_figure_may() -> None:
    assert outcome("In 2022 it was 643.", "It was 643.", context="BOEING_2022_10K.pdf") is Literal.STATED
    assert outcome("In 2022 it was 643.", "It was.", context="643 in 2022") is Literal.CONTRADICTED


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It broke on 9 May 1987.", "The cable broke on May 9, 1987."),
        ("It broke on 9th May 1987.", "broke 1987-05-09"),
        ("It broke in May 1987.", "broke on 9 May 1987"),
        ("It broke on 9 May.", "broke on May 9th, 1987"),
        ("It broke on 9 May 1987.", "broke on 9 May"),
        ("It may break in 1987.", "perhaps it breaks in 1987"),
        ("Es brach am 9.5.1987.", "am 09.05.1987"),
        ("It broke on 9 May 1987.", "am 9. 5. 1987"),
        ("Es brach am 9.5.1987.", "The cable broke on May 9, 1987."),
        ("It broke on 9 May 1987.", "on 5/9/1987"),
        ("It broke on 9 May 1987.", "on 9/5/1987"),
        ("It broke on 5/9/1987.", "on 9 May 1987"),
        ("It broke on 25/12/1987.", "on 12/25/1987"),
        ("It broke in May 1987.", "on 9/5/1987"),
        ("It broke on 1 May and 11 May.", "It broke on May 1st and May 11th, 1987."),
    ],
)
def test_dates_are_compared_in_one_form(claim: str, source: str) -> None:
    assert outcome(claim, source, context="Log of 1987") is Literal.STATED


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It broke on 8 May 1987.", "broke on May 9, 1987"),
        ("It broke on 9 June 1987.", "broke on May 9, 1987"),
        ("It broke on 9 May 1988.", "broke on May 9, 1987"),
        ("It broke on 9 May 1987.", "broke in May 1987"),
        ("Es brach am 12.05.2021.", "am 12.05.2020"),
        ("Es brach am 12.06.2020.", "am 12.05.2020"),
        ("It broke on 03/05/1987.", "on 05/03/1987"),
        ("It broke on 8 May 1987.", "on 5/9/1987"),
    ],
)
def test_other_dates_are_contradicted(claim: str, source: str) -> None:
    assert outcome(claim, source) is Literal.CONTRADICTED


def test_a_month_alone_is_a_word_like_others() -> None:
    assert outcome("It broke in June.", "broke on May 9, 1987 at 6") is Literal.STATED


@pytest.mark.parametrize(
    ("claim", "source", "expected"),
    [
        ("The ferry did not sail.", "The ferry sailed at noon.", Literal.CONTRADICTED),
        ("The ferry sailed.", "The ferry did not sail.", Literal.CONTRADICTED),
        ("The ferry never sailed.", "The ferry did not sail.", Literal.STATED),
        ("It isn't safe.", "It is not safe.", Literal.STATED),
        ("It is safe.", "It isn’t safe.", Literal.CONTRADICTED),
        ("The crane broke.", "The crane broke, and nobody was hurt.", Literal.STATED),
        ("Nobody was hurt.", "The crane broke, and nobody was hurt.", Literal.STATED),
        ("Somebody was hurt.", "The crane broke, and nobody was hurt.", Literal.CONTRADICTED),
        ("It was not only old but rare.", "It was old and rare.", Literal.STATED),
        ("No more than 5 came.", "At most 5 came.", Literal.STATED),
        ("It works without a key.", "It works without any key.", Literal.STATED),
    ],
)
def test_denials_must_be_the_sources(claim: str, source: str, expected: Literal) -> None:
    assert outcome(claim, source) is expected


def test_what_is_read_in_a_text() -> None:
    assert [n.value for n in numbers("Some 1,200 of 3.5 million, or twenty-two percent (12%).")] == [
        1200, 3.5e6, 12, 22
    ]  # fmt: skip
    assert [(d.year, d.month, d.day) for d in dates("From 3 March 1987 to Sept. 2001, on 2020-01-31.")] == [
        (1987, 3, 3), (2001, 9, None), (2020, 1, 31)
    ]  # fmt: skip
    assert [(n.text, n.denied) for n in negations("He did not see the ships. They never came.")] == [
        ("not", "see"), ("never", "cam")
    ]  # fmt: skip
    assert numbers("") == dates("") == negations("") == []


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It cost 12,34,567 rupees.", "Rs 1,234,567"),
        ("It cost 1 234 567.", "the sum of 1.234.567"),
        ("There were 12 and 345.", "rows 12 345"),
        ("It was sold on 3 March 2024.", "Verkauft am 3. März 2024."),
    ],
)
def test_numbers_and_dates_are_read_in_the_forms_of_other_countries(claim: str, source: str) -> None:
    assert compare(claim, source).literal is Literal.STATED
