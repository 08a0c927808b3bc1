"""Whether a statement has a value of the sort that a question asks for."""

from dataclasses import replace

import pytest

from ingestion.documents import Page
from ingestion.tables.reading import tables_of
from rag_app.answering.answers import Evidence, PassageWindow, PromptContext
from rag_app.answering.questions.asked_values import asked_value
from rag_app.answering.quoting.composition import compose
from rag_app.answering.quoting.values.held_values import lacking_value
from rag_app.answering.quoting.values.text_values import holds_value
from retrievers.hits import Side
from tests.helpers.evidence import evidence

HOLDS = (
    ("How much does it cost?", "It costs $ 12.50 a month."),
    ("How much does it cost?", "The board is two hundred euros."),
    ("How much does it cost?", "Delivery is free of charge."),
    ("How much does the mug cost?", "Blue mug · Price: 12.50"),
    ("How much does the mug cost?", "The price is 12.50 with the lid."),
    ("What percentage of them recovered?", "Two thirds of them recovered."),
    ("How tall is it?", "The mast is 40 m high."),
    ("For how long must I keep it?", "Keep it as long as you are insured."),
    ("For how long must I keep it?", "Records are kept for ten full years."),
    ("How many people work there?", "In all, 1,853 full-time employees work there."),
    ("How many people work there?", "Headcount at the end of the year: 45"),
    ("How many patients recovered?", "Over half of the TB patients recovered."),
    ("How many stores are in Japan?", "We operate 853 warehouses, of which 32 are in Japan."),
    ("How many guests came?", "The dinner was attended by 2000 guests."),
    ("How fast is it?", "It takes 18.132 ms."),
    ("How old was the keeper?", "Age: 60, male"),
    ("How old must a patient be?", "Patients aged between 18 and 50 take part."),
    ("How old must a patient be?", "Adults who are at least 18 years old take part."),
    ("How old is the tower?", "The tower was built of granite in 1921."),
    ("When was it built?", "It was built in the 19th century."),
    ("Who signed the contract?", "Signed by Sean E. Brynjelsen for the buyer."),
    ("Who wrote it?", "It was written by Plato."),
    ("Who is the treasurer?", "Paul was elected treasurer with four votes to one."),
    ("Who is the secretary?", "Anna, our secretary, and a board of four."),
    ("How many guests came?", "Attendance at the party was about 90."),
    ("Who is the manager of the shop?", "Open: 9 to 5, manager: Anna"),
)
LACKS = (
    ("How much does it cost?", "The cost depends on 3 factors."),
    ("How much does it cost?", "Each of the 40 boards is tested."),
    ("How much does it cost?", "The model has 568 million parameters, and costs accordingly."),
    ("What percentage of them recovered?", "Many of the 40 recovered."),
    ("How tall is it?", "It works from 0 to 70 degrees."),
    ("How old was the keeper?", "The keeper left the island one year before."),
    ("For how long must I keep it?", "Keep it in the safe on floor 2."),
    ("How many people work there?", "Sales were 65 million in 2023."),
    (
        "How many people work there?",
        "The pandemic had many effects, as section 4.2 says of the 2019 agreement.",
    ),
    ("How many of the 40 patients recovered?", "The 40 patients receive treatment for 12 months."),
    ("How many iPhone units did Apple sell?", "iPhone units brought $39,669 million."),
    ("How fast is it?", "The ESP32 is faster than COVID-19 in FY2020, see page 4."),
    ("Who signed the contract?", "The Effective Date is named by the Board of Directors."),
    ("Who signed the contract for Eton Pharmaceuticals?", "Eton Pharmaceuticals signed it."),
    ("Who wrote it?", "It was written in the office."),
    ("What is the name of the pilot of the plane?", "The pilot of an amateur-built Vans RV-8 touched down."),
    ("Who is the secretary of the board?", "The Board elects its Secretary every year."),
)


@pytest.mark.parametrize(("question", "text"), HOLDS)
def test_a_text_with_such_a_value(question: str, text: str) -> None:
    asked = asked_value(question)
    assert asked is not None
    assert holds_value(text, asked)


@pytest.mark.parametrize(("question", "text"), LACKS)
def test_a_text_without_one(question: str, text: str) -> None:
    asked = asked_value(question)
    assert asked is not None
    assert not holds_value(text, asked, "the effective date, and the directors")


def matching(score: float, item: Evidence) -> Evidence:
    """Return evidence whose sentences match the question so well."""
    return replace(item, sentences=tuple(replace(one, score=score) for one in item.sentences))


def test_a_statement_with_the_value_leads_one_that_only_matches_better() -> None:
    items = (
        matching(0.55, evidence(1, "The price of the board is set by the board's price committee.")),
        evidence(2, "A board comes at $ 24.95 with its cable and a printed guide."),
    )
    question = "What is the price of the board?"
    first, *_ = compose(PromptContext(items, 1.0, question=question))
    assert "24.95" in first.plain
    assert lacking_value(PromptContext(items, 1.0, question=question)) is None
    # Of a question that asks for no sort of value the better match leads.
    first, *_ = compose(PromptContext(items, 1.0, question="Tell me about the price of the board"))
    assert "committee" in first.plain


def test_a_value_in_a_statement_that_hardly_answers_is_none() -> None:
    items = (
        matching(0.7, evidence(1, "The price of the board is set by the board's price committee.")),
        evidence(2, "Nine hundred dollars were paid for the mended roof of the town's old station."),
    )
    context = PromptContext(items, 1.0, question="What is the price of the board?")
    lacking = lacking_value(context)
    assert lacking is not None
    assert lacking.kind == "money"
    side = Side("board", "What is the price of the board?", "?", frozenset({"d"}))
    assert lacking_value(PromptContext(items, 1.0, question=context.question, sides=(side,))) is None
    assert lacking_value(PromptContext((), 0.0, question=context.question)) is None


@pytest.mark.parametrize(
    ("question", "other", "sure"),
    [
        (
            "How many days is the notice?",
            "The notice of the keeper and of the board is permanent.",
            "The notice is given thirty (30) days before.",
        ),
        (
            "What percentage of sales is the royalty?",
            "6.3.1 The royalty on sales is a percentage that is agreed.",
            "The royalty is 15% of sales.",
        ),
        (
            "How many objectives does the plan have?",
            "Objective 4 of the plan has two parts.",
            "The plan has 13 strategic objectives.",
        ),
        (
            "Who had more hours, the keeper or the pilot?",
            "The pilot had hours for a third landing.",
            "The pilot had 475 hours.",
        ),
    ],
)
def test_of_two_values_the_sure_one_leads(question: str, other: str, sure: str) -> None:
    items = (matching(0.52, evidence(1, other)), evidence(2, sure))
    first, *_ = compose(PromptContext(items, 1.0, question=question))
    assert first.plain == sure


def test_a_long_statement_is_cut_around_the_value() -> None:
    before = ", ".join(f"for the reason that clause {letter} names" for letter in "abcdefghijkl")
    text = f"The contract may be ended {before}, with a notice of 30 days in writing."
    first, *_ = compose(
        PromptContext((evidence(1, text),), 1.0, question="How many days is the notice of the contract?")
    )
    assert "30 days" in first.plain
    assert len(first.plain.split()) < len(text.split())


@pytest.mark.parametrize(
    "text",
    ["The charges consist of wages, benefits and exits.", "It is handled and dried."],
)
def test_a_word_that_begins_like_an_article_is_no_duration(text: str) -> None:
    asked = asked_value("For how many months is it paid?")
    assert asked is not None
    assert not holds_value(text, asked)


@pytest.mark.parametrize(
    "question",
    [
        "How far ahead must members be invited?",
        "At what times after the injection is pain measured?",
        "What is the notice period?",
        "How much notice must a tenant give?",
    ],
)
def test_a_time_ahead_is_a_duration(question: str) -> None:
    asked = asked_value(question)
    assert asked is not None
    assert asked.kind == "duration"


def test_the_date_of_a_column_counts_nothing() -> None:
    text = (
        "Figures\n | June 30, 2023 | June 30, 2022\n"
        "Revenue of a member | $10.88 | $9.12\nMembers | 4,246 | 4,001"
    )
    item = evidence(1, text)
    sentences = tuple(replace(one, score=0.52 if "Revenue" in one.text else 0.5) for one in item.sentences)
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    item = replace(item, sentences=sentences, window=window)
    first, *_ = compose(PromptContext((item,), 1.0, question="How many members were there in June 2023?"))
    assert first.plain.startswith("Members")


def test_a_row_without_the_value_adds_nothing() -> None:
    text = (
        "Figures\n | 2023 | 2022\n"
        "Price of a blue lamp | $12.50 | $11.00\nBlue lamp breakage, price aside | 3% | 4%"
    )
    item = evidence(1, text)
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    question = "What is the price for which a blue one is sold?"
    found = compose(PromptContext((replace(item, window=window),), 1.0, question=question))
    assert [one.plain[:20] for one in found] == ["Price of a blue lamp"]


def test_a_running_foot_is_no_answer() -> None:
    items = (evidence(1, "Lakeview Inc. | Q3 2023 Form 10-Q | 17\nThe lamp was lit by the keeper in 2023."),)
    found = compose(PromptContext(items, 1.0, question="What did Lakeview say in Q3 2023?"))
    assert [one.plain for one in found] == ["The lamp was lit by the keeper in 2023."]


@pytest.mark.parametrize("asked", ["for", "against"])
def test_a_row_whose_label_is_a_small_word_is_asked_for_by_it(asked: str) -> None:
    text = (
        "The proposal on emissions was defeated:\n | Shares\n"
        "For | 19,718,780\nAgainst | 900,100,200\nBroker non-votes | 172,969,325"
    )
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    item = replace(evidence(1, text), window=window)
    context = PromptContext((item,), 1.0, question=f"How many votes were {asked} the proposal on emissions?")
    assert lacking_value(context) is None
    first, *_ = compose(context)
    assert {"for": "19,718,780", "against": "900,100,200"}[asked] in first.plain
    # Nothing around says that these are brushes.
    other = replace(context, question=f"How many brushes were {asked} the proposal on emissions?")
    assert lacking_value(other) is not None


def test_a_field_with_the_sort_of_value_as_its_label_answers() -> None:
    person = evidence(1, "Keeper information\nAge: 60, male\nSeat: front")
    story = replace(evidence(2, "The keeper of L-17 left one year before. The keeper of L-17 came back."))
    own = replace(person, hit=replace(person.hit, chunk=replace(person.hit.chunk, document_id="d2")))
    question = "How old was the keeper of L-17?"
    assert lacking_value(PromptContext((story, person), 1.0, question=question)) is not None
    packed = PromptContext((replace(story, hit=replace(story.hit, score=9.0)), own), 1.0, question=question)
    assert lacking_value(packed) is None
    assert [one.line for one in compose(packed)] == ["Age: 60, male"]
