"""Prompt injection: text in documents that instructs the model, or hides from the reader.

The author of a document can write "Ignore all previous instructions" into it (Greshake et al., 2023).
Patterns find such sentences. The application shows and may quote them, with a flag; a model never reads
them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from rag_app.answering.answers import Evidence, EvidenceSentence

# The prompt has this in place of a sentence that instructs the model.
LEFT_OUT = "[instruction left out]"

_BEFORE = r"(?:previous|prior|above|earlier|preceding|foregoing|other|existing|system|original)"
_ORDERS = (
    r"(?:instructions?|prompts?|directions?|rules?|guidelines?|commands?|context|messages?|orders?|text)"
)
_WRITER = r"(?:assistant|chat ?bot|AI|language model|LLM|GPT|model)"
_PATTERNS = (
    rf"\b(?:ignore|disregard|forget|override|bypass|overlook)\b.{{0,40}}?\b{_BEFORE}\b.{{0,30}}?\b{_ORDERS}\b",
    rf"\b(?:ignore|disregard|forget|override)\b\s+(?:all|any|every(?:thing)?|your|the|my|these|those|what)\b"
    rf".{{0,40}}?(?:\b{_ORDERS}\b|\babove\b|\bbefore\b|\btold\b)",
    r"\byou\s+(?:are|must|will|shall|should)\s+(?:now|henceforth|from\s+now\s+on)\s+(?:act\s+as\s+|be\s+)?"
    rf"(?:DAN\b|in\s+\w+\s+mode|(?:an?|the)\s+(?:\w+\s+){{0,3}}{_WRITER}\b)",
    r"\bfrom\s+now\s+on,?\s+(?:you|answer|reply|respond|act|say)\b",
    rf"\b(?:act|behave|respond|pretend)\s+as\s+(?:if\s+you|an?\b.{{0,20}}\b{_WRITER})\b",
    r"\b(?:note|message|instructions?|attention|notice|important)\b.{0,15}\b(?:to|for)\s+(?:the|any|all|every)?"
    r"\s*(?:AI|LLM|language)\b",
    rf"\b(?:dear|hello|attention|hey),?\s+{_WRITER}\b",
    rf"\bif\s+you\s+are\s+(?:an?|the)\s+(?:AI|LLM|{_WRITER})\b",
    r"\b(?:reveal|print|repeat|output|show|leak|disclose)\b.{0,30}\b(?:system|hidden|secret|initial)\s+"
    r"(?:prompt|instructions?|message)\b",
    r"\b(?:new|updated|real|actual|secret)\s+(?:system\s+)?(?:instructions?|prompt)\s*:",
    r"\b(?:answer|reply|respond)\s+(?:only|always|every\s+question|to\s+(?:all|any|every)\b.{0,20})\s*"
    r"(?:with|by|that)\b",
    r"\b(?:do\s+not|don['’]t|never)\s+(?:tell|inform|mention\s+(?:this|it)\s+to|warn)\s+the\s+(?:user|person|reader|human)\b",
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|?>|\[/?INST\]|<</?SYS>>",
    r"^\s*(?:#+\s*)?(?:system|assistant)\s*:\s",
    r"\bignor(?:iere?|ez|a|e)\b.{0,40}\b(?:anweisung|instruction|instruccion|istruzion|instruç)\w*",
    r"\bvergiss\b.{0,40}\banweisung\w*",
)
_INSTRUCTION = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE | re.MULTILINE)

# Marks of direction and joining belong to scripts, and have a visible effect. These characters have none, and
# tag characters can spell whole sentences that models read and people do not see.
_TAGS = range(0xE0000, 0xE0080)
_INVISIBLE = frozenset("\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e")
_OVERRIDES = frozenset("\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069")
# Joiners and variation selectors: scripts need them, so they stay in a text. Between Latin letters they only
# hide a word from the patterns.
_JOINERS = "\u034f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINED_LATIN = re.compile(rf"(?<=[A-Za-z])[{_JOINERS}]+(?=[A-Za-z])")
_NAME_SIGNS = re.compile(r"[-_.]+")
_QUOTED = 80


def is_instruction(text: str) -> bool:
    """Return whether a sentence instructs a language model."""
    plain = unicodedata.normalize("NFKC", re.sub(f"[{_JOINERS}]", "", without_hidden(text)))
    return _INSTRUCTION.search(" ".join(plain.split())) is not None


def harmless_name(name: str, instead: str) -> str:
    """Return a document's name for a model to read; `instead` for a name that instructs it."""
    return instead if _speaks(name) else without_hidden(name)


def without_hidden(text: str) -> str:
    """Return a text without the invisible characters that a model reads: tags, zero widths, overrides."""
    normal = unicodedata.normalize("NFC", text)
    return "".join(
        character
        for character in normal
        if character not in _INVISIBLE and character not in _OVERRIDES and ord(character) not in _TAGS
    )


def flags(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Return a line for each piece of evidence that instructs the model or hides text."""
    return tuple(dict.fromkeys(_flags(evidence)))


def _flags(evidence: Iterable[Evidence]) -> Iterator[str]:
    for item in evidence:
        place = f"{item.hit.chunk.document}, page {item.hit.chunk.page}"
        if _speaks(item.hit.chunk.document):
            yield f"{item.hit.chunk.document}: its name gives instructions, which were not followed"
        for sentence in item.sentences:
            if is_instruction(sentence.text):
                yield f"{place}, gives instructions, which were not followed: “{_quoted(sentence)}”"
            hidden = any(ord(character) in _TAGS or character in _OVERRIDES for character in sentence.text)
            if hidden or _JOINED_LATIN.search(sentence.text):
                yield f"{place}, has characters that hide or reorder text: “{_quoted(sentence)}”"


def _speaks(name: str) -> bool:
    return is_instruction(name) or is_instruction(_NAME_SIGNS.sub(" ", name))


def _quoted(sentence: EvidenceSentence) -> str:
    plain = " ".join(without_hidden(sentence.text).split())
    return plain if len(plain) <= _QUOTED else f"{plain[:_QUOTED].rstrip()}…"
