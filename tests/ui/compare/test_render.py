"""Columns of passages side by side, rendered without a browser."""

import re
from dataclasses import replace

from rag_app.answering.answers import AskOptions
from rag_app.evaluation.votes import Contender, Tally
from retrievers.comparison import Column, StrategyComparison, compare
from tests.helpers.page_values import answer, found, hit
from ui.compare.controller import AnswersView
from ui.compare.render import (
    CARD,
    GAP,
    ComparisonView,
    middle,
    name_of,
    render_answers,
    render_comparison,
    render_passage,
    render_tally,
)
from ui.components.turns import ChatTurn

HOSTILE = "<img src=x onerror=alert(1)>"


def column(strategy: str, *chunks: str, milliseconds: float = 10.0) -> Column:
    hits = []
    for rank, chunk in enumerate(chunks, start=1):
        one = hit(f"Passage {chunk} says {HOSTILE}", rank=rank, document=f"{chunk}{HOSTILE}.pdf")
        hits.append(replace(one, chunk=replace(one.chunk, id=chunk), score=1.0 / rank))
    timings = {"encode": 0.0, "fts5": milliseconds / 2, "read": milliseconds / 2, "total": milliseconds}
    return Column(strategy, None, True, tuple(hits), timings, 2_500_000)


def compared() -> StrategyComparison:
    return compare(
        f"Why {HOSTILE}?",
        [column("fusion", "a", "b", "c"), column("bm25", "c", "a", "d", milliseconds=5.0)],
        7.0,
    )


def test_lines_join_the_same_passages_at_the_heights_of_their_cards() -> None:
    shown = render_comparison(ComparisonView(compared(), (0, 1)))
    lines = re.findall(
        r'<path class="(\w+)" d="M0 ([\d.]+) C[^"]* ([\d.]+)"/>(?:<text[^>]*>(..)</text>)?', shown
    )
    assert lines == [
        ("down", f"{middle(1):.1f}", f"{middle(2):.1f}", "↓1"),
        ("up", f"{middle(3):.1f}", f"{middle(1):.1f}", "↑2"),
    ]
    assert middle(3) - middle(1) == 2 * (CARD + GAP)
    assert shown.count("only here") == 2  # b and d
    assert "2 of 4" in shown


def test_cost_is_a_bar_of_stages_beside_the_slowest() -> None:
    shown = render_comparison(ComparisonView(compared(), (0, 1)))
    assert re.findall(r'style="width: ([\d.]+)%"', shown) == ["50.00", "50.00", "25.00", "25.00"]
    assert "fts5 2.5 ms · read 2.5 ms" in shown
    assert "2.5 MB stored" in shown
    assert "took 7.0 ms" in shown


def test_a_blind_comparison_gives_no_name_away_until_the_vote() -> None:
    blind = ComparisonView(compared(), (1, 0), blind=True)
    shown = render_comparison(blind)
    for secret in ("fusion", "bm25", "fts5", "stored", 'class="score"', "7.0 ms"):
        assert secret not in shown
    assert [name_of(blind, place) for place in (0, 1)] == ["A", "B"]
    assert shown.index(">c&lt;img") < shown.index(">b&lt;img")  # the order in which they stand
    open_ = replace(blind, blind=False, voted=(0,))
    assert [name_of(open_, place) for place in (0, 1)] == ["bm25", "fusion"]
    assert '<section class="column chosen" aria-label="bm25">' in render_comparison(open_)


def test_answers_of_a_blind_comparison_give_no_name_away_at_any_time() -> None:
    asked = ChatTurn(1, "why?", AskOptions(strategy="fusion", reranker="big"))
    event = found(hit("Pears ripen late."))
    states = [
        (asked, "being written"),
        (replace(asked, found=event, text="Pears [1]"), "Pears [1]"),
        (replace(asked, found=event, text="Pears", stopped=True), "stopped"),
        (replace(asked, error="fusion + big fails"), "This failed."),
        (replace(asked, answer=replace(answer("Late [1].", hit("Late.")), strategy="fusion")), "Late [1]."),
    ]
    for state, words in states:
        blind = ComparisonView(compared(), (1, 0), blind=True)
        shown = render_answers(blind, [state])
        assert words in shown
        assert "<h3>A</h3>" in shown
        for secret in ("fusion", "bm25", "big", "reranker"):
            assert secret not in shown
        voted = render_answers(replace(blind, blind=False, voted=(0,)), [state])
        assert "<h3>bm25</h3>" in voted
        assert "fusion" in voted


def test_a_marker_names_a_passage_that_its_answer_read() -> None:
    first, second = hit("Pears."), hit("Plums.", rank=2)
    turns = [
        ChatTurn(1, "why?", AskOptions(), found=found(second)),
        ChatTurn(2, "why?", AskOptions(), answer=answer("Pears [1].", first)),
        ChatTurn(3, "why?", AskOptions()),
    ]
    answers = AnswersView(ComparisonView(compared(), (0, 1)), turns)
    assert answers.source("1", "2") == second
    assert answers.source("2", "1") == first
    for turn, number in (("1", "1"), ("2", "7"), ("3", "1"), ("4", "1"), ("None", "None")):
        assert answers.source(turn, number) is None


def test_documents_and_questions_stay_text() -> None:
    shown = render_comparison(ComparisonView(compared(), (0, 1), grades={"a": 1})) + render_passage(
        hit(HOSTILE)
    )
    assert "<img" not in shown
    assert shown.count('data-chunk="a" aria-pressed="true"') == 2
    assert "Passage a says &lt;img" in shown


def test_nothing_found_says_what_to_do() -> None:
    nothing = compare("why?", [column("fusion"), column("bm25")])
    assert "Add documents" in render_comparison(ComparisonView(nothing, (0, 1)))


def test_the_tally_names_contenders() -> None:
    assert "No votes yet" in render_tally([], 0)
    shown = render_tally([Tally(Contender("fusion", "big<b>"), 3, 1, 2)], 4)
    assert "fusion + big&lt;b&gt;</th><td>3</td><td>1</td><td>2</td>" in shown
    assert "4 questions" in shown
