"""Why a passage was found: the question's words beside the passage's, as the strategy compared them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrievers.explain import Explanation, TermReason
from retrievers.hits import Hit
from ui.components.text import Span, escape, marked

# Cosines at which a word's colour begins (unrelated words reach it) and is full.
_FAINT, _FULL = 0.25, 0.9
_WORD = re.compile(r"\w+")
_SINGLE_VECTORS = {"cls": "CLS", "mean": "mean"}


@dataclass(frozen=True, slots=True)
class WordReason:
    """A word of the question, the mean cosine of its tokens' matches, and the matches in the passage."""

    word: str
    similarity: float
    matches: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """The reasons why a hit was found: by tokens and by words, where they are known."""

    question: str
    hit: Hit
    strategy: str
    tokens: Explanation | None
    terms: tuple[TermReason, ...]


def render_why(why: HitExplanation) -> str:
    """Return the whole explanation, with the scores that decided the rank first."""
    scores = why.hit.scores
    late = _late_interaction(why) if why.tokens else ""
    terms = _terms(why) if why.terms else ""
    by_tokens = "maxsim" in scores
    by_words = "bm25" in scores
    parts = [_head(why)]
    shown = [(by_tokens, late), (by_words, terms)]
    parts += [part for used, part in shown if used]
    parts += _singles(scores)
    if "share" in scores:
        words = (
            "The question names several documents, which take turns in the first places, so that each has "
            "its best passages there. This passage was lifted by so much to its turn."
        )
        parts.append(_part("Share", scores["share"], words))
    if "cross_encoder" in scores:
        words = "It reads question and passage together and gives one number, which names no words."
        parts.append(_part("Cross-encoder", scores["cross_encoder"], words))
    if others := "".join(part for used, part in shown if not used and part):
        parts.append(
            f'<details class="others"><summary>What this strategy did not look at</summary>{others}</details>'
        )
    return f'<div class="why" tabindex="0" role="region" aria-label="Why it was found">{"".join(parts)}</div>'


def by_word(explanation: Explanation, question: str) -> list[WordReason]:
    """Return the explanation by word; tokens that touch in the question form a word."""
    grouped: list[list[int]] = []
    reasons = explanation.reasons
    for place, reason in enumerate(reasons):
        if reason.end <= reason.start:  # a token that the model puts in front of a question
            continue
        if grouped and reasons[grouped[-1][-1]].end == reason.start:
            grouped[-1].append(place)
        else:
            grouped.append([place])
    found = []
    for places in grouped:
        parts = [reasons[place] for place in places]
        spans = tuple(dict.fromkeys(span for part in parts for span in part.places))
        mean = sum(part.similarity for part in parts) / len(parts)
        found.append(WordReason(question[parts[0].start : parts[-1].end], mean, spans))
    return found


def _head(why: HitExplanation) -> str:
    named = "".join(
        f"<li><span>{escape(name.replace('_', ' '))}</span> <b>{value:.3f}</b></li>"
        for name, value in why.hit.scores.items()
    )
    return (
        f'<p class="asked">{escape(why.question)}</p>'
        f"<p>Rank {why.hit.rank} by <b>{escape(why.strategy)}</b>, score <b>{why.hit.score:.3f}</b>.</p>"
        f'<ul class="scores">{named}</ul>'
    )


def _late_interaction(why: HitExplanation) -> str:
    assert why.tokens is not None
    words = by_word(why.tokens, why.question)
    chunk = why.hit.chunk
    rows = "".join(
        f'<tr data-word="{number}" tabindex="0"><th scope="row">{escape(word.word)}</th>'
        f"<td>{escape(_best(word, chunk.text, chunk.start))}</td>"
        f'<td class="number"><meter min="0" max="1" value="{max(0.0, word.similarity):.3f}" '
        f'aria-label="similarity"></meter> {word.similarity:.2f}</td></tr>'
        for number, word in enumerate(words)
    )
    return (
        '<section class="part"><h3>Late interaction (MaxSim)</h3>'
        "<p>Each token of the question takes its most similar token in the passage; the sum is the score: "
        f"<b>{why.tokens.maxsim:.2f}</b> over {len(why.tokens.reasons)} tokens.</p>"
        '<div class="scroll"><table><thead><tr><th scope="col">question</th><th scope="col">best match</th>'
        f'<th scope="col">cosine</th></tr></thead><tbody>{rows}</tbody></table></div>'
        f'<div class="heat" dir="auto">{_heat(words, chunk.text, chunk.start)}</div></section>'
    )


def _best(word: WordReason, text: str, offset: int) -> str:
    if not word.matches:
        return "(title or heading)"
    start, end = word.matches[0]
    first, last = _whole(text, start - offset, end - offset)
    return text[first:last]


def _heat(words: Sequence[WordReason], text: str, offset: int) -> str:
    """Return the passage with each matched word shaded by its best cosine."""
    best: dict[Span, tuple[float, list[int]]] = {}
    for number, word in enumerate(words):
        for start, end in word.matches:
            whole = _whole(text, start - offset, end - offset)
            similarity, numbers = best.get(whole, (0.0, []))
            best[whole] = (max(similarity, word.similarity), [*numbers, number])
    parts: list[str] = []
    position = 0
    for (start, end), (similarity, numbers) in sorted(best.items()):
        if start < position:
            continue
        share = max(0.0, min(1.0, (similarity - _FAINT) / (_FULL - _FAINT)))
        parts.append(escape(text[position:start]))
        parts.append(
            f'<span class="hot" style="--heat: {share:.2f}" data-words=" {" ".join(map(str, numbers))} " '
            f'title="cosine {similarity:.2f}">{escape(text[start:end])}</span>'
        )
        position = end
    return "".join([*parts, escape(text[position:])])


def _whole(text: str, start: int, end: int) -> Span:
    """Return the span of the word around a token."""
    for match in _WORD.finditer(text, max(0, text.rfind(" ", 0, start) + 1)):
        if match.start() <= start and end <= match.end():
            return match.start(), match.end()
        if match.start() > start:
            break
    return start, end


def _terms(why: HitExplanation) -> str:
    chunk = why.hit.chunk
    found = [term for term in why.terms if term.places]
    missing = [term for term in why.terms if not term.places]
    items = "".join(
        f'<li class="has">{escape(why.question[term.start : term.end])} '
        f"<small>× {len(term.places)}</small></li>"
        for term in found
    ) + "".join(f'<li class="lacks">{escape(why.question[term.start : term.end])}</li>' for term in missing)
    spans = sorted((start - chunk.start, end - chunk.start) for term in found for start, end in term.places)
    score = why.hit.scores.get("bm25")
    value = f" Its BM25 score is <b>{score:.2f}</b>." if score is not None else ""
    return (
        '<section class="part"><h3>Words (BM25)</h3>'
        f"<p>{len(found)} of {len(why.terms)} words of the question are in the passage, in some "
        f"form.{value} Rare words count more than common ones.</p>"
        f'<ul class="terms">{items}</ul>'
        f'<div class="passage" dir="auto">{marked(chunk.text, spans)}</div></section>'
    )


def _singles(scores: Mapping[str, float]) -> list[str]:
    words = (
        "This is the cosine of two vectors, one for the whole question and one for the whole passage. A "
        "single vector cannot tell which words caused it."
    )
    return [
        _part(f"One vector ({_SINGLE_VECTORS[name]})", value, words)
        for name, value in scores.items()
        if name in _SINGLE_VECTORS
    ]


def _part(title: str, value: float, words: str) -> str:
    return f'<section class="part"><h3>{title}: {value:.3f}</h3><p>{words}</p></section>'
