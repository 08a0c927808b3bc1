"""Prompt injection: text in documents that instructs the model, or hides from the reader.

The author of a document can write "Ignore all previous instructions" into it (Greshake et al., 2023). The
defence is the prompt: evidence stands between fences that no document can guess, and the rules say that it
is quoted text (`rag_app.answering.prompts`). No pattern knows every phrasing, so what is recognised here is a
flag for the person. A sentence that gives an order is shown with that flag, and the prompt leaves it out;
a sentence that only quotes an order is evidence like any other, with a flag.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from ingestion.text.invisible import reordered_passages, without_invisible
from rag_app.answering.answers import Evidence, EvidenceSentence
from rag_app.answering.instruction_rules import order_in

# The prompt has this in place of a sentence that instructs the model.
LEFT_OUT = "[instruction left out]"

_REMEMBERED = 4096  # sentences; a prompt and its flags judge each sentence again

# Quotation marks in pairs; an opening one begins a word, so that an apostrophe is none.
_QUOTATIONS = re.compile(
    r"(?:“|„|‟)([^“”„]+)[”“]|«\s?([^«»]+)\s?»|»([^«»]+)«|「([^「」]+)」|『([^『』]+)』|‹([^‹›]+)›"
    r"|(?<!\w)\"([^\"]+)\"(?!\w)|(?<!\w)[‘'‚`]+([^\"]+?)[’'‘`]+(?!\w)"
)
_REPORTING_WORDS = 2  # around a quoted order, for a sentence that speaks about it
_REPORTING_SIGNS = 3  # the same in Chinese, Japanese and Korean
_WORDS = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_OVERRIDES = frozenset("\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e")
# Joiners and variation selectors: scripts need them, so they stay in a text. Between Latin letters they only
# hide a word.
_JOINERS = "\u034f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINED_LATIN = re.compile(rf"(?<=[A-Za-z])[{_JOINERS}]+(?=[A-Za-z])")
_UNSHOWN = re.compile(r"\((hidden (?:slide|sheet))\)$")  # as the readers mark headings
_NAME_SIGNS = re.compile(r"[-_.]+")
_QUOTED = 80


class Instruction(StrEnum):
    """What a sentence has to do with orders to a language model."""

    NONE = "none"
    QUOTED = "quoted"
    GIVEN = "given"


@lru_cache(_REMEMBERED)
def instruction(text: str) -> Instruction:
    """Return whether a sentence gives a language model an order, or quotes one."""
    if (found := order_in(text)) is None:
        return Instruction.NONE
    plain, start, _ = found
    for quotation in _QUOTATIONS.finditer(plain):
        left, right = quotation.span()
        around = f"{plain[:left]} … {plain[right:]}"
        if left <= start < right and _speaks_about(around):
            rest = instruction(around)
            return Instruction.QUOTED if rest is Instruction.NONE else rest
    return Instruction.GIVEN


def is_instruction(text: str) -> bool:
    """Return whether a sentence instructs a language model."""
    return instruction(text) is Instruction.GIVEN


def instructing(sentences: Sequence[str]) -> frozenset[int]:
    """Return which of a passage's sentences instruct a language model, alone or across a line break."""
    found = {place for place, sentence in enumerate(sentences) if is_instruction(sentence)}
    for place, (one, other) in enumerate(pairwise(sentences)):
        if not found & {place, place + 1} and one[-1:].isalnum() and is_instruction(f"{one} {other}"):
            found |= {place, place + 1}
    return frozenset(found)


def _speaks_about(around: str) -> bool:
    """Whether the words around a quoted order make a sentence about it."""
    signs = len(_UNSPACED.findall(around))
    return signs >= _REPORTING_SIGNS or len(_WORDS.findall(around)) >= _REPORTING_WORDS


def harmless_name(name: str, instead: str) -> str:
    """Return a document's name for a model to read; `instead` for a name that instructs it."""
    return instead if _speaks(name) else without_hidden(name)


def without_hidden(text: str) -> str:
    """Return a text without the invisible characters that a model reads: tags, zero widths, overrides."""
    normal = unicodedata.normalize("NFC", without_invisible(text))
    return "".join(
        character for character in normal if character not in _INVISIBLE and character not in _OVERRIDES
    )


def flags(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Return a line for each piece of evidence that instructs the model or hides text."""
    return tuple(dict.fromkeys(_flags(evidence)))


def _flags(evidence: Iterable[Evidence]) -> Iterator[str]:
    for item in evidence:
        place = f"{item.hit.chunk.document}, page {item.hit.chunk.page}"
        if _speaks(item.hit.chunk.document):
            yield f"{item.hit.chunk.document}: its name gives instructions, which were not followed"
        if found := _UNSHOWN.search(item.hit.chunk.heading or ""):
            yield f"{place}, is a {found.group(1)}, which is not shown when the file is opened"
        given = instructing([sentence.text for sentence in item.sentences])
        for number, sentence in enumerate(item.sentences):
            if number in given:
                yield f"{place}, gives instructions, which were not followed: “{_quoted(sentence)}”"
            elif instruction(sentence.text) is Instruction.QUOTED:
                yield f"{place}, quotes instructions to a language model: “{_quoted(sentence)}”"
            if _hides(sentence.text):
                yield f"{place}, has characters that hide or reorder text: “{_quoted(sentence)}”"


def _hides(text: str) -> bool:
    """Whether a text read by an older version has hidden characters, or one is shown in another order."""
    return (
        (any(map(_is_tag, text)) and without_invisible(text) != text)
        or reordered_passages(text) > 0
        or _JOINED_LATIN.search(text) is not None
    )


def _is_tag(character: str) -> bool:
    return "\U000e0000" <= character <= "\U000e0fff"


def _speaks(name: str) -> bool:
    return is_instruction(name) or is_instruction(_NAME_SIGNS.sub(" ", name))


def _quoted(sentence: EvidenceSentence) -> str:
    plain = " ".join(without_hidden(sentence.text).split())
    return plain if len(plain) <= _QUOTED else f"{plain[:_QUOTED].rstrip()}…"
