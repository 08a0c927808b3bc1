"""What people call a thing, and what documents call it.

    term <TAB> what to look for also; another; …

A line for each term; lines that begin with "#" are notes. Two glossaries come with the application: everyday
words (`general.tsv`), and finance (`finance.tsv`), where the name of a ratio leads to the lines that it is
computed from. A person's own are `glossary.tsv` in the data folder, and `glossaries/COLLECTION.tsv` there for
one collection. They may be edited while the application runs. A term of theirs replaces the same term of the
application's; with nothing behind the tab, the term is looked for as it stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ingestion.errors import InvalidInput
from ingestion.regular_files import read_regular
from ingestion.text.languages import stem

FILE = "glossary.tsv"
FOLDER = "glossaries"
_SHIPPED = ("general.tsv", "finance.tsv")
# Words, and names such as "R&D".
_WORD = re.compile(r"[^\W_]+(?:&[^\W_]+)*")
_LANGUAGE = "en"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Meaning:
    """A term of a question, its characters start:end, and what is looked for also.

    Attributes:
        is_misspelt: The term is a typing error of what is looked for.
    """

    term: str
    also: tuple[str, ...]
    start: int
    end: int
    is_misspelt: bool = False


class Glossary:
    """Terms by their stemmed words, each with what to look for also."""

    def __init__(self, entries: Mapping[str, tuple[str, ...]]) -> None:
        self._entries: dict[tuple[str, ...], tuple[str, ...]] = {}
        for term, also in entries.items():
            self._entries[_key(term)] = also
        self._longest = max(map(len, self._entries), default=0)

    def __len__(self) -> int:
        return len(self._entries)

    def meanings(self, question: str) -> tuple[Meaning, ...]:
        """Return the terms of a question, in order, each once. Of terms that overlap, the longest counts."""
        words = [(match.group(), *match.span()) for match in _WORD.finditer(question)]
        found: list[Meaning] = []
        place = 0
        while place < len(words):
            for length in range(min(self._longest, len(words) - place), 0, -1):
                some = words[place : place + length]
                also = self._entries.get(_key(" ".join(word for word, _, _ in some)))
                if also is not None:
                    start, end = some[0][1], some[-1][2]
                    if also and also not in {one.also for one in found}:
                        found.append(Meaning(question[start:end], also, start, end))
                    break
            place += length
        return tuple(found)


def glossary_of(folder: Path, collections: Iterable[str]) -> Glossary:
    """Return the glossary of collections of a library.

    Args:
        folder: The data folder.
        collections: Names of collections; the last one's file replaces terms of the others'.

    Raises:
        InvalidInput: A line of a person's own has no tab, or the file is no text; the message names both.
    """
    files = [folder / FILE, *(folder / FOLDER / f"{name}.tsv" for name in sorted(collections))]
    return _glossary(tuple(state for file in files if (state := _state(file))))


def _state(file: Path) -> tuple[Path, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return file, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=32)
def _glossary(files: tuple[tuple[Path, int, int], ...]) -> Glossary:
    """`files` are there, with time of change and size, so that an edited one is read again."""
    terms: dict[str, tuple[str, ...]] = {}
    for name in _SHIPPED:
        text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
        terms.update(entries(text, name))
    known = {_key(term): term for term in terms}
    for file, _, _ in files:
        for term, also in entries(_read(file), str(file)):
            terms.pop(known.get(_key(term), term), None)
            terms[term] = also
            known[_key(term)] = term
    return Glossary(terms)


def _read(file: Path) -> str:
    try:
        return read_regular(file, _MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"the glossary {file} cannot be read: {error}; save it as UTF-8 text, or move it away"
        ) from error


def entries(text: str, where: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each term of a glossary with what to look for also.

    Raises InvalidInput for a line that is no entry; `where` names the file in the message.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        term, tab, also = line.partition("\t")
        if not tab or not _key(term):
            raise InvalidInput(
                f"{where}, line {number}: {line[:80]!r} is no entry; write the term, a tab, and what "
                "to look for also, separated by semicolons"
            )
        yield term.strip(), tuple(one.strip() for one in also.split(";") if one.strip())


def _key(term: str) -> tuple[str, ...]:
    """Return a term's words as they are compared: by their stems, so that "buying back" is "buy back"; a
    single word without its plural's s alone, because "earn" is not "earnings"."""
    words = [word.casefold() for word in _WORD.findall(term)]
    if len(words) == 1:
        return (words[0].removesuffix("s") if words[0][-2:] != "ss" else words[0],)
    return tuple(stem(word, _LANGUAGE) for word in words)
