"""The answer: one line that answers, then at most two that add to it; a list or a procedure whole."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ingestion.tables.cells import row_at
from ingestion.tables.table import Row, Table, without_note
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import PromptContext
from rag_app.answering.questions.answer_types import AnswerType, answer_type
from rag_app.answering.quoting.asked_rows import IN_FULL, content_words
from rag_app.answering.quoting.candidates import Candidate, candidates
from rag_app.answering.quoting.computing.computed import computed, growth, is_figure_itself
from rag_app.answering.quoting.computing.shares import share
from rag_app.answering.quoting.lines import MOST_WORDS, Absence, Quotation, quoted
from rag_app.answering.quoting.parts import PARTS, SHARE_OF_PARTS, of_other_part
from rag_app.answering.quoting.quotable_tables import label_of
from rag_app.answering.quoting.sides import compared, sides_lines
from rag_app.answering.quoting.statements import BULLET, ITEM, Statement, StatementKind
from rag_app.answering.quoting.values.held_values import is_asked_field, is_row_without, led_by_value

# Of a list.
_MOST_LIST_WORDS = 180
_MOST_ITEMS = 15
_MOST_LINES = 3
# A supporting line is worth at least this share of the first.
_SHARE = 0.6
# A statement that introduces a list is chosen with at least this share of the best statement's worth.
_SHARE_OF_LISTS = 0.8
# It says something else if at least this share of its content words is new.
_NEW = 0.4
# As the items of a list end: "…; and".
_ITEM_END = re.compile(r";(?:\s*(?:and|or|und|oder|y|o|et|ou|e))?$", re.IGNORECASE)
# Sentences between the items of a list that belong to the item before.
_MOST_BETWEEN = 2


def answer_lines(packed: PromptContext) -> list[Quotation | Absence]:
    """Return the lines of an answer to the question of packed evidence, in reading order.

    Of a question with sides each side has one line, unless the evidence answers for none of them.
    """
    lines = sides_lines(packed) if packed.sides else []
    return lines or list(_quotations(packed))


def compose(packed: PromptContext) -> list[Quotation]:
    """Return the quotations that answer the question of packed evidence, in reading order."""
    return [line for line in answer_lines(packed) if isinstance(line, Quotation)]


def _quotations(packed: PromptContext) -> list[Quotation]:
    question = packed.question
    asked = answer_type(question)
    ranked = led_by_value(question, candidates(question, asked, packed))
    if not ranked:
        return []
    if figures := _figures(question, ranked[0], packed):
        return figures
    is_list = asked in (AnswerType.LIST, AnswerType.PROCEDURE)
    if is_list or ranked[0].introduces:
        whole = _whole_list(_leading_to_list(ranked, question) if is_list else ranked[0])
        if whole is not None:
            return [whole]
    if asked is AnswerType.COMPARISON:
        both = compared(question, ranked)
        if both:
            return both
    return _lines(question, ranked)


def _figures(question: str, best: Candidate, packed: PromptContext) -> list[Quotation]:
    """Return lines with a figure that is computed from the best statement's document, if one is asked for."""
    document = best.evidence.hit.chunk.document_id
    own = [item for item in packed.evidence if item.hit.chunk.document_id == document]
    row = _row_of(best) if _is_asked_cell(best, question) else None
    is_there = row is not None and is_figure_itself(question, label_of(row[1])[0])
    return share(question, own) or growth(question, own) or ([] if is_there else computed(question, own))


def _lines(question: str, ranked: Sequence[Candidate]) -> list[Quotation]:
    best = ranked[0]
    share = SHARE_OF_PARTS if PARTS.search(question) else _SHARE
    shown = [best, *filter(None, [of_other_part(question, ranked)])]
    shown += _other_asked_rows(shown, ranked, question)
    chosen = [quoted(one, question) for one in shown]
    if _is_asked_cell(best, question) or is_asked_field(question, best):  # nothing else adds to it
        return chosen
    words = sum(len(one.plain.split()) for one in chosen)
    said = set[str]().union(*(_content(one.statement.text) for one in shown))
    for one in ranked[1:]:
        if len(chosen) == _MOST_LINES or one.worth < share * best.worth or one.is_soft:
            break
        own = _content(one.statement.text)
        if not own or len(own - said) < _NEW * len(own) or any(one is other for other in shown):
            continue
        if any(_is_of_others(one, other, question) for other in shown) or is_row_without(question, one):
            continue
        if _only_introduces(one):
            continue
        line = quoted(one, question)
        length = len(line.plain.split())
        if words + length > MOST_WORDS:
            continue
        chosen.append(line)
        shown.append(one)
        words += length
        said |= own
    return [one for one in chosen if not any(_introduces(one, other) for other in chosen)]


def _other_asked_rows(
    shown: Sequence[Candidate], ranked: Sequence[Candidate], question: str
) -> list[Candidate]:
    """Return rows that a question names beside the first one: "revenue and gross profit".

    Of another table of its document only those that are likely to answer.
    """
    best, first = shown[0], _row_of(shown[0])
    if first is None or best.named < IN_FULL:
        return []
    found = list[Candidate]()
    known = set[str]().union(*(content_words(one.statement.text) for one in shown))
    asked = re.sub(r"\([^)]*\)", "", question.casefold())  # brackets only explain
    for one in ranked[1:]:
        row = _row_of(one)
        label = without_note(label_of(row[1])[0]).casefold() if row is not None else ""
        if row is None or one.named < IN_FULL or label not in asked:
            continue
        is_of_document = one.evidence.hit.chunk.document_id == best.evidence.hit.chunk.document_id
        is_likely = is_of_document and one.worth >= _SHARE * best.worth
        if content_words(label) - known and (row[0] == first[0] or is_likely):
            found.append(one)
            known |= content_words(label)
    return found[: _MOST_LINES - len(shown)]


def _is_asked_cell(one: Candidate, question: str) -> bool:
    """Return whether a statement is a row that the question names, with the one cell that it asks for."""
    return one.named >= IN_FULL and quoted(one, question).line.count("**") == 2


def _only_introduces(one: Candidate) -> bool:
    """Return whether a statement introduces what is not shown: it ends with a colon, or is in capitals."""
    text = one.statement.text
    return text.endswith(":") or (one.statement.kind is not StatementKind.ROW and text.isupper())


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


def _leading_to_list(ranked: Sequence[Candidate], question: str) -> Candidate:
    """Return what leads to the asked list.

    It is an item of a list whose heading has more of the question's words than the best one's list has
    ("Exclusion criteria"), or the first statement before a list that is worth about as much as the best, or
    the best itself.
    """
    asked, best = content_words(question), ranked[0]
    items = [one for one in ranked if one.worth >= _SHARE * best.worth and _heading_of_list(one)]
    headed = max(items, key=lambda one: len(content_words(_heading_of_list(one)) & asked), default=best)
    if content_words(_heading_of_list(headed)) & asked > content_words(_heading_of_list(best)) & asked:
        return headed
    near = (one for one in ranked if one.worth >= _SHARE_OF_LISTS * best.worth and one.introduces)
    return next(near, best)


def _heading_of_list(one: Candidate) -> str:
    """Return the line before the list that a statement is an item of; "" for another statement."""
    if one.statement.kind is not StatementKind.ITEM:
        return ""
    first = _extended(one.found, one.place, -1)
    heading = one.found[first - 1] if first else None
    return heading.text if heading is not None and heading.kind is StatementKind.LINE else ""


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
        elif _is_of_item(found[place]) and between < _MOST_BETWEEN:
            between += 1
        else:
            break
    return reached


def _is_of_item(one: Statement) -> bool:
    """Return whether a statement may be of the list's item before it."""
    return one.kind is StatementKind.SENTENCE or _ITEM_END.search(one.text) is not None


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


def _content(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if word not in stopwords_of("en")}
