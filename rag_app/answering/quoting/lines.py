"""Lines of an answer: how a statement reads, with the cell or the words in bold that answer."""

import re
from dataclasses import dataclass

from rag_app.answering.answers import Evidence, EvidenceSentence
from rag_app.answering.questions.asked_values import asked_value
from rag_app.answering.quoting.candidates import Candidate
from rag_app.answering.quoting.cells import cell_line
from rag_app.answering.quoting.statements import BULLET, StatementKind, readable
from rag_app.answering.quoting.values.text_values import sure_value

# Of a line with words in bold, and of the whole answer.
MOST_WORDS = 45
# Without a reader nobody knows where in a long sentence the answer is, so it is shown longer.
_LONGEST = 60
# The reader's span is set in bold with this probability.
_BOLD = 0.3
_MOST_BOLD_WORDS = 12
_NUMBER = re.compile(r"^\(?\d{1,3}[.)]\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quotation: characters of a page, and the line that is shown, as Markdown."""

    evidence: Evidence
    sentence: EvidenceSentence
    line: str

    @property
    def plain(self) -> str:
        return self.line.replace("**", "")


@dataclass(frozen=True, slots=True)
class Absence:
    """A line that says of a side that its documents do not answer."""

    line: str


def quoted(one: Candidate, question: str) -> Quotation:
    """Return a statement as a line."""
    statement = one.statement
    if statement.kind is StatementKind.ROW:
        line = cell_line(one, question)
        if line:
            return Quotation(one.evidence, one.sentence, line)
    return Quotation(one.evidence, one.sentence, _sentence_line(one, question))


def _sentence_line(one: Candidate, question: str) -> str:
    """Return a statement on one line, the span in bold; a very long one is cut around what answers."""
    statement, raw, span = one.statement, one.sentence.text, one.span
    bold = ""
    if span is not None and span[2] >= _BOLD:
        bold = readable(raw[span[0] - one.sentence.start : span[1] - one.sentence.start]).strip(" ,;:.")
        if not 0 < len(bold.split()) <= _MOST_BOLD_WORDS or bold == statement.text:
            bold = ""
    text = _NUMBER.sub("", BULLET.sub("", statement.text))
    at, length = _place(text, bold, span[0] - one.sentence.start if span else 0), len(bold)
    asked = None if bold else asked_value(question)
    if asked and (value := sure_value(text, asked)):
        at, length = value[0], value[1] - value[0]
    text = shortened(text, at, length, MOST_WORDS if bold else _LONGEST)
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


def shortened(text: str, at: int, length: int, most: int) -> str:
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
