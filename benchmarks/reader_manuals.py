"""Manuals as training text: sections of program help and handbooks, and questions made of their headings.

The folder has unpacked packages of Debian 12, of which each is free documentation:

    gnome-user-docs (CC BY-SA 3.0), libreoffice-help-en-us (MPL 2.0), gimp-help-en (GFDL 1.2),
    gnucash-docs (GFDL 1.1), debian-handbook (GPL 2 or CC BY-SA 3.0), debian-reference-en (GPL 2)

A section's heading is not in its passage: what repeats a heading is no answer, what stands below it is.
"""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree, html

from ingestion.text.sentences import sentence_spans
from rag_app.evaluation.datasets import CorpusPassage, Dataset, Question

_BOOKS = {
    "gnome": "usr/share/help/C/gnome-help/*.page",
    "libreoffice": "usr/share/libreoffice/help/en-US/text/*/guide/*.html",
    "gimp": "usr/share/gimp/2.0/help/en/gimp-*.html",
    "gnucash": "usr/share/doc/gnucash-docs/gnucash-guide-en/*.html",
    "handbook": "usr/share/doc/debian-handbook/html/en-US/*.html",
    "reference": "usr/share/debian-reference/ch*.en.html",
}
_OF_A_BOOK = 300  # sections
_WORDS = range(30, 161)
_HEADING_WORDS = range(2, 11)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "title"})
_BLOCKS = frozenset({"p", "li", "dt", "dd", "tr", "item"})
_NUMBER = re.compile(r"^(?:(?:Chapter|Section|Appendix)\s+)?(?:[\dA-Z]+\.)*[\dA-Z]?\.?\s+(?=[A-Z])")
_VERBS = frozenset(
    re.findall(
        r"\w+",
        """
    add adjust apply assign back browse calculate change check choose clear close combine compare
    compose configure connect convert copy create customize cut define delete disable display edit
    enable enter export fill find fix format get group hide import improve insert install keep limit
    lock log make manage merge move open organize play prevent print protect record remove rename
    replace resize restore rotate save scan search select send set share shut sort split start stop
    switch take turn undo update use view watch write
    """,
    )
)


@dataclass(frozen=True, slots=True)
class _Section:
    book: str
    page: str
    heading: str
    text: str


def manuals(folder: Path, seed: int) -> Dataset:
    """Return sections as passages, and the question that each one's heading makes."""
    chance = random.Random(seed)
    kept: list[_Section] = []
    for book, pattern in _BOOKS.items():
        files = sorted(path for root in sorted(folder.iterdir()) for path in root.glob(pattern))
        sections = [one for path in files for one in _sections(book, path)]
        often = Counter(one.heading.casefold() for one in sections)
        alone = [one for one in sections if often[one.heading.casefold()] == 1]
        kept += chance.sample(alone, min(_OF_A_BOOK, len(alone)))
    passages, questions, qrels = list[CorpusPassage](), list[Question](), dict[str, dict[str, int]]()
    for number, one in enumerate(kept):
        passage, asked = f"{one.book}-{number}", f"q{number}"
        title = one.page if one.page != one.heading else ""
        passages.append(CorpusPassage(passage, title, one.text))
        questions.append(Question(asked, _question(one.heading, chance)))
        qrels[asked] = {passage: 1}
    digest = hashlib.sha256("\n".join(one.text for one in passages).encode()).hexdigest()
    return Dataset("manuals", "passage", tuple(questions), qrels, 0, digest, tuple(passages))


def _sections(book: str, path: Path) -> Iterator[_Section]:
    data = path.read_bytes()
    root = etree.fromstring(data) if path.suffix == ".page" else html.document_fromstring(data)
    page, heading, blocks = "", "", list[str]()
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname
        if name in _HEADINGS and _is_shown(element):
            yield from _section(book, page, heading, blocks)
            heading, blocks = _plain(element), []
            page = page or heading
        elif name in _BLOCKS and not any(
            etree.QName(one).localname in _BLOCKS for one in element.iterancestors()
        ):
            blocks.append(_plain(element))
    yield from _section(book, page, heading, blocks)


def _ancestors(element: etree._Element) -> set[str]:
    return {etree.QName(one).localname for one in element.iterancestors()}


def _is_shown(element: etree._Element) -> bool:
    return _ancestors(element).isdisjoint({"head", "info", "table", "figure", "footer"})


def _section(book: str, page: str, heading: str, blocks: Iterable[str]) -> Iterator[_Section]:
    text, words = "", 0
    for block in blocks:
        if block.startswith(("This page is: ", "Title is: ")):
            break
        if words + len(block.split()) > _WORDS.stop:
            spans = sentence_spans(block) if not words else ()
            text += " ".join(block[one.start : one.end] for one in spans[:3])
            break
        text, words = f"{text}{block}\n", words + len(block.split())
    named = _NUMBER.sub("", heading).removeprefix("To ")
    if len(text.split()) in _WORDS and len(named.split()) in _HEADING_WORDS:
        yield _Section(book, _NUMBER.sub("", page), named, text.strip())


def _plain(element: etree._Element) -> str:
    return " ".join("".join(str(one) for one in element.itertext("*")).split())


def _question(heading: str, chance: random.Random) -> str:
    """Return what a person would ask to find a section."""
    first, _, rest = heading.partition(" ")
    if heading.endswith("?"):
        return heading
    if first.casefold() in _VERBS:
        asked = f"{first.casefold()} {rest}"
        return chance.choice((f"How do I {asked}?", f"How can I {asked}?", f"how to {asked}", asked))
    if first.endswith("ing") and rest:
        return chance.choice((f"How does {heading[:1].lower()}{heading[1:]} work?", heading))
    name = heading if any(letter.isupper() for letter in rest) else heading.lower()
    return chance.choice(
        (f"What is {name}?", f"What does it say about {name}?", name, f"Tell me about {name}.")
    )
