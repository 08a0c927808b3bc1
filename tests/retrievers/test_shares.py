"""Sides take turns in the first places of a list."""

import pytest

from retrievers.hits import Candidate, Side
from retrievers.shares import PLACES, SHARE, in_turns, shared, taking_turns, turns, unshared


def side(name: str, *documents: str) -> Side:
    return Side(name, f"{name}?", "?", frozenset(documents))


A, B, C = side("A", "a"), side("B", "b"), side("C", "c1", "c2")


def listed(documents: str) -> tuple[Candidate, ...]:
    """Return candidates of documents a, b, …, with scores that fall from 20."""
    return tuple(
        Candidate(f"{document}:0:{place}", 20.0 - place, {"fused": 20.0 - place})
        for place, document in enumerate(documents)
    )


def order(candidates: tuple[Candidate, ...]) -> str:
    return "".join(one.chunk_id[0] for one in candidates)


def test_the_best_of_each_side_comes_first_then_the_next_best() -> None:
    found = shared(listed("aaaaaaaaaabbbbb"), (A, B))
    assert order(found) == "abababab" + "aaaaaab"
    assert [one.chunk_id for one in found[:4]] == ["a:0:0", "b:0:10", "a:0:1", "b:0:11"]
    assert len({one.chunk_id for one in found}) == 15


def test_the_side_with_the_best_passage_begins() -> None:
    assert order(shared(listed("bbbaaa"), (A, B))) == "bababa"


def test_a_side_with_few_passages_leaves_its_places() -> None:
    assert order(shared(listed("aaaaaaaaab"), (A, B))) == "abaaaaaaaa"


def test_three_sides_share_and_the_list_goes_on_by_score() -> None:
    three = turns([*"aaaaaabbb", "c1", "c2", "x"], (A, B, C))
    assert three == [0, 6, 9, 1, 7, 10, 2, 3, 4, 5, 8, 11]


def test_another_document_above_all_sides_stays_there() -> None:
    assert order(shared(listed("xaaaabbbb"), (A, B))) == "xabababab"
    found = order(shared(listed("xxxxxaaaaabbbbb"), (A, B)))
    assert found[:PLACES] == "xxababab"  # not more than two


def test_scores_fall_with_the_ranks_and_add_up() -> None:
    plain = listed("aaaaabbbbbx")
    found = shared(plain, (A, B))
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    for one in found:
        assert one.score == pytest.approx(one.scores["fused"] + one.scores.get(SHARE, 0.0))
    assert SHARE not in found[0].scores
    assert found[1].scores[SHARE] == 4.0  # from 15 to the 19 of the passage behind it
    assert unshared(found) == tuple(
        next(one for one in plain if one.chunk_id == each.chunk_id) for each in found
    )


def test_a_side_may_have_an_order_of_its_own() -> None:
    found = shared(listed("aaabbb"), (A, B), [["a:0:2", "a:0:0", "gone:0:0"], ["b:0:5"]])
    assert [one.chunk_id for one in found] == ["a:0:2", "b:0:5", "a:0:0", "b:0:3", "a:0:1", "b:0:4"]


@pytest.mark.parametrize("sides", [(), (A,), (A, side("Z"))])
def test_fewer_than_two_sides_with_documents_change_nothing(sides: tuple[Side, ...]) -> None:
    plain = listed("aaab")
    assert shared(plain, sides) == plain == in_turns(plain, sides)
    assert taking_turns(sides) == ()
