"""The sources of an answer, rendered without a browser."""

from dataclasses import replace

from rag_app.answering.answers import Evidence
from tests.helpers.page_values import START, answer, citation, found, hit, turn
from ui.chat.render import cited_spans, render_sources
from ui.components.text import flow

TEXT = "Rank fusion is old. It uses k = 60, by <b>Cormack</b>. It works."
QUOTE = "It uses k = 60, by <b>Cormack</b>."


def test_the_cited_words_are_marked_at_page_offsets() -> None:
    passage = hit(TEXT, heading="Fusion")
    shown = render_sources(
        turn("q", found(passage), answer("x [1]", passage, citations=(citation(QUOTE, TEXT),)))
    )
    assert (
        "Rank fusion is old. <mark>It uses k = 60, by &lt;b&gt;Cormack&lt;/b&gt;.</mark> It works." in shown
    )
    for part in ("notes.pdf", "page 3", "0.500", "mean 0.250", "maxsim 0.500", "Fusion", 'id="source-1-1"'):
        assert part in shown


def test_citations_of_other_markers_pages_and_documents_mark_nothing() -> None:
    item = Evidence(1, hit(TEXT), ())
    right = citation(QUOTE, TEXT)
    assert cited_spans(item, [right]) == [(TEXT.index(QUOTE), TEXT.index(QUOTE) + len(QUOTE))]
    others = [replace(right, marker=2), replace(right, page=4), replace(right, document_id="d2")]
    assert cited_spans(item, others) == []
    assert right.start == START + TEXT.index(QUOTE)


def test_cited_cards_are_unfolded_and_come_first() -> None:
    first, second = hit("Nothing here.", rank=1), hit(TEXT, rank=2)
    cited = (citation(QUOTE, TEXT, marker=2),)
    shown = render_sources(turn("q", found(first, second), answer("x [2]", first, second, citations=cited)))
    assert shown.index('id="source-1-2" open') < shown.index('id="source-1-1">')
    assert shown.index("Cited") < shown.index("Also used")


def test_found_but_not_read_passages_are_listed_last() -> None:
    read, unread = hit(TEXT, rank=1), hit("Left out.", rank=2)
    event = found(read, unread)
    made = answer("x [1]", read, citations=(citation(QUOTE, TEXT),))
    shown = render_sources(turn("q", event, made))
    assert shown.index("Other matches") < shown.index("Left out.")


def test_an_abstention_shows_the_nearest_passages() -> None:
    passages = [hit(f"Passage {rank}.", rank=rank) for rank in range(1, 6)]
    shown = render_sources(turn("q", found(*passages), answer("No.", *passages, abstained=True)))
    assert "Closest passages" in shown
    assert shown.count('<details class="card') == 5
    assert shown.count(" open>") == 2
    assert "<mark>" not in shown


def test_an_abstention_shows_the_closest_passages_first() -> None:
    read, unread = hit(TEXT, rank=1), hit("Left out.", rank=2)
    refused = answer("No.", read, unread, citations=(citation(QUOTE, TEXT),), abstained=True)
    shown = render_sources(turn("q", found(read, unread), refused))
    assert shown.index("Closest passages") < shown.index("<mark>It uses k = 60") < shown.index("Left out.")
    assert "Cited" not in shown


def test_hostile_documents_are_text() -> None:
    evil = '<script>x()</script><img src="http://evil.example/x.png" onerror="x()">'
    passage = hit(evil, document=f"{evil}.md", heading=evil)
    shown = render_sources(turn(evil, found(passage), answer(evil, passage)))
    assert "<script" not in shown
    assert "<img" not in shown
    assert shown.count("&lt;script&gt;") == 4  # question, name, heading, passage


def test_empty_states_say_what_to_do() -> None:
    assert "Sources appear here" in render_sources(None)
    assert "Searching" in render_sources(turn("q"))
    assert "Add documents" in render_sources(turn("q", found()))
    assert "failed" in render_sources(replace(turn("q"), error="no"))
    stopped = render_sources(replace(turn("q"), stopped=True))
    assert "stopped before passages were found" in stopped
    assert "Searching" not in stopped
    assert "x" in render_sources(replace(turn("q", found(hit("x"))), stopped=True))


def test_approximate_lists_say_so() -> None:
    assert "approximate" in render_sources(turn("q", found(hit("x"), exact=False)))
    assert "approximate" not in render_sources(turn("q", found(hit("x"))))


def test_prose_flows_and_short_lines_stay() -> None:
    prose = "This line of prose was broken by the width of the paper it\nstood on.\n\nTotal 66,608\nNet 5,053"
    shown = flow(prose)
    assert len(shown) == len(prose)
    assert shown == prose.replace("it\nstood", "it stood")


def test_source_code_keeps_its_lines() -> None:
    code = "def area(width, height, depth=1, factor=1.0, unit='square metres'):\n    return width * height"
    passage = hit(code, heading="lines 40–41")
    shown = render_sources(turn("q", found(passage), answer("x", passage)))
    assert ":\n    return width * height</div>" in shown
    assert 'class="passage code"' in shown
    assert '<span class="page">page 3, lines 40–41</span>' in shown
