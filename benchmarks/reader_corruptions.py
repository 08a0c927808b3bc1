"""Hard negatives made from text: what repeats a question's words and answers nothing."""

import random
import re
from collections.abc import Sequence

from reader_examples import Example, TrainingPassage, behind, without_answer

from ingestion.text.stopwords import stopwords_of

_ASKING = frozenset({"what", "when", "where", "which", "who", "whom", "whose", "why", "how", "many", "much"})
_NAMES = ("Adams", "Brandt", "Chen", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kim")
_JOURNALS = ("Annals of Research", "Journal of Applied Studies", "Proc. of the Conference", "Working Paper")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NAME = re.compile(r"(?<=\s)[A-Z][\w’'-]+(?:\s+(?:of\s+)?[A-Z][\w’'-]+)*")


def topic_of(question: str) -> str:
    """Return a question's words as a title has them."""
    words = [word for word in re.findall(r"[\w’'-]+", question) if word.casefold() not in _ASKING]
    while words and words[0].casefold() in stopwords_of("en"):
        words = words[1:]
    small = stopwords_of("en")
    return " ".join(word if word.casefold() in small else word[:1].upper() + word[1:] for word in words)


def furniture(question: str, others: Sequence[str], chance: random.Random) -> TrainingPassage:
    """Return a title block, a table of contents, references, or captions with a question's words."""
    title, rest = topic_of(question), [topic_of(one) for one in others]
    kind = chance.choice(("title", "contents", "references", "captions"))
    context = chance.choice((title, chance.choice(rest), "Contents", "References", ""))
    if kind == "title":
        lines = _title_block(title, chance)
    elif kind == "contents":
        lines = _contents([title, *rest], chance)
    elif kind == "references":
        lines = [
            _reference(number, one, chance) for number, one in enumerate(_shuffled([title, *rest], chance), 1)
        ]
    else:
        kind = chance.choice(("Table", "Figure", "Exhibit"))
        lines = [f"{kind} {number}: {one}" for number, one in enumerate(_shuffled([title, *rest], chance), 1)]
    return TrainingPassage(context, "\n".join(lines), False)


def heading_line(question: str, chance: random.Random) -> str:
    """Return a heading, a running head or a caption with a question's words."""
    title = topic_of(question)
    number = chance.randint(1, 40)
    return chance.choice(
        (
            title,
            f"{number}. {title}",
            title.upper(),
            f"{title} | {number}",
            f"Figure {number}: {title}",
            question,
        )
    )


def corrupted(example: Example, others: Sequence[str], chance: random.Random) -> Example:
    """Return an example with a hard negative more, and sometimes with a heading above what is right."""
    right = example.right[0]
    passages = list(example.passages)
    added = chance.choice((without_answer(passages[right]), furniture(example.question, others, chance)))
    if chance.random() < 0.3:
        passages[right] = behind(passages[right], heading_line(example.question, chance))
    if added is None:
        added = furniture(example.question, others, chance)
    scores = (*example.scores, min(example.scores)) if example.scores else ()
    wrong = (*example.wrong, len(passages))
    return Example(example.question, (*passages, added), example.right, wrong, scores)


def of_another(example: Example, others: Sequence[str], chance: random.Random) -> Example | None:
    """Return the question about another name or year with the same passages: none of them answers it."""
    passage = example.passages[example.right[0]]
    changed = with_other_year(example.question, passage.content, chance) or with_other_name(
        example.question, passage.content, others, chance
    )
    if changed is None:
        return None
    return Example(changed, (TrainingPassage(passage.context, passage.text, False),))


def with_other_year(question: str, content: str, chance: random.Random) -> str | None:
    years = _YEAR.findall(question)
    if not years:
        return None
    year = chance.choice(years)
    other = str(int(year) + chance.choice((-5, -4, -3, -2, 2, 3, 4, 5)))
    return None if other in content or other in question else question.replace(year, other)


def with_other_name(question: str, content: str, others: Sequence[str], chance: random.Random) -> str | None:
    names = [match[0] for match in _NAME.finditer(question) if match[0] in content]
    given = [match[0] for one in others for match in _NAME.finditer(one)]
    given = [one for one in given if one.casefold() not in content.casefold()]
    if not names or not given:
        return None
    return question.replace(chance.choice(names), chance.choice(given))


def _title_block(title: str, chance: random.Random) -> list[str]:
    lines = [title]
    extra = [
        f"Version {chance.randint(1, 9)}.{chance.randint(0, 9)}",
        f"{chance.choice(('January', 'May', 'June', 'October'))} {chance.randint(1990, 2025)}",
        f"{chance.choice(_NAMES)}, {chance.choice(_NAMES)} and {chance.choice(_NAMES)}",
        f"Page {chance.randint(1, 3)} of {chance.randint(4, 90)}",
        f"Document No. {chance.randint(1000, 99999)}",
        chance.choice(
            ("Annual Report", "User Manual", "Protocol", "Terms and Conditions", "Technical Report")
        ),
    ]
    return [*lines, *chance.sample(extra, chance.randint(2, len(extra)))]


def _contents(titles: Sequence[str], chance: random.Random) -> list[str]:
    page, dots, lines = chance.randint(1, 9), chance.choice((" " + "." * 20 + " ", "  ", " ")), []
    for number, title in enumerate(_shuffled(titles, chance), 1):
        lines.append(f"{number}. {title}{dots}{page}" if chance.random() < 0.7 else f"{title}{dots}{page}")
        page += chance.randint(1, 9)
    return lines


def _reference(number: int, title: str, chance: random.Random) -> str:
    authors = ", ".join(
        f"{name}, {chance.choice('ABCDEFG')}." for name in chance.sample(_NAMES, chance.randint(1, 3))
    )
    year, journal = chance.randint(1985, 2024), chance.choice(_JOURNALS)
    return f"[{number}] {authors} {title}. {journal}, {chance.randint(1, 60)}, {year}."


def _shuffled(texts: Sequence[str], chance: random.Random) -> list[str]:
    return chance.sample(list(texts), len(texts))
