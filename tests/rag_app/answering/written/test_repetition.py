"""Loops are stopped soon and cut away; lists, tables, verses and code that repeat words are not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.answering.written.repetition import RepetitionWatch, without_rest

# Words and signs that may come after the first copy; a token is at most that.
_MOST = 40


def watched(*pieces: str) -> tuple[str, RepetitionWatch, int]:
    """Return what was passed on, the watch, and how many characters it took."""
    watch, given, taken = RepetitionWatch(), [], 0
    for piece in pieces:
        given.append(watch.feed(piece))
        taken += len(piece)
        if watch.repeats:
            break
    given.append(watch.finish())
    return "".join(given), watch, taken


def tokens(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]|\n", text))


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        ("", "the "),
        ("It is old. ", "and the "),
        ("In 1921. ", "The tree is old. "),
        ("In 1921.\n", "- The tree is old.\n"),
        (
            "In 1921. ",
            "The Bramley apple tree stands by the north wall of the old orchard near the harbour. ",
        ),
        ("Der Baum ist alt. ", "Er steht an der Mauer. "),
        ("", "日本の木は古い。"),
        ("Ja. ", "hahaha "),
        ("In 1921 [1]. ", "The tree is old [1]. "),
        ("1. One.\n", '<source 30896fc7 number="5">\n'),
    ],
)
def test_a_loop_is_stopped_and_cut_to_its_first_copy(begin: str, again: str) -> None:
    text = begin + again * 60
    given, watch, taken = watched(*text)
    assert watch.repeats
    assert given == watch.kept
    assert given.strip() == (begin + again).strip()
    assert tokens(text[len(begin + again) : taken]) <= _MOST


@pytest.mark.parametrize(
    "line",
    [
        "The report of {} says that nothing has changed. ",
        "{}. The tree is very old.\n",
        "As the next page, page {}, says: ",
        '<source 30896fc7 number="{0}" document="a.pdf" page="1{0}">\n',
    ],
)
def test_a_loop_with_changing_numbers_is_stopped(line: str) -> None:
    text = "".join(line.format(number) for number in range(1, 60))
    given, watch, taken = watched(*text)
    assert watch.repeats
    assert given.strip() == line.format(1).strip()
    assert tokens(text[len(line.format(1)) : taken]) <= _MOST


def test_endless_signs_are_stopped() -> None:
    given, watch, taken = watched(*("So" + "!" * 400))
    assert watch.repeats
    assert given == "So"
    assert taken < 150


def test_a_loop_may_break_its_lines_anywhere() -> None:
    loop = "The encoder model is a model for many questions, and so is the other model. "
    given, watch, _ = watched(loop + loop.replace("is a ", "is a\n") + loop.replace("and ", "and\n"))
    assert watch.repeats
    assert given.strip() == loop.strip()


def test_an_endless_word_is_stopped() -> None:
    given, watch, taken = watched(*("So " + "ha" * 200))
    assert watch.repeats
    assert given == "So "
    assert taken < 150


LISTS = [
    "\n".join(f"| {year} | {year % 7} | yes |" for year in range(1980, 2026)),
    "| name | old | new |\n|---|---|---|\n" + "| pear | no | no |\n| plum | no | yes |\n" * 4,
    "\n".join(f"Week {week}: run {(week * 3) % 7 + 2} km" for week in range(1, 21)),
    "\n".join(f"- Week {week}: {what}" for week, what in enumerate(["rest", "run", "swim", "rest"] * 2, 1)),
    " ".join(f"Revenue in {year} was {year * 7 % 90} million." for year in range(2010, 2022)),
    "Row, row, row your boat,\nGently down the stream,\nMerrily, merrily, merrily, merrily,\n"
    "Life is but a dream.",
    "Frère Jacques, Frère Jacques,\nDormez-vous? Dormez-vous?\nSonnez les matines! Sonnez les matines!\n"
    "Ding, dang, dong. Ding, dang, dong.",
    "Oh my darling, oh my darling,\nOh my darling Clementine,\nYou are lost and gone for ever,\n"
    "Dreadful sorry, Clementine.\n\nIn a cavern, in a canyon,\nExcavating for a mine.\n\n"
    "Oh my darling, oh my darling,\nOh my darling Clementine,\nYou are lost and gone for ever,\n"
    "Dreadful sorry, Clementine.",
    "```\n" + "row = [0, 0, 0, 0]\n" * 8 + "```",
    "1. Open the valve.\n2. Wait 5 minutes.\n3. Close the valve.\n4. Wait 5 minutes.\n5. Open the valve.",
    "Name: ........................................\nDate: ______________",
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20",
    "It was very, very, very cold. No, no, no!",
]


@pytest.mark.parametrize("text", LISTS)
def test_lists_tables_verses_and_code_are_no_loops(text: str) -> None:
    given, watch, _ = watched(*text)
    assert not watch.repeats
    assert given == watch.kept == text


def test_only_words_that_may_begin_a_repetition_are_held_back() -> None:
    watch = RepetitionWatch()
    assert watch.feed("The old tree stands. ") == "The old tree stands."
    assert watch.feed("By the") == " By "
    assert watch.feed(" wall") == ""  # "the" was said before
    assert watch.feed(" it") == "the wall "
    assert watch.finish() == "it"


WORDS = st.sampled_from(["a ", "tree ", "is ", "old. ", "1 ", "2", "\n", "| ", "-", "日本", "  ", "[1]"])


@given(st.lists(WORDS, max_size=120), st.data())
def test_the_result_does_not_depend_on_the_pieces(words: list[str], data: st.DataObject) -> None:
    text = "".join(words)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    outcomes = [(given, watch.repeats, watch.kept) for given, watch, _ in (watched(*pieces), watched(*text))]
    assert outcomes[0] == outcomes[1]
    given, repeats, kept = outcomes[0]
    assert text.startswith(given)
    assert given.startswith(kept)
    assert repeats or given == text


def test_what_stands_alone_at_a_cut_is_left_out() -> None:
    assert without_rest("- One.\n- Two.\n- ") == "- One.\n- Two."
    assert without_rest("It is old. The tree and") == "It is old."
    assert without_rest("It is old [1]. The tree is green.") == "It is old [1]. The tree is green."
    assert without_rest("It is old and") == "It is old and"
    assert without_rest("It is old [") == "It is old"
    assert without_rest("Six weeks [1].") == "Six weeks [1]."
