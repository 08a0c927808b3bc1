"""The answer: one line that answers, then at most two that add to it; a list or a procedure whole."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingestion.tables.cells import row_at
from ingestion.tables.table import Row, Table
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import Evidence, EvidenceSentence, PromptContext
from rag_app.answering.questions.answer_types import AnswerType, answer_type, sides
from rag_app.answering.quoting.asked_rows import IN_FULL, content_words
from rag_app.answering.quoting.candidates import Candidate, candidates
from rag_app.answering.quoting.cells import cell_line
from rag_app.answering.quoting.quotable_tables import label_of
from rag_app.answering.quoting.statements import BULLET, ITEM, Statement, StatementKind, readable

# Of the whole answer, and of a list.
_MOST_WORDS = 45
_MOST_LIST_WORDS = 180
_MOST_ITEMS = 15
_MOST_LINES = 3
# Without a reader nobody knows where in a long sentence the answer is, so it is shown longer.
_LONGEST = 60
# A supporting line is worth at least this share of the first.
_SHARE = 0.6
# Of a question in two parts ("…, and who proposed it?") no one line has to answer all.
_SHARE_OF_PARTS = 0.25
_PARTS = re.compile(
    r"[,;]?\s(?:and|und|et|y|e)\s(?:(?:in|at|by|to|from|on|for)\s)?(?:who|whom|what|when|where|which|why|how|"
    r"did|does|is|was|wer|wann|wo|warum|wie|qui|que|quand|où|comment|quién|qué|cuándo|dónde|cómo)\b",
    re.IGNORECASE,
)
# It says something else if at least this share of its content words is new.
_NEW = 0.4
# The reader's span is set in bold with this probability.
_BOLD = 0.3
_MOST_BOLD_WORDS = 12
_NUMBER = re.compile(r"^\(?\d{1,3}[.)]\s+(?=\S)")
# Sentences between the items of a list that belong to the item before.
_MOST_BETWEEN = 2


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quotation: characters of a page, and the line that is shown, as Markdown."""

    evidence: Evidence
    sentence: EvidenceSentence
    line: str

    @property
    def plain(self) -> str:
        return self.line.replace("**", "")


def compose(packed: PromptContext) -> list[Quotation]:
    """Return the quotations that answer the question of packed evidence, in reading order."""
    question = packed.question
    asked = answer_type(question)
    ranked = candidates(question, asked, packed)
    if not ranked:
        return []
    if asked in (AnswerType.LIST, AnswerType.PROCEDURE):
        whole = _whole_list(ranked[0])
        if whole is not None:
            return [whole]
    if asked is AnswerType.COMPARISON:
        compared = _compared(question, ranked)
        if compared:
            return compared
    return _lines(question, ranked)


def _lines(question: str, ranked: Sequence[Candidate]) -> list[Quotation]:
    best = ranked[0]
    share = _SHARE_OF_PARTS if _PARTS.search(question) else _SHARE
    chosen, shown = [_quoted(best, question)], [best]
    if (
        best.named >= IN_FULL and chosen[0].line.count("**") == 2
    ):  # the cell that is asked for: nothing adds to it
        return chosen
    words = len(chosen[0].plain.split())
    said = _content(best.statement.text)
    for one in ranked[1:]:
        if len(chosen) == _MOST_LINES or one.worth < share * best.worth or one.is_soft:
            break
        own = _content(one.statement.text)
        if not own or len(own - said) < _NEW * len(own):
            continue
        if any(_is_of_others(one, other, question) for other in shown):
            continue
        line = _quoted(one, question)
        length = len(line.plain.split())
        if words + length > _MOST_WORDS:
            continue
        chosen.append(line)
        shown.append(one)
        words += length
        said |= own
    return [one for one in chosen if not any(_introduces(one, other) for other in chosen)]


def _is_of_others(one: Candidate, other: Candidate, question: str) -> bool:
    """Return whether a statement is another row of a shown one's table, of something that nobody asked for.

    The question asks for it where it has a word of the row's label that the shown row's label has not.
    """
    own, its = _row_of(one), _row_of(other)
    if own is None or its is None or own[0] != its[0]:
        return False
    label, known = (content_words(" ".join((*row.section, label_of(row)[0]))) for _, row in (own, its))
    return not (label - known) & content_words(question)


def _row_of(one: Candidate) -> tuple[Table, Row] | None:
    if one.statement.kind is not StatementKind.ROW:
        return None
    window = one.window
    return row_at(window.tables, window.start + one.statement.start, window.start + one.statement.end)


def _introduces(one: Quotation, other: Quotation) -> bool:
    """Return whether a line only leads to another, which begins with the same words: "… was defeated:"."""
    lead = one.plain.rstrip()
    return one is not other and lead.endswith(":") and lead.rstrip(": ") in other.plain


def _quoted(one: Candidate, question: str) -> Quotation:
    statement = one.statement
    if statement.kind is StatementKind.ROW:
        line = cell_line(one, question)
        if line:
            return Quotation(one.evidence, one.sentence, line)
    return Quotation(one.evidence, one.sentence, _sentence_line(one))


def _sentence_line(one: Candidate) -> str:
    """Return a statement on one line, the span in bold; a very long one is cut around the span."""
    statement, raw, span = one.statement, one.sentence.text, one.span
    bold = ""
    if span is not None and span[2] >= _BOLD:
        bold = readable(raw[span[0] - one.sentence.start : span[1] - one.sentence.start]).strip(" ,;:.")
        if not 0 < len(bold.split()) <= _MOST_BOLD_WORDS or bold == statement.text:
            bold = ""
    text = _NUMBER.sub("", BULLET.sub("", statement.text))
    at = _place(text, bold, span[0] - one.sentence.start if span else 0)
    text = _shortened(text, at, len(bold), _MOST_WORDS if bold else _LONGEST)
    at = _place(text, bold, 0)
    if bold and at >= 0:
        text = f"{text[:at]}**{bold}**{text[at + len(bold) :]}"
    return text


def _place(text: str, part: str, near: int) -> int:
    """Return where a part stands in a text: its occurrence nearest to a place; -1 without one."""
    if not part:
        return -1
    places = [match.start() for match in re.finditer(re.escape(part), text)]
    return min(places, key=lambda at: abs(at - near), default=-1)


def _shortened(text: str, at: int, length: int, most: int) -> str:
    """Return a text of at most so many words: its clauses around a place, or its beginning, with …."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if len(words) <= most:
        return text
    first = 0
    if at >= 0 and at + length > words[most - 2][1]:
        # Begin at the last clause that leaves room behind the place.
        behind = next((place for place, (_, end) in enumerate(words) if end >= at + length), len(words) - 1)
        earliest = max(0, behind - most + 6)
        starts = [
            place
            for place in range(earliest, max(earliest, behind - 2))
            if place == 0 or text[words[place - 1][1] - 1] in ",;:—–"
        ]
        first = starts[0] if starts else earliest
    last = min(len(words), first + most - 1)
    cut = last
    if last < len(words):
        least = first + most // 2
        covered = at + length if at >= 0 else 0
        cut = next(
            (
                place
                for place in range(last, least, -1)
                if text[words[place - 1][1] - 1] in ",;:" and words[place - 1][1] >= covered
            ),
            last,
        )
    head = "… " if first else ""
    tail = " …" if cut < len(words) else ""
    return head + text[words[first][0] : words[cut - 1][1]].rstrip(",;:") + tail


def _whole_list(one: Candidate) -> Quotation | None:
    """Return the list that a candidate introduces or is an item of; None where it is in no list."""
    found, place = one.found, one.place
    if found[place].kind is not StatementKind.ITEM and not (
        place + 1 < len(found) and ITEM.match(found[place + 1].text)
    ):
        return None
    first = last = place if found[place].kind is StatementKind.ITEM else place + 1
    first, last = _extended(found, first, -1), _extended(found, last, 1)
    items = _items(found[first : last + 1])
    if len(items) < 2:
        return None
    introduction = (
        found[first - 1] if first and found[first - 1].text.endswith((":", "as follows.")) else None
    )
    lines, words = list[str](), 0
    if introduction is not None:
        lines.append(introduction.text + "\n")
        words += len(introduction.text.split())
    position = next(
        (
            number
            for number, item in enumerate(items)
            if item[0].start <= found[place].start <= item[-1].start
        ),
        0,
    )
    shown: list[list[Statement]] = []
    skipped = (
        0
        if sum(len(each.text.split()) for item in items for each in item) <= _MOST_LIST_WORDS
        else max(0, position - 3)
    )
    for item in items[skipped:]:
        words += sum(len(each.text.split()) for each in item)
        if shown and (words > _MOST_LIST_WORDS or len(shown) == _MOST_ITEMS):
            break
        shown.append(item)
    lines += ["- …"] if skipped else []
    lines += [_item_line(" ".join(each.text for each in item)) for item in shown]
    lines += ["- …"] if skipped + len(shown) < len(items) else []
    begin = introduction.start if introduction is not None and not skipped else shown[0][0].start
    end = shown[-1][-1].end
    window = one.window
    sentence = replace(
        one.sentence, start=window.start + begin, end=window.start + end, text=window.text[begin:end]
    )
    return Quotation(one.evidence, sentence, "\n".join(lines))


def _extended(found: Sequence[Statement], place: int, step: int) -> int:
    """Return the place of the list's last item in one direction."""
    reached, between = place, 0
    while 0 <= (place := place + step) < len(found):
        if found[place].kind is StatementKind.ITEM:
            reached, between = place, 0
        elif found[place].kind is StatementKind.SENTENCE and between < _MOST_BETWEEN:
            between += 1
        else:
            break
    return reached


def _items(found: Sequence[Statement]) -> list[list[Statement]]:
    items: list[list[Statement]] = []
    for one in found:
        if one.kind is StatementKind.ITEM or not items:
            items.append([])
        items[-1].append(one)
    return items


def _item_line(text: str) -> str:
    number = re.match(r"\(?(\d{1,3})[.)]\s+", text)
    return f"{number[1]}. {text[number.end() :]}" if number else f"- {BULLET.sub('', text)}"


def _compared(question: str, ranked: Sequence[Candidate]) -> list[Quotation]:
    """Return a line for each side of a comparison; nothing where not both have one."""
    both = sides(question)
    if not both:
        return []
    chosen: list[Candidate] = []
    for number, side in enumerate(both):
        others = [other for place, other in enumerate(both) if place != number]
        one = _of_side(side, others, [each for each in ranked if all(each is not other for other in chosen)])
        if one is None:
            return []
        chosen.append(one)
    words = _MOST_WORDS * 2 // 3
    return [_labelled(one, side, question, words) for one, side in zip(chosen, both, strict=True)]


def _of_side(side: str, others: Sequence[str], ranked: Sequence[Candidate]) -> Candidate | None:
    """Return the best statement about a side, and not about the other; else one of its document."""
    tests: tuple[Callable[[Candidate], bool], ...] = (
        lambda one: (
            _names(side, one.statement.text)
            and not any(_names(other, one.statement.text) for other in others)
        ),
        lambda one: _names(side, _about(one)) and not any(_names(other, _about(one)) for other in others),
        lambda one: _names(side, one.statement.text),
    )
    best = [next((one for one in ranked if test(one)), None) for test in tests]
    found = [one for one in best if one is not None]
    return max(found, key=lambda one: one.worth, default=None)


def _about(one: Candidate) -> str:
    chunk = one.evidence.hit.chunk
    return f"{chunk.document} {chunk.context} {chunk.heading or ''}"


def _names(side: str, text: str) -> bool:
    """Return whether a text names a side: all its content words, written apart or together."""
    joined = re.sub(r"[\W_]+", "", text.casefold())
    words = [word for word in re.findall(r"\w+", side.casefold()) if word not in stopwords_of("en")]
    return bool(words) and all(re.sub(r"(?:['’]?s)$", "", word) in joined for word in words)


def _labelled(one: Candidate, side: str, question: str, most: int) -> Quotation:
    line = _quoted(one, question)
    shorter = line.line if "**" in line.line else _shortened(line.line, -1, 0, most)
    if _names(side, shorter):
        return replace(line, line=shorter)
    return replace(line, line=f"{side[0].upper()}{side[1:]}: {shorter}")


def _content(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if word not in stopwords_of("en")}
