"""The answer without a language model: one line that answers, in whole sentences, or a list whole."""

from dataclasses import replace

import numpy as np
import pytest

from rag_app.answering.answers import Evidence, PassageWindow, PromptContext
from rag_app.answering.quoting.composition import compose
from rag_app.answering.quoting.lines import Quotation
from rag_app.answering.quoting.statements import statements
from retrievers.reader.reading import AnswerSpan, Reading, SentenceReading
from tests.helpers.evidence import evidence


def read(item: Evidence, answer: str, *, answers: float = 0.9, probability: float = 0.9) -> Evidence:
    """Return evidence as a reader that knows the answer reads it."""
    text = item.hit.chunk.text
    at = text.index(answer)
    end = next((place for place in range(at, len(text)) if text[place] in ".\n"), len(text))
    begin = max(text.rfind(". ", 0, at), text.rfind("\n", 0, at)) + 1
    places = np.arange(len(text), dtype=np.int32)
    reading = Reading(
        answers,
        answers,
        AnswerSpan(at, at + len(answer), probability),
        np.stack([places, places + 1], axis=1),
        ((places >= begin) & (places < end)).astype(np.float32),
        (SentenceReading(begin, end, answers),),
    )
    return replace(item, reading=reading)


def composed(question: str, *items: Evidence) -> list[Quotation]:
    found = compose(PromptContext(items, 1.0, question=question))
    for one in found:  # the characters of the page
        window = one.evidence.window or PassageWindow(
            one.evidence.hit.chunk.text, one.evidence.hit.chunk.start
        )
        start = one.sentence.start - window.start
        assert window.text[start : start + len(one.sentence.text)] == one.sentence.text
    return found


def test_the_span_is_bold_within_its_whole_sentence() -> None:
    item = evidence(
        1, "The keeper left early.\nThe lighthouse at Torrin was built\nby Alan Mair in 1921. It is white."
    )
    first, *_ = composed("Who built the lighthouse?", read(item, "Alan Mair"))
    assert first.line == "The lighthouse at Torrin was built by **Alan Mair** in 1921."


def test_an_unlikely_span_is_not_bold() -> None:
    item = evidence(1, "The lighthouse at Torrin was built by Alan Mair in 1921.")
    (first,) = composed("Who built the lighthouse?", read(item, "Torrin", probability=0.1))
    assert "**" not in first.line


def test_the_passage_that_answers_comes_before_the_one_that_matches() -> None:
    near = evidence(1, "Many visitors ask when the lighthouse was built by its keepers.")
    answer = evidence(2, "The tower was finished in the spring of 1921.")
    first, *_ = composed(
        "When was the lighthouse built?", read(near, "visitors", answers=0.1), read(answer, "spring of 1921")
    )
    assert first.evidence.number == 2


@pytest.mark.parametrize(
    "fragment",
    [
        "Lighthouse Opening Hours",
        "Figure 3: Opening hours of the lighthouse",
        "2.1 Opening hours of the lighthouse ........ 17",
        "When is the lighthouse open to visitors?",
        "and the opening hours of the lighthouse in winter.",
        "-* No opening hours of the lighthouse available for this period.",
        "The lighthouse has opening hours (resp.",
        "Opening hours of the lighthouse (in thousands, except percentages)",
        "The opening hours of the lighthouse are incorporated by reference in this notice.",
        "For more information on the opening hours of the lighthouse, see the notice at its door.",
        "We cannot provide assurance that the opening hours of the lighthouse will stay as they are.",
        "The following table compares the opening hours of the lighthouse with those of the harbour.",
    ],
)
def test_a_fragment_is_no_answer(fragment: str) -> None:
    item = evidence(1, f"{fragment}\n\nVisitors are admitted to the lighthouse from noon to five.")
    found = composed("When is the lighthouse open?", item)
    assert [one.plain for one in found] == ["Visitors are admitted to the lighthouse from noon to five."]


def test_a_sentence_over_two_pages_is_shown_whole_and_cited_on_its_page() -> None:
    text = "The lamp is lit every evening. The keeper opens the\nlower gate at"
    item = replace(
        evidence(1, text, start=40),
        window=PassageWindow(text, 40, after="seven in the morning. Nobody waits."),
    )
    first, *_ = composed("When does the keeper open the lower gate?", read(item, "lower gate"))
    assert first.plain == "The keeper opens the lower gate at seven in the morning."
    assert first.sentence.text == "The keeper opens the\nlower gate at"


def test_a_formula_at_the_end_of_a_line_ends_the_statement() -> None:
    text = "Fusion adds a term for each:\nscore = sum of 1 / (k + rank), k = 60\nTake a passage ranked first."
    found = [one.text for one in statements(PassageWindow(text, 0))]
    assert found[-1] == "Take a passage ranked first."
    assert found[-2].endswith("k = 60")


def test_words_that_a_line_divides_are_joined() -> None:
    item = evidence(1, "The lighthouse needs a new installa-\ntion of its lamp before the winter.")
    (first,) = composed("What does the lighthouse need?", read(item, "new"))
    assert "installation" in first.plain


def test_a_cell_has_row_period_and_unit_and_the_year_asked_for() -> None:
    head = "(In thousands)\nDecember 31,\n2016 2015\n"
    table = f"{head}Cash $ 5,120 $ 4,200\nTotal current assets 1,001,425 880,300\n"
    (first,) = composed("What were total current assets in 2015?", read(evidence(1, table), "880,300"))
    assert first.line == "Total current assets · December 31, 2015: **$880,300 thousand**"
    assert first.sentence.text == "Total current assets 1,001,425 880,300"


def test_a_question_chooses_the_column_that_it_names() -> None:
    table = "Director Votes For Votes Against\nAda Orlo 1,200 30\nBen Mair 1,100 90\n"
    (first,) = composed("How many votes against did Ben Mair get?", read(evidence(1, table), "90"))
    assert first.line == "Ben Mair · Votes Against: **90**"


def test_supporting_sentences_add_something_and_the_answer_stays_short() -> None:
    items = [
        evidence(1, "The harbour has twelve cranes. The harbour has twelve cranes in all."),
        evidence(2, " ".join(f"Crane {n} of the harbour lifts {n}0 tonnes of coal." for n in range(20))),
    ]
    found = composed("How many cranes has the harbour?", *items)
    texts = [one.plain for one in found]
    assert 1 <= len(texts) <= 3
    assert sum(len(text.split()) for text in texts) <= 45
    assert len(set(texts)) == len(texts)
    assert sum("twelve" in text for text in texts) <= 1


@pytest.mark.parametrize(
    "line", ["\n(7) The payment of milestones is set by:\n", "MILESTONES AND OTHER PAYMENTS."]
)
def test_no_supporting_line_introduces_what_is_not_shown(line: str) -> None:
    text = f"The payment of the milestones is due in May.\n{line}\nOther payments are made in June to it."
    first, *more = composed("When is the payment of milestones due?", evidence(1, text))
    assert first.plain == "The payment of the milestones is due in May."
    assert [one.plain for one in more] == ["Other payments are made in June to it."]


def test_a_procedure_is_given_whole_and_in_order() -> None:
    text = (
        "The lamp must be cleaned weekly.\nTo change the lamp:\n1. Switch off the current.\n"
        "2. Unscrew the cover.\n3. Put in the new lamp.\nThe old lamp goes to the depot."
    )
    (whole,) = composed("How do I change the lamp?", read(evidence(1, text), "Unscrew the cover"))
    assert whole.line == (
        "To change the lamp:\n\n1. Switch off the current.\n2. Unscrew the cover.\n3. Put in the new lamp."
    )


def test_a_procedure_is_told_by_the_list_and_not_by_what_matches_a_little_better() -> None:
    text = "How the lamp is cleaned matters a lot to us.\nClean the lamp as follows:\n1. Wash it.\n2. Dry it."
    item = evidence(1, text)
    near = replace(
        item,
        sentences=tuple(replace(one, score=0.51 if "matters" in one.text else 0.5) for one in item.sentences),
    )
    (only,) = compose(PromptContext((near,), 1.0, question="How do I clean the lamp?"))
    assert only.line == "Clean the lamp as follows:\n\n1. Wash it.\n2. Dry it."


def test_the_list_that_an_answer_introduces_is_shown_with_it() -> None:
    text = (
        "Costs of the lamp rose by 62% in 1918, primarily due to the following:\n"
        "• an increase of £90 in oil. We burn oil in the lamp in winter;\n"
        "• an increase of £25 in wages; and\n• an increase of £20 for paint.\nThe tower was shut in 1919."
    )
    (whole,) = composed("Why did the costs of the lamp rise in 1918?", evidence(1, text))
    assert whole.line == (
        "Costs of the lamp rose by 62% in 1918, primarily due to the following:\n\n"
        "- an increase of £90 in oil. We burn oil in the lamp in winter;\n"
        "- an increase of £25 in wages; and\n- an increase of £20 for paint."
    )


def test_what_would_be_does_not_say_what_is() -> None:
    text = "If the lamp is not lit, ships are lost. The lamp is not lit in summer, when nights are short."
    first, *_ = composed("Is the lamp lit in summer?", in_order(text, "If the", "The lamp"))
    assert first.plain == "The lamp is not lit in summer, when nights are short."


def test_a_reason_is_a_sentence_that_gives_one() -> None:
    text = (
        "The lamp was put out in the spring of 1917 by its keeper. "
        "It was put out because ships of the enemy had been seen.\n"
        "Lamps put out 1,217 1,414\nKeepers sent home 2,317 2,514\nBells taken down 3,217 3,414"
    )
    first, *rest = composed("Why was the lamp put out in 1917?", evidence(1, text))
    assert first.plain == "It was put out because ships of the enemy had been seen."
    assert not any("414" in one.plain for one in rest)


def test_a_thing_with_another_number_is_not_the_one_that_is_asked_for() -> None:
    text = (
        "Week 3: the lamps and all lenses are cleaned.\nWeek 5: the lenses are ground.\nWeek 6: all lenses."
    )
    first, *_ = composed("Which lenses are done in week 5?", in_order(text, "Week 3", "Week 6", "Week 5"))
    assert first.plain == "Week 5: the lenses are ground."
    first, *_ = composed("Which lenses are done in week 8?", in_order(text, "Week 3", "Week 6", "Week 5"))
    assert first.plain == "Week 3: the lamps and all lenses are cleaned."


def test_of_two_lists_the_one_below_the_asked_heading_is_shown() -> None:
    inclusion = "1. Adults with a torn sail who sailed the cup,\n2. torn sails."
    exclusion = "1. No torn sail,\n2. a sail of paper that was made for the cup,\n3. Sailors\n4. dogs."
    text = f"Inclusion criteria\n{inclusion}\nExclusion criteria\n{exclusion}"
    for name, shown in (("exclusion", exclusion), ("inclusion", inclusion)):
        (whole,) = composed(f"What are the {name} criteria of the cup?", in_order(text, "Adults", "paper"))
        assert whole.line == shown


def in_order(text: str, *words: str) -> Evidence:
    """Return evidence whose sentences match a question in the order in which they have these words."""
    item = evidence(1, text)
    scores = [next((0.52 - place / 100 for place, word in enumerate(words) if word in one.text), 0.4)
              for one in item.sentences]  # fmt: skip
    return replace(
        item,
        sentences=tuple(replace(one, score=score) for one, score in zip(item.sentences, scores, strict=True)),
    )


TWO_PARTS = (
    "The charges for giving up offices are $450 million to $650 million. "
    "Northern towns, whose keepers moved south before the winter, lose 11 branches. "
    "The real estate part is expected to be finished in fiscal 2026."
)


def test_the_second_part_of_a_question_has_its_own_line() -> None:
    item = in_order(TWO_PARTS, "charges", "Northern", "fiscal 2026")
    question = "How much are the charges for offices, and when should the real estate part be finished?"
    first, second, *_ = composed(question, item)
    assert "$450 million" in first.plain
    assert second.plain == "The real estate part is expected to be finished in fiscal 2026."


def test_a_line_that_answers_both_parts_is_followed_as_usual() -> None:
    text = (
        "The keeper lit the lamp in 1921 at Torrin, to warn ships. Ships are warned by a bell in fog. "
        "A second keeper came from the south of the island with a dog."
    )
    question = "When was the lamp lit, and why are ships warned?"
    first, *rest = composed(question, in_order(text, "keeper lit", "bell", "dog"))
    assert "1921" in first.plain
    assert len(rest) <= 2


def test_a_comparison_has_a_line_for_each_side() -> None:
    items = [
        evidence(1, "Revenue at the yard fell by 3% over the year.", document="northyard.txt"),
        evidence(2, "Sales and revenue fell by 7% over the year in all our shops.", document="southmill.txt"),
    ]
    found = composed("Compare the revenue decline of Northyard and Southmill.", *items)
    assert [one.evidence.number for one in found] == [1, 2]
    assert found[0].plain.startswith("Northyard: ")


def test_a_definition_comes_before_other_mentions() -> None:
    text = "The keepers complain about the fogline again. A fogline is a rope that leads to the door."
    first, *_ = composed("What is a fogline?", evidence(1, text))
    assert first.plain == "A fogline is a rope that leads to the door."


def named(item: Evidence, identifier: str) -> Evidence:
    """Return evidence of a passage whose sentences with an identifier are those that are asked for."""
    sentences = tuple(replace(one, is_named=identifier in one.text) for one in item.sentences)
    return replace(item, sentences=sentences)


def test_a_field_of_the_identifier_is_the_one_that_is_asked_for() -> None:
    form = named(evidence(1, "Lamp: L-17\nColour: white\nLamp fuel: petrol oil\nLamp oil: clear"), "L-17")
    first, *_ = composed("L-17 lamp fuel", form)
    assert first.plain == "Lamp fuel: petrol oil"


def test_a_form_names_its_subject_on_one_page_and_tells_of_it_on_another() -> None:
    lamp = named(evidence(1, "Lamp: L-17\nColour: white\nMade in: Torrin"), "L-17")
    lamp = replace(lamp, hit=replace(lamp.hit, score=9.0))
    other = evidence(2, "Hours burnt by the keeper: 11,000\nKeeper: John")
    question = "total hours that the keeper burnt L-17"
    first, *_ = composed(question, lamp, other)
    assert first.plain == "Lamp: L-17"
    chunk = replace(other.hit.chunk, document_id=lamp.hit.chunk.document_id, page=2)
    first, *_ = composed(question, lamp, replace(other, hit=replace(other.hit, chunk=chunk)))
    assert first.plain == "Hours burnt by the keeper: 11,000"


def test_another_field_of_the_identifier_is_no_answer() -> None:
    form = named(evidence(1, "Lamp: L-17\nColour: white"), "L-17")
    prose = evidence(2, "The keeper has burnt the petrol oil of the harbour for many years.")
    first, *_ = composed("Which oil does the keeper of L-17 burn?", form, prose)
    assert first.evidence.number == 2


def test_what_stands_below_the_document_s_own_question_keeps_its_order() -> None:
    item = evidence(
        1, "Nobody has paid anything since the war. The lamp of the harbour is for the town to pay."
    )
    sentences = tuple(replace(one, answers=0.95) for one in item.sentences)
    found = composed("Who pays for the lamp of the harbour?", replace(item, sentences=sentences))
    assert [one.plain for one in found] == [one.text for one in sentences]
