"""The judge: whether a model's answer is of any use to a person.

It looks for text that is no answer to anything: nothing, a loop, an echo, invented sources, nonsense. It does
not judge whether an answer is right, long enough or well written. An answer with a sentence that the sources
support is never nonsense, whatever its language; a short answer has too few words to be judged by them.

Of a model that only completes text an answer without any source is useless too: on mixed-dev Gemma 3 270M
gave 28 such answers to 97 questions, and none of them was right.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import AnswerSentence, Verdict

_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "da", "sv", "no", "ru", "tr")
_MARKER = re.compile(r"(?<!\w)\s*\[(\d{1,3})\]")
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`", re.DOTALL)
_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:['’][^\W\d_]+)*(?!\w)")
# Letters and digits in turns: a code or a hash, where the sources have it.
_MIXED = re.compile(r"\b(?:[^\W\d_]+\d+){3,}[^\W\d_]*\b")
_ENDS_ASKING = re.compile(r"[?？][\"'”’»)\]*_]*$")
# Numbers without a word: more of them are no answer.
_MOST_NUMBERS = 12
# An echo of the question: its share in one piece, and the least words of that.
_ECHO, _LEAST_ECHO = 0.8, 4
# Questions only: fewer may ask what the person means.
_LEAST_QUESTIONS = 3
# An echo of the rules: the words of a run, the share of such runs, the least words of an answer.
_RUN, _ECHO_OF_RULES, _LEAST_OF_RULES = 5, 0.5, 8
_LEAST_MARKERS = 3
# Nonsense: the least words, the most known ones, the least odd ones, the least share of a script.
_LEAST_WORDS, _MOST_KNOWN, _LEAST_ODD, _LEAST_OF_SCRIPT = 8, 0.2, 0.3, 0.1
_MOST_SCRIPTS = 2
_LONGEST_WORD = 80
_LONG_WORD = 8
_STUCK = re.compile(r"(.)\1{4}", re.IGNORECASE)
# Characters that no document has: of broken encodings, unassigned, for private use.
_BROKEN, _MOST_BROKEN = ("Cn", "Co", "Cs"), 0.02
_VOWELS = frozenset("aeiouyæøœıаеёиоуыэюяієї")
# Scripts of one language in one sentence; Japanese mixes them.
_ONE_SCRIPT = {
    "HIRAGANA": "CJK",
    "KATAKANA": "CJK",
    "HANGUL": "CJK",
    "IDEOGRAPHIC": "CJK",
    "FULLWIDTH": "LATIN",
}


@dataclass(frozen=True, slots=True)
class WrittenFor:
    """What a model wrote an answer for.

    Attributes:
        question: The question.
        rules: The prompt's rules.
        evidence: The text of the sources.
        sources: Their numbers.
        needs_source: An answer without a source is useless.
    """

    question: str
    rules: str
    evidence: str
    sources: Collection[int]
    needs_source: bool = False


def fault_of(
    text: str, given: WrittenFor, sentences: Sequence[AnswerSentence], *, repeats: bool = False
) -> str | None:
    """Return why an answer is useless, in words; None for an answer of use.

    Args:
        text: The cleaned answer, with the markers that the model wrote.
        sentences: Its sentences, as they were compared with the sources.
        repeats: The answer was cut where it began to repeat itself.
    """
    plain = _MARKER.sub("", _CODE.sub(" code ", text))
    is_supported = any(one.verdict is Verdict.SUPPORTED for one in sentences)
    words = [word.casefold() for word in _WORD.findall(plain)]
    faults = {
        "it wrote nothing of use": not any(map(str.isalnum, plain)),
        "it wrote no words": not words and len(re.findall(r"\d+", plain)) > _MOST_NUMBERS,
        "it only repeated itself": repeats and not is_supported,
        "it repeated the question": _is_echo(plain, given.question, is_supported=is_supported),
        "it asked questions instead": _asks(plain, given.question),
        "it repeated its instructions": _is_of(words, given.rules),
        "it named sources that do not exist": _invents(text, given.sources, sentences),
        "its text makes no sense": not is_supported and _is_nonsense(plain, given),
        "no source supports it": given.needs_source and not any(one.markers for one in sentences),
    }
    return next((fault for fault, is_so in faults.items() if is_so), None)


def _is_echo(plain: str, question: str, *, is_supported: bool) -> bool:
    if is_supported and not _ENDS_ASKING.search(plain.strip()):
        return False  # "The ferry sailed at noon." may affirm the question
    asked, said = _all_words(question), _all_words(plain)
    if len(asked) < _LEAST_ECHO or set(said) - set(asked):
        return False
    block = SequenceMatcher(None, asked, said, autojunk=False).find_longest_match()
    return block.size >= max(_LEAST_ECHO, _ECHO * len(asked))


def _asks(plain: str, question: str) -> bool:
    """Return whether a text has questions only, and nobody asked for them."""
    sentences = [plain[span.start : span.end].strip() for span in sentence_spans(plain)]
    sentences = [one for one in sentences if any(map(str.isalnum, one))]
    wanted = re.search(r"question|quiz|ask|exam|interview|frage|pregunta|domand", question, re.IGNORECASE)
    return len(sentences) >= _LEAST_QUESTIONS and not wanted and all(map(_ENDS_ASKING.search, sentences))


def _is_of(words: Sequence[str], rules: str) -> bool:
    """Return whether most of a text is from the prompt's rules."""
    if len(words) < _LEAST_OF_RULES:
        return False
    known = set(_runs([word.casefold() for word in _WORD.findall(rules)]))
    runs = list(_runs(words))
    return sum(run in known for run in runs) >= _ECHO_OF_RULES * len(runs)


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1))


def _invents(text: str, sources: Collection[int], sentences: Sequence[AnswerSentence]) -> bool:
    """Return whether most markers name no source; those of sentences that sources support are corrected."""
    named = [int(number) for number in _MARKER.findall(_CODE.sub(" ", text))]
    wrong = sum(number not in sources for number in named)
    supported = sum(one.verdict is not Verdict.UNSUPPORTED for one in sentences)
    return len(named) >= _LEAST_MARKERS and 2 * wrong > len(named) and 2 * supported < len(sentences)


def _is_nonsense(plain: str, given: WrittenFor) -> bool:
    letters = [one for one in plain if not one.isspace()]
    broken = sum(
        one == "\N{REPLACEMENT CHARACTER}" or unicodedata.category(one) in _BROKEN for one in letters
    )
    if broken > max(2, _MOST_BROKEN * len(letters)):
        return True
    words = _WORD.findall(plain) + _MIXED.findall(plain)
    if not words:
        return False
    scripts = [_script(word) for word in words]
    many = {one for one in scripts if scripts.count(one) >= max(2, _LEAST_OF_SCRIPT * len(words))}
    if len(many) > _MOST_SCRIPTS and not many <= {_script(word) for word in _WORD.findall(given.evidence)}:
        return True
    known = {*_all_words(f"{given.question} {given.evidence}"), *_function_words()}
    unknown = [word for word in words if word.casefold() not in known or len(word) == 1]
    if len(words) < _LEAST_WORDS:
        return len(unknown) == len(words) and all(map(_is_odd, words))
    is_known = len(words) - len(unknown) > _MOST_KNOWN * len(words)
    return not is_known and sum(map(_is_odd, words)) >= _LEAST_ODD * len(words)


def _is_odd(word: str) -> bool:
    """Return whether a word looks like none: without a vowel, capitals inside, one letter, rrrr."""
    if _MIXED.fullmatch(word):
        return True
    if _script(word) not in ("LATIN", "CYRILLIC"):
        return False
    bare = "".join(one for one in unicodedata.normalize("NFD", word.casefold()) if one.isalpha())
    if len(word) == 1 or len(word) > _LONGEST_WORD or _STUCK.search(word):
        return True
    without_vowel = not _VOWELS & set(bare) and not word.isupper()
    inside = word[1:]
    capitals = 2 * sum(map(str.isupper, inside))
    is_long = len(word) >= _LONG_WORD  # "PhD" and "iOS" are words
    return without_vowel or (not word.isupper() and capitals >= len(inside) + (not is_long))


def _script(word: str) -> str:
    """Return the name of a word's script, by its first letter: LATIN, CYRILLIC, ARABIC, …"""
    name = unicodedata.name(word[0], "").partition(" ")[0]
    return _ONE_SCRIPT.get(name, name)


@cache
def _function_words() -> frozenset[str]:
    return frozenset().union(*map(stopwords_of, _LANGUAGES))


def _all_words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
