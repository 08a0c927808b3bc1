"""Labels of lines: "Source 1 (file.pdf, page 3):", "Answer:", a next question that a model asks itself."""

import re
from collections.abc import Collection
from enum import Enum, auto

from rag_app.answering.written.patterns import MoreNeeded, StreamPattern, literal, one_of, some


class Label(Enum):
    """What to do with a line that begins with a label."""

    REMOVED = auto()  # the label, or the whole line
    ENDS = auto()  # the answer ends before it


_QUESTIONS = (
    "question",
    *(f"question {number}" for number in range(1, 10)),
    "q",
    "frage",
    "pregunta",
    "domanda",
    "pergunta",
    "vraag",
)
_ANSWERS = ("answer", "a", "antwort", "réponse", "respuesta", "risposta", "resposta", "antwoord")
_TURNS = ("### instruction", "### human", "### user", "### input", "### question", "### response",
          "### assistant", "### answer")  # fmt: skip
_SIGNS = some(r"[*_# \t]", 0, 6)
_SOURCE = StreamPattern(_SIGNS, one_of("source ", "quelle ", "passage "), some("[0-9]", 1, 3), literal(" ("),
                        some(r"[^\n:]", 3, 200), literal("):"))  # fmt: skip
_ANSWER = StreamPattern(_SIGNS, one_of(*_ANSWERS), some(r"[*_ ]", 0, 3), one_of(":", "："))
_QUESTION = StreamPattern(_SIGNS, one_of(*_QUESTIONS), some(r"[*_ ]", 0, 3), one_of(":", "："))
_TURN = StreamPattern(some(r"[ \t]", 0, 3), one_of(*_TURNS), some(r"[*_ 0-9]", 0, 3), literal(":"))
_PATTERNS = (_SOURCE, _ANSWER, _QUESTION, _TURN)
_PLACE = re.compile(r",\s*(?:page|p\.|Seite|S\.|página|pagina)\s*\d+\s*$", re.IGNORECASE)
# "What could be asked in an interview?" wants questions.
_WANTS_QUESTIONS = re.compile(
    r"\b(?:questions?|quiz\w*|faqs?|q&a|q ?/ ?a|interviews?|exams?|flash ?cards?|fragen?|preguntas?|"
    r"domand[ae]|dialog\w*|conversations?)\b",
    re.IGNORECASE,
)
_LONGEST_QUESTION = 400
# The share of the asked question's words that its echo has.
_ECHO = 0.8


class Labels:
    """Finds labels in the answer to one question."""

    def __init__(self, question: str) -> None:
        self._asked = set(_words(question))
        self._wants_questions = _WANTS_QUESTIONS.search(question) is not None

    def at(self, text: str, start: int, *, has_text: bool, is_last: bool) -> tuple[int, Label] | None:
        """Return where the label of a line that begins at `start` ends, and what to do; None without one.

        Args:
            has_text: The answer has words before.
            is_last: No more text comes.

        Raises:
            MoreNeeded: Only more text tells.
        """
        if match := _SOURCE.match(text, start):
            return _source(text, match, has_text=has_text, is_last=is_last)
        if match := _TURN.match(text, start):
            return match.end(), Label.ENDS if has_text else Label.REMOVED
        if (match := _ANSWER.match(text, start)) and match[2].casefold() != "a":
            return None if has_text else (match.end(), Label.REMOVED)
        if match := _QUESTION.match(text, start):
            return None if self._wants_questions else self._question(text, match, has_text, is_last)
        if not is_last and any(one.may_begin(text, start) for one in _PATTERNS):
            raise MoreNeeded
        return None

    def _question(
        self, text: str, match: re.Match[str], has_text: bool, is_last: bool
    ) -> tuple[int, Label] | None:
        """Decide about "Question: …": an echo of the question is removed, another one ends the answer."""
        line, newline, rest = text[match.end() :].partition("\n")
        if not newline and not is_last and len(line) < _LONGEST_QUESTION:
            raise MoreNeeded
        line = line[:_LONGEST_QUESTION]
        end = match.end() + len(line)
        if not has_text:
            words = set(_words(line))
            is_echo = bool(self._asked) and len(words & self._asked) >= _ECHO * len(self._asked)
            return (end, Label.REMOVED) if is_echo else None
        is_asked = line.rstrip(" *_").endswith(("?", "？")) or (not newline and match[2].casefold() != "q")
        if not is_asked and newline:
            behind = len(text) - len(rest.lstrip())
            if not is_last and (behind == len(text) or _ANSWER.may_begin(text, behind)):
                raise MoreNeeded
            is_asked = _ANSWER.match(text, behind) is not None
        return (end, Label.ENDS) if is_asked else None


def _source(text: str, match: re.Match[str], *, has_text: bool, is_last: bool) -> tuple[int, Label] | None:
    if not _PLACE.search(match[5]):
        return None
    behind = text[match.end() :].lstrip(" \t*_")
    if not behind and not is_last:
        raise MoreNeeded
    # A line for itself heads a passage: behind an answer, one that the model makes up.
    heads = not behind or behind.startswith("\n")
    return match.end(), Label.ENDS if heads and has_text else Label.REMOVED


def _words(text: str) -> Collection[str]:
    return re.findall(r"\w+", text.casefold())
