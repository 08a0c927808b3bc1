"""Sentences as spans: nothing lost, and what people would call a sentence, a row, a heading."""

import random

import pytest

from ingestion.text.sentences import sentence_spans


def pieces(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text)]


def assert_every_character_once(text: str) -> None:
    spans = sentence_spans(text)
    covered = [position for span in spans for position in range(span.start, span.end)]
    assert covered == sorted(set(covered))
    outside = set(range(len(text))) - set(covered)
    assert all(text[position].isspace() for position in outside)
    for span in spans:
        assert not text[span.start].isspace()
        assert not text[span.end - 1].isspace()
    paragraphs = [span.paragraph for span in spans]
    assert paragraphs == sorted(paragraphs)


@pytest.mark.parametrize("seed", range(5))
def test_spans_cover_every_character_once(seed: int) -> None:
    generator = random.Random(seed)
    parts = [
        "Dr. Finch", "planted", "it", "in 1921.", "Why?", "“Yes.”", "e.g.", "12.5", "(3)", "•", "1.", "-",
        "\f", "\n", "\n\n", "\n \n", " ", "\t", "\u00a0", "…", "。", "U.S.", "A", "é", "\u200b", "!!!", ".)",
    ]  # fmt: skip
    for _ in range(200):
        words = generator.choices(parts, k=generator.randrange(30))
        assert_every_character_once(generator.choice(["", " "]).join(words))


@pytest.mark.parametrize("text", ["", " ", "\n\n\f \n", "\u00a0"])
def test_white_space_has_no_sentences(text: str) -> None:
    assert sentence_spans(text) == []


def test_sentences_end_at_stops_before_a_capital() -> None:
    assert pieces("It rained. Was it cold? Yes! Then 3 came.") == [
        "It rained.", "Was it cold?", "Yes!", "Then 3 came.",
    ]  # fmt: skip


def test_closing_quotes_belong_to_their_sentence() -> None:
    assert pieces("“It rained.” She left. (He stayed.) So.") == [
        "“It rained.”", "She left.", "(He stayed.)", "So.",
    ]  # fmt: skip


def test_chinese_and_japanese_stops_need_no_space() -> None:
    assert pieces("雨が降った。寒かった。") == ["雨が降った。", "寒かった。"]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Finch met Mr. Lane.",
        "Apples, pears, etc. Were sold by Finch Inc. Today.",
        "See Fig. 3 and pp. 12 of it.",
        "The U.S. Navy and J. F. Finch.",
        "It rose by 4.2 metres, version 2.0.1 of it.",
        "It stopped... and went on.",
        "Es gilt § 51 ff. AO, nach Abs. 2 bzw. Nr. 3 des Gesetzes.",
        "Der Verein führt den Zusatz e. V. im Namen, z. B. Äpfel e. V. und andere.",
        "The function (resp. Op) of it.",
    ],
)
def test_stops_that_end_no_sentence(text: str) -> None:
    assert pieces(text) == [text]


def test_a_letter_may_end_a_sentence() -> None:
    assert pieces("Wir nehmen Plan b. Der ist gut.") == ["Wir nehmen Plan b.", "Der ist gut."]


def test_wrapped_prose_is_joined() -> None:
    text = (
        "The Bramley apple tree stands by the north\n"
        "wall of the orchard, where it was planted\n"
        "in 1921 by Ada Finch. It bears fruit every\n"
        "second year, and rarely in a dry one.\n"
    )
    assert pieces(text) == [
        "The Bramley apple tree stands by the north\nwall of the orchard, where it was planted\n"
        "in 1921 by Ada Finch.",
        "It bears fruit every\nsecond year, and rarely in a dry one.",
    ]


def test_table_rows_are_units() -> None:
    text = (
        "Revenues by segment and year in millions of dollars\n"
        "Commercial airplanes deliveries 25,867 19,493 (1,234)\n"
        "Defence and space, other 23,162 26,540 12%\n"
        "and this line of prose follows the table right here"
    )
    assert pieces(text) == text.split("\n")


def test_list_items_are_units() -> None:
    text = (
        "The following were sold at the market in autumn:\n"
        "• apples of every kind that the orchard bears, and\n"
        "(b) pears, most of them Conference, picked early and\n"
        "3. plums in baskets of a dozen, dried or fresh, with\n"
        "their leaves on them as people liked it at the time"
    )
    lines = text.split("\n")
    assert pieces(text) == [lines[0], lines[1], lines[2], f"{lines[3]}\n{lines[4]}"]


def test_short_lines_are_headings() -> None:
    text = (
        "Repairs\n"
        "The crane's cable was replaced after it broke on\n"
        "the ninth of May, and nobody was hurt in the yard\n"
        "at that time"
    )
    assert pieces(text) == ["Repairs", text[len("Repairs\n") :]]


def test_blank_lines_and_form_feeds_divide_paragraphs() -> None:
    spans = sentence_spans("One. Two.\n \nthree\ffour")
    assert [span.paragraph for span in spans] == [0, 0, 1, 2]


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text", ["." * 50_000, ". " * 25_000, "\n" * 50_000, "a." + ")" * 50_000, "1 " * 25_000]
)
def test_monotonous_text_takes_no_time(text: str) -> None:
    assert_every_character_once(text)
