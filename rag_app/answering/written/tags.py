"""Tags of prompts and tokens of chat templates, as models write them into their answers."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from rag_app.answering.written.patterns import MoreNeeded, StreamPattern, literal, one_of, some


class TagKind(Enum):
    """What a tag means for the text around it."""

    MARK = auto()  # nothing: it is removed
    TURN = auto()  # a turn begins, perhaps that of a person
    END = auto()  # the model's turn is over
    SOURCE = auto()  # a fence of the prompt


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that ends before character `end`; `number`: the source that it names; `closes`: of a fence."""

    kind: TagKind
    end: int
    number: int | None = None
    closes: bool = False


_TURNS = ("<start_of_turn>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<bos>", "<s>")
_ENDS = ("<end_of_turn>", "<eos>", "</s>")
_MARKS = ("<pad>", "<unk>", "<mask>")
_TURN_NAMES = frozenset({
    "im_start", "start_header_id", "start_of_role", "start_of_turn", "user", "system", "assistant", "start",
    "turn", "begin_of_text", "begin▁of▁sentence", "user▁", "begin_of_sentence", "startoftext",
})  # fmt: skip
_END_NAMES = frozenset({
    "im_end", "eot_id", "eom_id", "end_of_text", "endoftext", "end", "return", "end_of_turn", "eos",
    "end▁of▁sentence", "end_of_sentence", "endofprompt", "call",
})  # fmt: skip
_ROLE = one_of("user", "assistant", "model", "system", "developer", "human", "tool")

_NAMED = StreamPattern(one_of(*_TURNS, *_ENDS, *_MARKS))
_PIPED = StreamPattern(one_of("<|", "<｜"), some(r"[\w▁.:/-]", 1, 40), one_of("|>", "｜>"))
_FENCES = [f"{begin}{name}" for name in ("source", "part", "wishes") for begin in ("<", "</")]
_FENCE = StreamPattern(one_of(*_FENCES), some(r"[^<>\n]", 0, 300), literal(">"))
# A fence without an end, as of an answer that was cut off; the eight characters are the nonce.
_OPEN_FENCE = StreamPattern(one_of(*(f"{one} " for one in _FENCES)), some(r"[0-9a-f]", 8, 8),
                            some(r"[^<>\n]", 0, 300), some(r"[<\n]", 1, 1))  # fmt: skip
_ROLE_LINE = StreamPattern(_ROLE, some(r"[\s<:]", 1, 1))
# "The <s> tag is …" is about the tag.
_ABOUT = StreamPattern(literal(" "), one_of("tag", "token", "element", "marker", "delimiter"))
# What stands around <s> and </s> where they are tokens.
_BEFORE_TURNS, _BEHIND_TURNS = ("", *"\n.!?…]>"), "\n<["
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "(": ")"}

_NONCED = re.compile(r"\s+[0-9a-f]{8}\b")
_OF_PROMPT = re.compile(r"\s+(?:[0-9a-f]{8}\b|\d{1,3}\b|number=|document=|id=)|=\d", re.IGNORECASE)
_OF_PAGE = re.compile(r"\b(?:src|srcset|type|media)\s*=", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\bnumber\s*=\s*[\"”']?|^\s*|^=|\bid\s*=\s*[\"”']?)(\d{1,3})\b", re.IGNORECASE)
# The least characters of a tag that was cut off.
_LEAST_CUT = 4


def tag_at(text: str, start: int, before: str, *, is_last: bool) -> Tag | None:
    """Return the tag at a place; None where there is none.

    Args:
        before: The character before it.
        is_last: No more text comes.

    Raises:
        MoreNeeded: Only more text tells.
    """
    if text[start] not in "<[":
        return None
    if match := _NAMED.match(text, start) or _PIPED.match(text, start):
        is_about = _is_about(text, match.end(), before, is_last=is_last)
        return None if is_about else Tag(_kind(match), match.end())
    if match := _FENCE.match(text, start):
        return _fence(match, before, is_last=is_last)
    if match := _OPEN_FENCE.match(text, start):
        return Tag(TagKind.SOURCE, match.end() - 1)
    if any(one.may_begin(text, start) for one in (_NAMED, _PIPED, _FENCE, _OPEN_FENCE)):
        if not is_last:
            raise MoreNeeded
        if len(text) - start >= _LEAST_CUT and not _OF_PAGE.search(text, start):
            return Tag(TagKind.MARK, len(text))
    return None


def role_at(text: str, start: int, *, is_last: bool) -> int:
    """Return where the role that follows a turn's token ends; `start` without a role. Raises MoreNeeded."""
    if match := _ROLE_LINE.match(text, start):
        return match.end() - 1
    if not _ROLE_LINE.may_begin(text, start):
        return start
    if not is_last:
        raise MoreNeeded
    return len(text)


def fence_with_nonce(text: str, start: int, *, is_last: bool) -> Tag | None:
    """Return the fence of the prompt at a place, as `tag_at` does: it has no place even in code."""
    match = _FENCE.match(text, start)
    if match is None and not is_last and _FENCE.may_begin(text, start):
        raise MoreNeeded
    return Tag(TagKind.SOURCE, match.end()) if match and _NONCED.match(match[2]) else None


def _fence(match: re.Match[str], before: str, *, is_last: bool) -> Tag | None:
    attributes, behind = match[2], match.string[match.end() : match.end() + 1]
    if not attributes.strip(" /") and match[1].casefold().endswith("source"):
        # "cp <source> <target>" is no fence; a fence stands at the beginning or the end of a line.
        if not behind and not is_last:
            raise MoreNeeded
        is_alone = behind in ("", "\n") and ("/" in match[1] or before in ("", "\n"))
        return Tag(TagKind.SOURCE, match.end(), closes="/" in match[1]) if is_alone else None
    if _OF_PAGE.search(attributes) or not _OF_PROMPT.match(attributes):
        return None
    if "/" in match[1]:
        return Tag(TagKind.SOURCE, match.end(), closes=True)
    number = _NUMBER.search(_NONCED.sub(" ", attributes, count=1))
    return Tag(TagKind.SOURCE, match.end(), int(number[1]) if number else None)


def _kind(match: re.Match[str]) -> TagKind:
    name = match[0].casefold()
    if name in map(str.casefold, _ENDS) or (match.re.groups > 1 and match[2].casefold() in _END_NAMES):
        return TagKind.END
    if name in map(str.casefold, _TURNS) or (match.re.groups > 1 and match[2].casefold() in _TURN_NAMES):
        return TagKind.TURN
    return TagKind.MARK


def _is_about(text: str, end: int, before: str, *, is_last: bool) -> bool:
    """Return whether the text speaks about a token instead of using it. Raises MoreNeeded."""
    behind = text[end : end + 1]
    if not is_last and (not behind or (_ABOUT.may_begin(text, end) and not _ABOUT.match(text, end))):
        raise MoreNeeded
    if not behind:
        return False
    # HTML: "<s>old</s> new"
    is_html = text[end - 2 : end] == "s>" and before not in _BEFORE_TURNS and behind not in _BEHIND_TURNS
    return is_html or behind == _QUOTES.get(before) or _ABOUT.match(text, end) is not None
