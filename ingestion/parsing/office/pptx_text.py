"""Paragraphs of presentations: in shapes, table cells and comments."""

from collections import Counter
from collections.abc import Iterator

from lxml import etree

from ingestion.parsing.office.omml import omml_text
from ingestion.parsing.office.symbol_fonts import with_symbols
from ingestion.parsing.shared.formulas import script_mark
from ingestion.parsing.shared.xml import child, local_name, whole_number

_CHARACTERS = {"br": "\n", "tab": "\t"}


def paragraphs(shape: etree._Element) -> Iterator[tuple[int, str]]:
    """Level from 0 and text of each paragraph in a shape, a cell or a comment."""
    for body in shape.iter("{*}txBody"):
        numbers: Counter[int] = Counter()
        for paragraph in body:
            if local_name(paragraph) != "p":
                continue
            properties = child(paragraph, "ppr")
            value = properties.get("lvl") if properties is not None else None
            level = int(value) if value and value in "012345678" else 0
            text = paragraph_text(paragraph)
            yield level, _number(properties, level, numbers) + text if text.strip() else text


def _number(properties: etree._Element | None, level: int, numbers: Counter[int]) -> str:
    """ "2. " in front of an automatically numbered item, whose number the file does not store."""
    for deeper in [known for known in numbers if known > level]:
        del numbers[deeper]
    numbering = child(properties, "buautonum")
    if numbering is None:
        del numbers[level]
        return ""
    numbers[level] += 1
    return f"{whole_number(numbering.get('startAt'), 1, digits=5) + numbers[level] - 1}. "


def paragraph_text(paragraph: etree._Element) -> str:
    """The text of one paragraph, with its formulas."""
    words: list[str] = []
    stack = [iter(paragraph)]
    while stack:
        element = next(stack[-1], None)
        if element is None:
            stack.pop()
            continue
        name = local_name(element)
        if name in ("r", "fld"):
            words.extend(_run(element, words[-1] if words else ""))
        elif name in _CHARACTERS:
            words.append(_CHARACTERS[name])
        elif name == "omath":
            words.append(f" {omml_text(element).strip()} ")
        elif name and name not in ("fallback", "ppr", "endpararpr"):
            stack.append(iter(element))
    return "".join(words)


def _run(run: etree._Element, before: str) -> Iterator[str]:
    properties = child(run, "rpr")
    text = "".join(inner.text or "" for inner in run if local_name(inner) == "t")
    if properties is None:
        yield text
        return
    baseline = properties.get("baseline") or "0"
    if baseline.strip("0%"):
        following = run.getnext()
        after = "" if following is None else "".join(inner.text or "" for inner in following.iter("{*}t"))
        yield script_mark("sub" if baseline.startswith("-") else "sup", before, text, after)
    font = child(properties, "sym")
    font = font if font is not None else child(properties, "latin")
    yield text if font is None else with_symbols(text, font.get("typeface") or "")
