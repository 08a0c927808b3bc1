"""The conversation, rendered without a browser."""

from dataclasses import replace

from rag_app.answering.answers import (
    AnswerInstructions,
    AnswerProgress,
    AnswerSentence,
    AskOptions,
    Delta,
    QuestionRewritten,
    Verdict,
)
from tests.helpers.page_values import answer, citation, found, hit, turn
from ui.chat.variants import render_side_by_side
from ui.components.conversation import messages, render_turn
from ui.components.markdown import located
from ui.components.text import escape, marked, merge, milliseconds

HOSTILE = (
    '<script>alert(1)</script> <img src=http://evil.example/x.png onerror="x()"> ![a](http://evil.example)'
)


def test_escape_leaves_no_markup_and_no_hidden_direction() -> None:
    assert escape("<a href='x'>&\"") == "&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;"
    assert escape("ab\u202egnp.exe\x00") == "ab\ufffdgnp.exe\ufffd"


def test_merge_joins_overlapping_and_touching_spans_and_clips_them() -> None:
    assert merge([(4, 6), (0, 2), (5, 9), (2, 3), (7, 7)], 8) == [(0, 3), (4, 8)]
    assert merge([(-5, 2), (20, 30)], 10) == [(0, 2)]


def test_marks_stand_at_exact_offsets_of_the_unescaped_text() -> None:
    assert marked("a<b & c>d", [(1, 3), (6, 8)]) == "a<mark>&lt;b</mark> &amp; <mark>c&gt;</mark>d"


def test_times_read_well() -> None:
    assert [milliseconds(value) for value in (0.42, 41.2, 1234.0)] == ["0.4 ms", "41 ms", "1.2 s"]


def test_question_and_answer_are_text() -> None:
    passage = hit("words")
    asked = turn(HOSTILE, found(passage), answer(f"{HOSTILE} [1]", passage))
    question, reply = (message["content"] for message in messages([asked]))
    for content in (question, reply):
        assert "<script" not in content
        assert "<img" not in content
        assert "&lt;script&gt;" in content
    assert "![a](http://evil.example)" in reply  # nobody renders Markdown


def test_stamp_says_what_made_the_answer_and_how_long_it_took() -> None:
    passage = hit("words")
    stamp = render_turn(turn("q", found(passage), answer("Words [1]", passage))).split('class="stamp"')[1]
    for part in ("colbert", "no reranker", "quotations, no LLM (extractive)", "42 ms"):
        assert part in stamp
    made = replace(answer("Words", passage, llm="tiny.gguf"), reranker="ms-marco")
    stamp = render_turn(turn("q", found(passage), made)).split('class="stamp"')[1]
    assert "reranked by ms-marco" in stamp
    assert "tiny.gguf" in stamp


def test_markers_of_evidence_are_links_and_others_stay_text() -> None:
    passage = hit("words")
    shown = render_turn(turn("q", found(passage), answer("As [12] showed [1]", passage), number=4))
    assert '<a class="marker" href="#source-4-1" title="Open source 1">[1]</a>' in shown
    assert "[12]" in shown
    assert shown.count('class="marker"') == 1


def test_abstention_is_plain_and_no_error() -> None:
    shown = render_turn(turn("q", found(hit("x")), answer("I couldn't find this.", hit("x"), abstained=True)))
    assert "abstained" in shown
    assert "closest passages are under Sources" in shown
    assert "failed" not in shown


def test_the_closest_passages_of_an_abstention_can_be_opened_and_are_no_answer() -> None:
    passage = hit("The crane is yellow.")
    text = "I couldn't find this.\n\nClosest passages:\n• notes.pdf, page 3: “The crane is yellow.” [1]"
    refused = answer(
        text,
        passage,
        citations=(citation("The crane", "The crane is yellow."),),
        abstained=True,
        llm="x.gguf",
    )
    shown = render_turn(turn("q", found(passage), refused))
    said, _, closest = shown.partition('<div class="reply closest">')
    assert '<div class="reply abstained related">I couldn&#x27;t find this.</div>' in said
    assert closest.startswith("Closest passages:\n• notes.pdf, page 3:")
    assert 'href="#source-1-1"' in closest
    assert "#do-bad-1" in shown  # of a refusal one wants to say that it did not help


def test_errors_show_their_message_and_no_answer() -> None:
    shown = render_turn(replace(turn("q"), error="the model <b>x.gguf</b> is missing; give its path"))
    assert 'role="alert"' in shown
    assert "the model &lt;b&gt;x.gguf&lt;/b&gt; is missing; give its path" in shown
    assert "do not answer" not in shown


def test_a_turn_says_how_far_it_is() -> None:
    asked = turn("q")
    assert "searching" in render_turn(asked)
    assert "reading the passages" in render_turn(turn("q", found(hit("x"))))
    writing = turn("q", found(hit("x")), Delta("The "), Delta("answer"))
    assert "The answer" in render_turn(writing)
    assert "writing" in render_turn(writing)
    stopped = render_turn(replace(writing, stopped=True))
    assert "The answer" in stopped
    assert "stopped" in stopped
    assert "writing" not in stopped
    assert "#do-again" not in render_turn(writing)


def test_a_pending_turn_names_what_was_asked_for() -> None:
    options = AskOptions(strategy="bm25", reranker="big", llm="extractive")
    shown = render_turn(replace(turn("q"), options=options))
    assert "bm25" in shown
    assert "reranked by big" in shown


def test_a_marker_within_a_quotation_is_its_author_s() -> None:
    passage = hit("words")
    quoted = answer("As [1] showed. [1]\n\nSee [1], p. 2. [1]", passage)
    assert render_turn(turn("q", found(passage), quoted)).count('class="marker"') == 2
    written = answer("As [1] showed, so [1].", passage, llm="tiny.gguf")
    assert render_turn(turn("q", found(passage), written)).count('class="marker"') == 2


def test_what_sources_do_not_hold_is_said_quietly() -> None:
    passage = hit("words")
    sentences = (
        AnswerSentence("True.", Verdict.SUPPORTED, 0.9, (1,)),
        AnswerSentence("<b>Wrong</b> in 1912.", Verdict.UNSUPPORTED, 0.8, (1,), "1912 is not in the source"),
        AnswerSentence("Close.", Verdict.WEAK, 0.6, (1,), "the sources say something close to it"),
    )
    said = replace(answer("True. Wrong.", passage), sentences=sentences, flags=("a.txt <i>gives</i> orders",))
    shown = render_turn(turn("q", found(passage), said))
    assert "1 sentence not supported · 1 sentence weakly supported by the sources" in shown
    assert (
        '<li class="unsupported">&lt;b&gt;Wrong&lt;/b&gt; in 1912. <i>(1912 is not in the source)</i></li>'
        in shown
    )
    assert "a.txt &lt;i&gt;gives&lt;/i&gt; orders" in shown
    assert 'class="checks"' not in render_turn(turn("q", found(passage), answer("True.", passage)))


def test_a_follow_up_says_what_it_was_understood_as_and_what_it_waits_for() -> None:
    asked = turn("And it?", QuestionRewritten("And it? (<tree>)"))
    assert "Understood as: And it? (&lt;tree&gt;)" in messages([asked])[0]["content"]
    for waiting, shown in (
        (AnswerProgress("queue", 2), "2 questions before yours"),
        (AnswerProgress("queue"), "next"),
        (AnswerProgress("load"), "loading the model"),
        (AnswerProgress("prefill", 512, 1400), "reading 512 of 1,400 tokens"),
        (AnswerProgress("read", 3, 9), "reading 3 of 9 passages"),
    ):
        assert shown in render_turn(turn("q", found(hit("x")), waiting))


def test_doubtful_sentences_are_marked_where_they_stand() -> None:
    passage = hit("words")
    text = "It is\n 42 [1] kg. So <b>it</b> seems [1]. True."
    sentences = (
        AnswerSentence("It is 42 kg.", Verdict.UNSUPPORTED, 0.4, (1,), "no source says this"),
        AnswerSentence("So <b>it</b> seems.", Verdict.WEAK, 0.6, (1,), "close"),
        AnswerSentence("True.", Verdict.SUPPORTED, 0.9, ()),
    )
    made = replace(answer(text, passage, llm="tiny.gguf"), sentences=sentences)
    shown = render_turn(turn("q", found(passage), made))
    wrong, weak = shown.index('<span class="unsupported"'), shown.index('<span class="weak"')
    assert wrong < shown.index("It is</span><br>") < shown.index("42") < shown.index("kg.</span>") < weak
    assert weak < shown.index("So &lt;b&gt;it&lt;/b&gt; seems") < shown.index("</span> True.")
    assert 'title="Not supported by the sources: no source says this"' in shown
    (spans,) = located([text], sentences)
    assert [text[a:b] for a, b, _ in spans] == [
        "It is\n 42 [1] kg.", "So <b>it</b> seems [1].", "True.",
    ]  # fmt: skip


def test_quotations_below_the_first_are_folded() -> None:
    passage = hit("words")
    quoted = answer("The first. [1]\n\nThe second. [1]\n\nThe third. [1]", passage)
    seen, _, folded = render_turn(turn("q", found(passage), quoted)).partition('<details class="quotes">')
    assert "The first." in seen
    assert "The second." not in seen
    assert folded.startswith("<summary>2 supporting quotes</summary>")
    assert "The third." in folded
    for text in ("One. [1]", "One. [1]\n\nWithout a source.", "One. [1]\n\n- a list [1]"):
        assert "supporting" not in render_turn(turn("q", found(passage), answer(text, passage)))
    written = answer("One. [1]\n\nTwo. [1]", passage, llm="tiny.gguf")
    assert "supporting" not in render_turn(turn("q", found(passage), written))


def test_times_stand_behind_the_dots() -> None:
    passage = hit("words")
    seen, _, folded = render_turn(turn("q", found(passage), answer("Words [1]", passage))).partition("⋯")
    assert "42 ms" not in seen
    assert "42 ms" in folded


def test_an_answer_offers_what_can_be_done_with_it() -> None:
    passage = hit("words")
    cited = replace(answer("Words [1]", passage, citations=(citation("words", "words"),)), llm="x.gguf")
    shown = render_turn(replace(turn("q", found(passage), cited, number=3), helpful=False))
    for action in ("with", "good", "bad"):
        assert f'href="#do-{action}-3"' in shown
    assert 'class="action chosen" href="#do-bad-3"' in shown
    abstained = answer("The documents do not answer this.", passage, abstained=True)
    shown = render_turn(turn("q", found(passage), abstained))
    assert "#do-with-1" in shown
    assert "#do-bad-1" in shown  # of a refusal one wants to say that it did not help


def test_what_failed_or_was_stopped_can_be_asked_again() -> None:
    assert "#do-again-1" in render_turn(replace(turn("q"), error="no"))
    assert "#do-again-1" in render_turn(replace(turn("q"), stopped=True))
    assert "#do-again-1" in render_turn(replace(turn("q", Delta("The ")), stopped=True))


def test_the_ways_to_a_question_s_other_answers_are_named() -> None:
    passage = hit("words")
    one = turn("q", found(passage), answer("Words [1]", passage))
    assert "variants" not in render_turn(one)
    first, second = (render_turn(replace(one, variant=each, variants=2)) for each in (1, 2))
    assert "#do-previous-1" not in first
    assert 'href="#do-next-1"><span class="unseen">Answer 1 of 2, next</span></a>' in first
    assert "Answer 2 of 2, previous" in second
    assert "#do-next-1" not in second
    assert "2/2" in second
    assert "#do-compare-1" in second
    stopped = replace(turn("q", Delta("The ")), stopped=True, variant=3, variants=3)
    assert "Answer 3 of 3, previous" in render_turn(stopped)
    assert "Answer 3" not in render_turn(replace(stopped, stopped=False))  # it is being written


def test_two_answers_stand_side_by_side() -> None:
    passage = hit("<words>")
    cited = answer("<Words> [1]", passage, citations=(citation("words", "<words>"),))
    one = replace(turn("<q>", found(passage), cited), variants=3, variant=2)
    stopped = replace(turn("<q>", Delta("The ")), stopped=True, variant=3, variants=3)
    shown = render_side_by_side([one, stopped])
    assert "Answer 2 of 3" in shown
    assert "stopped before its end" in shown
    assert "[1] <bdi>notes.pdf</bdi>, page 3" in shown
    assert "<a " not in shown  # a marker has no card there
    assert '&lt;Words&gt; <span class="marker">[1]</span>' in shown
    assert "&lt;q&gt;" in shown


def test_a_search_alone_says_what_it_is() -> None:
    shown = render_turn(replace(turn("q", found(hit("words"))), search_only=True))
    assert "1 passage found" in shown
    assert "passages only" in shown
    assert "#do-again-1" in shown


def test_what_was_understood_can_be_edited() -> None:
    asked, _ = messages([replace(turn("and why?"), understood="Why is <it> so?")])
    assert "Understood as: Why is &lt;it&gt; so?" in asked["content"]
    assert "#do-edit-1" in asked["content"]


def test_the_own_text_of_a_useless_model_is_folded_and_escaped() -> None:
    passage = hit("words")
    quoted = replace(
        answer("This model could not answer.\n\nWords. [1]", passage, llm="tiny.gguf"),
        model_text="<script>alert(1)</script> **loop** [1]",
    )
    shown = render_turn(turn("q", found(passage), quoted))
    assert '<details class="own"><summary>What the model wrote</summary>' in shown
    assert "<pre>&lt;script&gt;alert(1)&lt;/script&gt; **loop** [1]</pre>" in shown
    assert shown.count('class="marker"') == 1  # quotations are shown as such
    assert 'class="own"' not in render_turn(turn("q", found(passage), answer("Words. [1]", passage)))
    nothing = render_turn(turn("q", found(passage), replace(quoted, model_text="")))
    assert "<pre>Nothing.</pre>" in nothing


def test_a_model_s_text_is_markdown_while_it_is_written_and_a_quotation_is_not() -> None:
    passage, text = hit("words"), "- one\n- **two** [1]"
    model = turn("q", found(passage), AnswerProgress("load"), Delta(text))
    assert "<li>one</li>" in render_turn(model)
    assert 'href="#source-1-1"' in render_turn(model)
    quoted = turn("q", found(passage), Delta(text))
    assert "- one\n- <b>two</b>" in render_turn(quoted)


def test_the_stamp_says_which_instructions_were_used() -> None:
    passage = hit("words")
    plain = render_turn(turn("q", found(passage), answer("Words", passage, llm="tiny.gguf")))
    assert "nstructions" not in plain
    used = AnswerInstructions("In <verse>.", "Ahoy.")
    made = replace(answer("Words", passage, llm="tiny.gguf"), instructions=used)
    stamp = render_turn(turn("q", found(passage), made)).split('class="stamp"')[1]
    assert "<span>with instructions</span>" in stamp
    assert '<b>Instructions of the collection</b> <span dir="auto">In &lt;verse&gt;.</span>' in stamp
    assert '<b>Instructions of the program that asked</b> <span dir="auto">Ahoy.</span>' in stamp
    # A refusal is in the application's own words.
    refused = replace(answer("None.", passage, abstained=True, llm="tiny.gguf"), instructions=used)
    assert "nstructions" not in render_turn(turn("q", found(passage), refused))
