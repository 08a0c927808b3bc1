"""A model's text without what belongs to prompts and templates, however it is split into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.answering.written.cleaning import Cleaner

QUESTION = "When was the Bramley apple tree planted?"
SOURCES = (1, 2, 3, 4, 5)


def cleaned(*pieces: str, question: str = QUESTION) -> str:
    cleaner = Cleaner(question, SOURCES)
    return "".join([*(cleaner.feed(piece) for piece in pieces), cleaner.finish()]).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('In 1921 <source 30896fc7 number="5" document="a.pdf" page="3">.', "In 1921 [5]."),
        ('<source 30896fc7 number="5" page="3">\nIn 1921.\n</source 30896fc7>', "In 1921."),
        ("In 1921.\n</source 30896fc7>\n<source 30896fc7", "In 1921."),
        ("<source 2>\nIn 1921.\n</source>", "In 1921."),
        ("<part 30896fc7>\nIn 1921.\n</part 30896fc7>", "In 1921."),
        ("In 1921.\n```\n<source 30896fc7>\nx\n```", "In 1921.\n```\nx\n```"),
        ("<start_of_turn>model\nIn 1921.<end_of_turn>\n<start_of_turn>user\nAnd then?", "In 1921."),
        ("<|im_start|>assistant\nIn 1921.<|im_end|>\n<|im_start|>user", "In 1921."),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nIn 1921.<|eot_id|>", "In 1921."),
        ("<s>In 1921.</s>", "In 1921."),
        ("<s>[INST] [/INST] In 1921.</s><s>[INST] Who?", "In 1921."),
        ("<｜begin▁of▁sentence｜>In 1921.<｜end▁of▁sentence｜>", "In 1921."),
        ("<bos>In 1921.<eos><pad><pad>", "In 1921."),
        ("In 1921.<|reserved_special_token_5|> It stands there.", "In 1921. It stands there."),
        ("In 1921.<|im_e", "In 1921."),
    ],
)
def test_tags_and_tokens_are_removed(text: str, expected: str) -> None:
    assert cleaned(text) == cleaned(*text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Source 1 (file.pdf, page 3):\nIn 1921.", "In 1921."),
        ("**Source 1 (file.pdf, page 3):** In 1921.", "In 1921."),
        ("In 1921.\n\nSource 4 (b.pdf, page 2):\nThe ferry sailed.", "In 1921."),
        ("Answer: In 1921.", "In 1921."),
        ("**Answer:** In 1921.", "In 1921."),
        ("Question: When was the Bramley apple tree planted?\nAnswer: In 1921.", "In 1921."),
        ("In 1921.\n\nQuestion: Who planted it?\nAnswer: Ada Finch.", "In 1921."),
        ("In 1921.\nQuestion: The one who planted it\nAnswer: Ada Finch.", "In 1921."),
        ("In 1921.\nQ: Who planted it?\nA: Ada Finch.", "In 1921."),
        ("In 1921.\n\nQuestion: Who pl", "In 1921."),
        ("In 1921.\n### Question: Who?", "In 1921."),
        ("### Response:\nIn 1921.\n\n### Instruction:\nNow say", "In 1921."),
    ],
)
def test_labels_are_removed_and_a_next_question_ends_the_answer(text: str, expected: str) -> None:
    assert cleaned(text) == cleaned(*text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In 1921 (Source 2).", "In 1921 [2]."),
        ("In 1921 (see sources 2 and 3).", "In 1921 [2] [3]."),
        ("In 1921 (source 2, page 4).", "In 1921 [2]."),
        ("In 1921 [source 2].", "In 1921 [2]."),
        ("In 1921 [Source: 2].", "In 1921 [2]."),
        ("In 1921 [1, 2].", "In 1921 [1] [2]."),
        ("In 1921 [1; 2; 2].", "In 1921 [1] [2]."),
        ("In 1921 【1】 and 【2†source】.", "In 1921 [1] and [2]."),
        ("In 1921 [^1].", "In 1921 [1]."),
        ("1921 (Quelle 3).", "1921 [3]."),
    ],
)
def test_markers_of_other_forms_become_ours(text: str, expected: str) -> None:
    assert cleaned(text) == cleaned(*text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Run `cp <source> <target>` or open <file> in <folder name>.",
        "cp <source> <target> copies <source> to <target>.",
        '<source src="a.mp4" type="video/mp4"> names a film.',
        "Use <s>old</s> new for what was struck out.",
        "The <|im_start|> token begins a turn, and “</s>” ends it.",
        "```\n<|im_start|>user\n[INST] hi [/INST] </s>\nQuestion: why?\n```",
        "~~~html\n<s>Source 1 (a.pdf, page 2):</s>\n~~~",
        "He asked: “Question: who planted it?” and left.\n“Question: who?” he said.",
        "Q1: 5 million\nQ2: 6 million",
        "User: root\nPassword: none",
        "x[5] = 3, the interval [1, 2], M = [3, 4] and f[1, 2].",
        "Values [17, 99] and [2001, 2002].",
        "If a < b and b <= c, then a << c. 3 <4> 5.",
        "The source (see page 4) says so (Source: private letters).",
        "x <| f y |> z",
        "A list: [a](b) [x] (y) 【note】",
        "Frequently:\n- Question: none.\n- Answer the phone: always.",
        "Note [sic] the answer: it is 42.\nAnswers: 3",
        "5 ` 6 `` 7 ``` 8",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert cleaned(text) == cleaned(*text) == text


def test_questions_that_a_person_asks_for_stay() -> None:
    text = "Question: When was it planted?\nAnswer: In 1921.\n\nQuestion: By whom?\nAnswer: By Ada Finch."
    assert cleaned(text, question="Write two quiz questions about the tree, with answers") == text


def test_only_text_that_may_begin_something_is_held_back() -> None:
    cleaner = Cleaner(QUESTION, SOURCES)
    assert cleaner.feed("The tree <fil") == "The tree <fil"
    assert cleaner.feed("e> <sour") == "e> "
    assert cleaner.feed("ly> said (so") == "<sourly> said "
    assert cleaner.feed("me) (Source ") == "(some) "
    assert cleaner.feed("2)") == "[2]"
    assert not cleaner.ended
    assert cleaner.feed(" then.</s>") == " then."
    assert cleaner.finish() == ""
    assert cleaner.ended


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        ('<source 30896fc7 number="5">\nIt was.\n</source 30896fc7>\n<source 30896fc7 number="6">', True),
        ("<source 30896fc7>\n</source 30896fc7>", True),
        ('<source 30896fc7 number="5">\nIt was.\n</source 30896fc7>\nIn 1921.', False),
        ('<source 30896fc7 number="5">\nIn 1921.', False),
        ('In 1921 <source 30896fc7 number="5">. So it is <source 30896fc7 number="6">.', False),
    ],
)
def test_text_of_sources_alone_is_a_copy(text: str, copies: bool) -> None:
    cleaner = Cleaner(QUESTION, SOURCES)
    cleaner.feed(text)
    cleaner.finish()
    assert cleaner.copies is copies


def test_what_follows_the_end_is_ignored() -> None:
    cleaner = Cleaner(QUESTION, SOURCES)
    assert cleaner.feed("In 1921.<|im_end|> More") == "In 1921."
    assert cleaner.ended
    assert cleaner.feed("and more") == cleaner.finish() == ""


SCRAPS = st.sampled_from([
    "The tree ", "was planted", " in 1921", ".", "\n", "\n\n", " ", '<source 30896fc7 number="5">',
    "</source 30896fc7>", "<source>", "<s", "</s>", "<s>", "<|im_", "start|>", "user\n", "model", "[INST]",
    "[1", ", 2]", "[^1]", "【1】", "(Source ", "2)", "Question:", " Who?", "Answer:", "`", "```", "~~~", "**",
    "Source 1 (a.pdf, page 3):", "<file>", "a < b", "Q:", "###", " Response:", "tag", " token",
])  # fmt: skip


@given(st.lists(SCRAPS, max_size=14), st.data())
def test_the_result_does_not_depend_on_the_pieces(scraps: list[str], data: st.DataObject) -> None:
    text = "".join(scraps)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert cleaned(text) == cleaned(*pieces) == cleaned(*text)


@given(st.text(max_size=60), st.data())
def test_the_result_of_any_text_does_not_depend_on_the_pieces(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert cleaned(text) == cleaned(text[:cut], text[cut:]) == cleaned(*text)
