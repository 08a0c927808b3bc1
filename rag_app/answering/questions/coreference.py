"""English follow-up questions, written out by rules: each pronoun replaced by what it stands for."""

import re
from collections.abc import Sequence

from rag_app.answering.questions.antecedents import (
    Phrase,
    names_in_answer,
    participle,
    person_phrase,
    phrases,
)

_CONJUNCTION = re.compile(r"\s*(?:and|but|so|also|ok(?:ay)?|then)\b[,\s]+(?=\w)", re.IGNORECASE)
_ABOUT = re.compile(r"(?:what|how)\s+about\s+(.+?)\s*[?.!]*", re.IGNORECASE)
_NAME_ALONE = re.compile(r"(?:(?:for|in|at|of|by|from|with)\s+)?([A-Z0-9][^?]*?)\s*[?.!]*")
# "When was that?", "Why?", "Where did it happen?": the whole question before is meant.
_EVENT = re.compile(
    r"(when|where|why|how)(?:\s+(?:(?:was|is|did|does|has)\s+(?:that|this|it)"
    r"(?:\s+(?:so|happen|happened|done|the case|be|been))?|so|not|come))?\s*[?.!]*",
    re.IGNORECASE,
)
_DID = re.compile(
    r"who\s+(\w+)\s+(?!to\b|for\b|with\b|at\b|in\b|on\b|of\b|the most\b)(.+?)\s*[?.!]*", re.IGNORECASE
)
_YES_NO = re.compile(r"(?:did|was|were|is|are|has|have|had|can|does|do|will|would)\s+.+", re.IGNORECASE)
_OTHER_ASKED = re.compile(
    r"(?:when|where|why|how)\s+((?:did|was|were|is|are|has|have|had|can|does|do|will)\s+.+)", re.IGNORECASE
)
# A whole sentence; others ("And without it?") go on with the one before.
_WHOLE = re.compile(
    r"(?:(?:in|at|on|for|from|by|to|with|of|since|until|under|after|before)\s+(?:what|which|whom?|whose|"
    r"how)\b|"
    r"(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|has|have|had|"
    r"will|would|"
    r"should|must|may|define|explain|describe|list|name|give|show|tell|compare|summari[sz]e|find)\b)",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:(he|she|him)|(his|hers?))\b", re.IGNORECASE)
_MANY = re.compile(r"\b(?:(they|them|these|those|both)|(theirs?))\b(?!\s+\w+s\b(?!\s*[?.]?$))", re.IGNORECASE)
_THING = re.compile(r"\b(?:(it)|(its))\b(?!['’])", re.IGNORECASE)
# "that company": of so general a noun that a name can stand for it.
_THAT_NOUN = re.compile(
    r"\b(?:that|this|the same|such an?)\s+(?:company|firm|business|bank|organi[sz]ation|institution|"
    r"institute|country|"
    r"city|town|state|model|method|system|product|device|board|drug|medicine|study|trial|paper|contract|"
    r"agreement|"
    r"treaty|law|book|ship|building|place)\b(?!['’])",
    re.IGNORECASE,
)
_SUCH = re.compile(r"\b(?:such\s+an?|that|this)\s+(\w+)", re.IGNORECASE)
_THERE = re.compile(r"\bthere(?=\s*[?.!]*$)", re.IGNORECASE)
_LONGEST_OWNER = 5  # words before 's
_LONGEST_NAMED = 8  # words of a phrase in the middle of a question
_MOST_BEHIND = 4
_LONGEST_BEHIND = 14  # words; more are no reading


def in_context(question: str, before: str, answer: str) -> str:
    """Return an English follow-up with what it refers to.

    Args:
        before: The question before, written out.
        answer: Its answer.
    """
    asked = _CONJUNCTION.sub("", question.strip(), count=1)
    asked = asked[:1].upper() + asked[1:]
    plain = re.sub(r"\s*\(([^()]*)\)\s*$", "", before) or before
    about = _other_name(asked, plain)
    if about is not None:
        return about
    if not _WHOLE.match(asked):
        return behind(question, [before])  # "And if it is too small?"
    event = _EVENT.fullmatch(asked)
    if event:
        return _event(asked, event[1], plain) or behind(asked, [before])
    if not phrases(asked) and not any(one.search(asked) for one in (_PERSON, _MANY, _THING)):
        return behind(asked, [before])
    return _resolved(asked, before, answer)


def behind(question: str, named: Sequence[str]) -> str:
    """Return a question with what it refers to in parentheses behind it."""
    told = re.sub(r"[()]", "", ", ".join(named))
    return f"{question.strip()} ({told})" if told else question.strip()


def _other_name(asked: str, before: str) -> str | None:
    """Return the question before with another name: "And Best Buy?" asks the same of Best Buy."""
    about = _ABOUT.fullmatch(asked)
    alone = None if about or len(asked.split()) > _LONGEST_OWNER else _NAME_ALONE.fullmatch(asked)
    match = about or alone
    if match is None:
        return None
    name = re.sub(r"['’]s?$", "", match[1].strip())
    own = phrases(f"is {name}")
    if len(own) != 1 or not own[0].is_named or own[0].text not in (name, f"the {name}"):
        return None
    named = [one for one in phrases(before) if one.is_named and not one.is_time]
    replaced = [one.owner or one.text for one in named]
    if len(replaced) != 1 or not re.search(rf"(?<!\w){re.escape(replaced[0])}(?!\w)", before):
        return None
    if len(replaced[0].removeprefix("the ").split()) > len(name.split()) + 2:
        return None  # more than a name: "the Bramley apple tree"
    return before.replace(replaced[0], name, 1)


def _event(asked: str, word: str, before: str) -> str | None:
    """Return the question before, asked for when, where or why it happened."""
    word = word.capitalize()
    if re.search(r"\b(?:not|so|come)\b", asked):
        return None
    did = _DID.fullmatch(before)
    if did:
        done = participle(did[1])
        many = phrases(f"is {did[2]}")
        if done and many and not re.match(r"(?:and|or)\b", did[2]) and not re.search(r"\bwho\b|,", did[2]):
            return (
                f"{word} {'were' if many[0].is_plural and not many[0].is_named else 'was'} {did[2]} {done}?"
            )
        return None
    if _YES_NO.fullmatch(before) and " or " not in before:
        return f"{word} {before[0].lower()}{before[1:]}"
    other = _OTHER_ASKED.fullmatch(before)
    return f"{word} {other[1]}" if other else None


def _resolved(asked: str, before: str, answer: str) -> str:
    found = [one for one in phrases(before) if one.text.casefold() not in asked.casefold()]
    resolved, lost = False, dict[str, Phrase]()
    for pattern in (_PERSON, _MANY, _THING):
        if not pattern.search(asked):
            continue
        chosen = _chosen(pattern, asked, found, before, answer)
        written = _put(asked, pattern, chosen) if chosen else None
        if chosen is None or written is None:
            return behind(asked, [before]) if pattern is _PERSON else _uncertain(asked, before, found)
        asked, resolved = written, True
        found = [one for one in found if one.text != chosen.text and one.text not in chosen.text]
        if not chosen.is_named:
            lost.update((one.text, one) for one in found if one.is_named or one.text.startswith("the "))
    if resolved:
        still = [
            one.text
            for one in lost.values()
            if one.text.casefold() not in asked.casefold() and not one.is_time
        ]
        return behind(asked, still[:_MOST_BEHIND])
    such = _SUCH.search(asked)
    if such and such[1].casefold() in re.findall(r"\w+", before.casefold()):
        return behind(asked, [before])
    names = [one for one in found if one.is_named and not one.is_time]
    if len(names) == 1:
        if _THAT_NOUN.search(asked):
            return _THAT_NOUN.sub(lambda _: names[0].owner or names[0].definite, asked, count=1)
        place = re.search(rf"\b((?:in|at|on) {re.escape(names[0].text)})(?!\w)", before)
        if _THERE.search(asked) and place:
            there = place[1]
            return _THERE.sub(lambda _: there, asked)
    return _uncertain(asked, before, found)


def _chosen(
    pattern: "re.Pattern[str]", asked: str, found: list[Phrase], before: str, answer: str
) -> Phrase | None:
    """Return what the pronouns of a pattern stand for; None where that is uncertain."""
    if pattern is _PERSON:
        return _person(found, before, answer)
    if pattern is _MANY:
        return _several(found, before, answer)
    return _thing(found, owns=_THING.search(asked))


def _person(found: list[Phrase], before: str, answer: str) -> Phrase | None:
    if re.match(r"\s*(?:who|whose|which|what)\b", before, re.IGNORECASE):
        names = names_in_answer(answer, before)
        if len(names) == 1:
            return Phrase(names[0], is_named=True)
        if names or re.match(r"\s*who\b", before, re.IGNORECASE):
            named = [one for one in found if one.is_named]
            # "Who was Ada Lovelace?"
            alone = len(named) == 1 and re.fullmatch(
                rf"\s*who (?:is|was) {re.escape(named[0].text)}\W*", before, re.IGNORECASE
            )
            return named[0] if alone else None
    return person_phrase(found)


def _several(found: list[Phrase], before: str, answer: str) -> Phrase | None:
    if re.match(r"\s*who\b", before, re.IGNORECASE):
        names = names_in_answer(answer, before)
        if len(names) > 1:
            return Phrase(f"{', '.join(names[:-1])} and {names[-1]}", is_named=True)
        return None
    told = [one for one in found if not one.is_time]
    plural = [one for one in told if one.is_plural]
    subjects = [one for one in plural if not one.counts] or plural
    if len(subjects) == 1:
        return subjects[0]
    return told[0] if len(told) == 1 and told[0].is_named else None


def _thing(found: list[Phrase], owns: "re.Match[str] | None") -> Phrase | None:
    told = [one for one in found if not one.is_time]
    likely = [one for one in told if one.is_named or not (one.counts or one.is_plural)] or told
    if len(likely) == 1:
        return likely[0]
    names = [one for one in likely if one.is_named]
    # "its chairman" is a company's; "it" may be anything.
    return names[0] if owns and owns[2] and len(names) == 1 else None


def _put(asked: str, pattern: "re.Pattern[str]", chosen: Phrase) -> str | None:
    """Return the question with a phrase for its pronouns; None where that would be no reading."""
    owner = Phrase(chosen.owner, is_named=True) if chosen.owner else chosen

    def put(match: "re.Match[str]") -> str:
        owns = match[2] is not None or (
            match[0].casefold() == "her" and match.end() < len(asked.rstrip("?.! "))
        )
        return owner.possessive if owns else chosen.definite

    if chosen.counts and re.search(r"\bof (?:them|these|those)\b", asked, re.IGNORECASE):
        return None
    for match in pattern.finditer(asked):
        words = len((owner.text if match[2] is not None else chosen.text).split())
        if words > (_LONGEST_OWNER if match[2] is not None else _LONGEST_NAMED):
            return None
    written = pattern.sub(put, asked)
    return written[:1].upper() + written[1:]


def _uncertain(asked: str, before: str, found: list[Phrase]) -> str:
    """Return a question with what the question before names, or with all of it, behind it."""
    asks_time = any(one.is_time for one in phrases(asked))
    named = [one.text for one in found if not (asks_time and one.is_time)]
    words = sum(len(one.split()) for one in named)
    reads_well = 0 < len(named) <= _MOST_BEHIND and words <= _LONGEST_BEHIND
    return behind(asked, named if reads_well else [before])
