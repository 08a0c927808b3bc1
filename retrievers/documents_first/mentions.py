"""Where a question names documents: "Amcor", "Best Buy", "the cross-encoder", each with what it may mean.

The prior counts every word that a document's name has. To look in several documents at once takes more: a
word that is a name. "Report" and "manual" stand in many files' names, and say nothing of a second document.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope, document_of_chunk
from ingestion.text.stopwords import question_stopwords, stopwords_of
from retrievers.documents_first.alone import Span, are_joined
from retrievers.documents_first.names import MOST_IN_FULL, DocumentNames, asked_year, glued, words_of

# What more of the documents have in their names tells little.
_MOST_NAMED = 0.5
# So many times the documents that a name means may have it in their text; of a word that may be no name, and
# of an abbreviation, no others.
_RARE = 2
# Passages that are read for a word.
_HOLDERS = 200
# "MGM" begins MGMRESORTS.
_BEGINNING, _SHORTEST = 3, 2
# A word that is no proper name has to be longer.
_LONG = 4
# What may stand between the words of one name, and at its end: "RV-8".
_BETWEEN = re.compile(r"[\s\-‐/]*")
_REST_OF_A_CODE = re.compile(r"(?:[-‐/.][^\W_]+)+")
_SENTENCE_END = re.compile(r"[.!?:]\s*$|^\W*$")
# Languages that write every noun with a capital.
_CAPITAL_NOUNS = ("de",)
_TIMES = frozenset(
    {
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
        "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    }
)  # fmt: skip

# Forms and quarters tell documents of one name apart, and are no names.
_NO_NAME = re.compile(r"\d{1,2}-?[kqf]|q[1-4]|[1-4]q(?:\d\d|\d{4})?|\d+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name at characters `start` to `end` of a question, and the places of the documents that have it.

    `is_headed`: only in their title or first lines, not in the name of a file.
    """

    start: int
    end: int
    documents: frozenset[int]
    is_headed: bool = False


# A mention, and how many documents may have its word in their text, if it is to be a name; None: any.
_Possible = tuple[Mention, int | None]


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """What the documents of a scope have in their text."""

    library: Library
    scope: Scope

    def holders(self, word: str) -> frozenset[str]:
        """Return the ids of the documents that have a word, as far as its best passages tell."""
        ids = self.library.catalogue.words.holding([word], self.scope, _HOLDERS)
        return frozenset(map(document_of_chunk, ids))

    def is_unknown(self, word: str) -> bool:
        """Return whether no document has a word, or one that differs by a typing error."""
        words = self.library.catalogue.words
        return not words.known([word.casefold()], self.scope) and not words.near(word, self.scope)


def mentions(
    names: DocumentNames, question: str, of_scope: ScopeWords, *, divides: bool = True
) -> list[Mention]:
    """Return the names of documents in a question, in its order.

    Args:
        divides: Documents of one name may be sides. Otherwise no word is looked up where all mean the same.
    """
    words = words_of(question)
    plain = [word.casefold() for word, _ in words]
    left_out = question_stopwords(plain, ("en", "de", "fr", "es"))
    most = max(1, _MOST_NAMED * len(names.documents))
    possible = [
        (one, holders)
        for one, holders in (
            *_of_several_words(names, words, plain),
            *_of_one_word(names, question, words, left_out),
        )
        if len(one.documents) <= most
    ]
    looks_up = divides or _may_be_several([one.documents for one, _ in possible])
    found = [
        one
        for one, holders in possible
        if holders is None
        or (looks_up and len(of_scope.holders(question[one.start : one.end].casefold())) <= holders)
    ]
    merged: list[Mention] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not merged or not _goes_on(question, merged[-1], one):
            merged.append(one)
        elif (both := merged[-1].documents & one.documents) and _is_one_name(question, merged[-1], one):
            is_headed = merged[-1].is_headed and one.is_headed
            merged[-1] = Mention(merged[-1].start, max(merged[-1].end, one.end), both, is_headed)
        elif one.start >= merged[-1].end:
            merged.append(one)
    return [_with_rest(question, _extended(names, one, words)) for one in merged]


def _may_be_several(named: Sequence[frozenset[int]]) -> bool:
    return any(one.isdisjoint(other) for one, other in combinations(named, 2))


def unknown_names(question: str, known: Sequence[Span], of_scope: ScopeWords) -> list[Span]:
    """Return the characters of names that no document has in its text, and that stand beside other names.

    Args:
        known: The characters of the names of documents.
    """
    left_out = question_stopwords(map(str.casefold, re.findall(r"\w+", question)), ("en", "de", "fr", "es"))
    if not known or not _capitals_tell(question, left_out):
        return []
    found: list[Span] = []
    for one in _capitalised(question, left_out):
        others = [*known, *found]
        if any(one[0] < end and start < one[1] for start, end in others):
            continue
        is_beside = any(are_joined(question, *sorted((one, other))) for other in others)
        if is_beside and all(map(of_scope.is_unknown, question[slice(*one)].split())):
            found.append(one)
    return found


def _capitalised(question: str, left_out: frozenset[str]) -> list[Span]:
    """Return the characters of words that are written like names, those beside each other together."""
    found: list[Span] = []
    for word, (start, end) in words_of(question):
        plain = word.casefold()
        if plain in left_out or plain in _TIMES or any(map(str.isdigit, word)) or len(word) < _LONG:
            continue
        if not _is_proper(word, question[:start]):
            continue
        if found and _BETWEEN.fullmatch(question, found[-1][1], start):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _of_several_words(
    names: DocumentNames, words: Sequence[tuple[str, tuple[int, int]]], plain: Sequence[str]
) -> Iterator[_Possible]:
    """Yield words that together are a word of a file's name, or a name in full."""
    for places, name in glued(plain):
        if documents := names.called(name):
            yield Mention(words[places[0]][1][0], words[places[-1]][1][1], documents), None
    for length in range(2, MOST_IN_FULL + 1):
        for first in range(len(plain) - length + 1):
            some = plain[first : first + length]
            if not any(map(str.isdigit, some)) and (documents := names.called_in_full(some)):
                yield Mention(words[first][1][0], words[first + length - 1][1][1], documents), None


def _of_one_word(
    names: DocumentNames,
    question: str,
    words: Sequence[tuple[str, tuple[int, int]]],
    left_out: frozenset[str],
) -> Iterator[_Possible]:
    tells = _capitals_tell(question, left_out)
    for word, (start, end) in words:
        plain = word.casefold()
        if (plain in left_out and not word.isupper()) or plain in _TIMES or asked_year(plain):
            continue
        if len(word) < _SHORTEST or _NO_NAME.fullmatch(plain):
            continue
        is_proper = _is_proper(word, question[:start]) if tells else _is_code(word)
        documents = names.called(plain)
        if documents:
            yield Mention(start, end, documents), None if is_proper else _RARE * len(documents)
        elif is_proper and len(word) >= _BEGINNING and (begun := names.beginning_with(plain)):
            yield Mention(start, end, begun), None
        elif (is_proper or len(word) >= _LONG) and len(headed := names.headed(plain)) == 1:
            holders = _RARE if is_proper and not _is_code(word) else 1
            yield Mention(start, end, headed, is_headed=True), holders


def _capitals_tell(question: str, left_out: frozenset[str]) -> bool:
    """Return whether a capital letter marks a name: not in German, and not in a question all in capitals."""
    if not any(map(str.islower, question)):
        return False
    told = {language: len(left_out & stopwords_of(language)) for language in ("en", *_CAPITAL_NOUNS)}
    return all(told[language] <= told["en"] for language in _CAPITAL_NOUNS)


def _is_proper(word: str, before: str) -> bool:
    return _is_code(word) or (word[0].isupper() and not _SENTENCE_END.search(before))


def _is_code(word: str) -> bool:
    """Return whether a word has capitals within, or figures: "DVRd", "ESP32"."""
    return any(map(str.isupper, word[1:])) or (any(map(str.isdigit, word)) and any(map(str.isalpha, word)))


def _goes_on(question: str, before: Mention, after: Mention) -> bool:
    return after.start < before.end or _BETWEEN.fullmatch(question, before.end, after.start) is not None


def _is_one_name(question: str, before: Mention, after: Mention) -> bool:
    """Return whether mentions beside each other are one name: "Makerspace Gütersloh"; not "Block sells"."""
    if before.is_headed == after.is_headed:
        return True
    headed = before if before.is_headed else after
    return question[headed.start].isupper()


def _extended(names: DocumentNames, one: Mention, words: Sequence[tuple[str, tuple[int, int]]]) -> Mention:
    """Return a name with the words before and behind it that stand in its files' names too."""
    own = [place for place, (_, (start, end)) in enumerate(words) if one.start <= start and end <= one.end]
    first, last = own[0], own[-1]
    while first and names.called(words[first - 1][0].casefold()) & one.documents:
        first -= 1
    while last + 1 < len(words) and names.called(words[last + 1][0].casefold()) & one.documents:
        last += 1
    return replace(one, start=words[first][1][0], end=words[last][1][1])


def _with_rest(question: str, one: Mention) -> Mention:
    rest = _REST_OF_A_CODE.match(question, one.end)
    return replace(one, end=rest.end()) if rest else one
