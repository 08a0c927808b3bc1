"""Useless answers are recognised; short, foreign, odd and wrong ones are answers all the same."""

from collections.abc import Sequence

import pytest

from ingestion.encoders import Encoder
from rag_app.answering.answers import AnswerSentence
from rag_app.answering.citations import cite_text
from rag_app.answering.prompts import messages
from rag_app.answering.written.judging import WrittenFor, fault_of
from tests.helpers.evidence import evidence

QUESTION = "When was the Bramley apple tree planted?"
PASSAGES = (
    evidence(1, "The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch."),
    evidence(2, "High water at the pier was 4.2 metres. The ferry sailed at noon. Repairs take six weeks."),
)
RULES = messages("", (), "30896fc7")[0].text


def judged(
    text: str,
    encoder: Encoder,
    question: str = QUESTION,
    *,
    repeats: bool = False,
    needs_source: bool = False,
) -> str | None:
    given = WrittenFor(question, RULES, "\n".join(one.text for one in PASSAGES), (1, 2), needs_source)
    sentences: Sequence[AnswerSentence] = cite_text(text, PASSAGES, encoder).sentences
    return fault_of(text, given, sentences, repeats=repeats)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Six weeks [2].", "How long do repairs take?"),
        ("1921", QUESTION),
        ("1921 [1].", QUESTION),
        ("4.2", "How high was the water?"),
        ("Yes.", "Was the tree planted in 1921?"),
        ("No", "Did the ferry sail at ten?"),
        ("Noon [2].", "Did the ferry sail at noon or at ten?"),
        ("The ferry sailed at noon.", "The ferry sailed at noon?"),
        ("It was planted in 1921 by Ada Finch [1].", QUESTION),
        ("When was the Bramley apple tree planted? In 1921.", QUESTION),
        ("Der Baum wurde 1921 von Ada Finch gepflanzt [1].", "Wann wurde der Baum gepflanzt?"),
        ("Drzewo zasadziła w 1921 roku pani Ada Finch, a stoi ono przy północnej ścianie.", QUESTION),
        ("A fát 1921-ben ültették, és az északi fal mellett áll a gyümölcsösben.", QUESTION),
        ("Дерево посадили в 1921 году.", "Когда посадили дерево?"),
        ("その木は1921年にエイダ・フィンチによって植えられました。", "いつ植えられましたか?"),
        ("这棵树是1921年由Ada Finch种植的。", "这棵树是什么时候种的?"),
        ("زُرعت الشجرة عام 1921.", "متى زرعت الشجرة؟"),
        ("```python\nx = [i for i in range(9)]\nprint(x[17], x[18], x[19], x[20])\n```", "Write code"),
        ("Use `qx_rt -zz` and `mkfs.xfs -KqN`.", "Which commands?"),
        ("CO2, H2O, NaCl, kWh, GmbH, PhD, DNA", "Which abbreviations are there?"),
        ("YouTube", "Which site?"),
        ("12, 14, 15 and 19", "Which pages?"),
        ("e3b0c44298fc1c149afbf4c8", "Is the checksum e3b0c44298fc1c149afbf4c8 right?"),
        ("Do you mean the Bramley or the pear?", QUESTION),
        ("The moon is made of green cheese, and everybody knows it well.", QUESTION),
        ("It was planted in 1921 [7]. It stands by the north wall [8]. Ada Finch planted it [9].", QUESTION),
        ("What stands by the wall? Who planted it? When?", "Write three questions about the tree"),
        ("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "Which village?"),
        ("Krankenversicherungsbeitragsbemessungsgrenze", "Welche Grenze?"),
    ],
)
def test_answers_are_no_faults(encoder: Encoder, text: str, question: str) -> None:
    assert judged(text, encoder, question) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it wrote nothing of use"),
        ("[1] [2].", "it wrote nothing of use"),
        ("!!!! ... ---", "it wrote nothing of use"),
        (" ".join(map(str, range(40))), "it wrote no words"),
        ("When was the Bramley apple tree planted?", "it repeated the question"),
        ("When was the Bramley apple tree planted? When was the tree planted?", "it repeated the question"),
        ("Who is he? What is the name of the town? Where is the wall?", "it asked questions instead"),
        ("After every statement, name the source it comes from, like this.", "it repeated its instructions"),
        (
            "Answer questions from the numbered sources below, and from nothing else. Every source stands.",
            "it repeated its instructions",
        ),
        (
            "The king came to town [17]. The queen went home [23]. The moon is blue [99].",
            "it named sources that do not exist",
        ),
        ("xq wvt Rzkk pfGh q t BnMm kkk zzt vrrp", "its text makes no sense"),
        ("t t w q he in w r s t t w", "its text makes no sense"),
        ("R therrrrrrrrrrrrrrrrrr", "its text makes no sense"),
        ("Af3f3f日本f日本f日本f3f3f3f日本f3f", "its text makes no sense"),
        ("wQfff", "its text makes no sense"),
        ("AfCfCfCfCfCfCfCfC!!!!!!!!!!!!!!!", "its text makes no sense"),
        ("tutorial अकेला Проект schön 東京 بيت ბავშვი apple дом घर πόλη", "its text makes no sense"),
        ("It w\ufffds pl\ufffdnt\ufffdd by \ufffd\ufffd\ufffd", "its text makes no sense"),
    ],
)
def test_useless_text_is_named(encoder: Encoder, text: str, fault: str) -> None:
    assert judged(text, encoder) == fault


def test_a_right_answer_that_was_repeated_is_one(encoder: Encoder) -> None:
    assert judged("Repairs take six weeks [2].", encoder, "How long?", repeats=True) is None
    assert judged("The moon is made of cheese.", encoder, repeats=True) == "it only repeated itself"


@pytest.mark.parametrize(
    "text", ["The moon is made of green cheese.", "It was planted in 1931 [1].", "$100", "Yes."]
)
def test_what_no_source_supports_is_useless_where_a_source_is_needed(encoder: Encoder, text: str) -> None:
    assert judged(text, encoder) is None
    assert judged(text, encoder, needs_source=True) == "no source supports it"


@pytest.mark.parametrize(
    "text",
    ["It was planted in 1921.", "1921", "Planted in 1921 by Ada Finch. The moon is made of green cheese."],
)
def test_one_source_is_enough(encoder: Encoder, text: str) -> None:
    assert judged(text, encoder, needs_source=True) is None
