"""Text of documents and people, made safe to put into HTML, and numbers in words."""

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from ingestion.errors import RagError
from rag_app.config.logging import report_unexpected, reported_as

INTERNAL_ERROR = "Something in the application is broken; its log has the details."

# Characters that reorder or hide the text around them: they are shown, not obeyed.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Some programs write every space of a PDF as one that breaks no line: lines would break within words. Between
# digits it groups a number.
_UNBREAKABLE = re.compile("(?<![0-9])[\u00a0\u202f]|[\u00a0\u202f](?![0-9])")
# A line of at least this many characters is taken for prose that was wrapped.
_PROSE = 55

Span = tuple[int, int]


def escape(text: str) -> str:
    """Return `text` as HTML that shows it and does nothing else, within elements and attributes."""
    shown = _UNBREAKABLE.sub(" ", _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))
    return html.escape(shown, quote=True)


def merge(spans: Iterable[Span], length: int) -> list[Span]:
    """Return the spans cut to 0 … `length`, sorted, with overlapping and touching spans joined."""
    merged: list[Span] = []
    for start, end in sorted((max(0, start), min(length, end)) for start, end in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def marked(text: str, spans: Iterable[Span], tag: str = "mark") -> str:
    """Return `text` escaped, with the characters of the spans in an element."""
    parts: list[str] = []
    position = 0
    for start, end in merge(spans, len(text)):
        parts += [escape(text[position:start]), f"<{tag}>", escape(text[start:end]), f"</{tag}>"]
        position = end
    return "".join([*parts, escape(text[position:])])


def flow(text: str) -> str:
    """Return `text` with the line ends of running prose turned into spaces; its length stays.

    A PDF breaks its lines where its page ends, not where this column does. Short lines (headings,
    tables) keep their ends.
    """
    lines = text.split("\n")
    ends = [" " if len(line) >= _PROSE and following.strip() else "\n" for line, following in pairwise(lines)]
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))


def plural(number: int, noun: str) -> str:
    """Return "1 page", "2 pages"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def milliseconds(value: float) -> str:
    """Return a time as people read it: "0.4 ms", "41 ms", "1.2 s"."""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def stage_times(timings_ms: Mapping[str, float]) -> str:
    """Return, as HTML, the times of a question's stages, without their total."""
    stages = ((name, value) for name, value in timings_ms.items() if name != "total" and value > 0)
    return " · ".join(f"{escape(name)} {milliseconds(value)}" for name, value in stages)


def progress_bar(share: float | None, label: str) -> str:
    """Return a bar of work under way; `share` is its finished part, 0 to 1, None where it is not known."""
    value = "" if share is None else f' value="{share:.3f}"'
    return f'<progress max="1"{value} aria-label="{escape(label)}"></progress>'


def also_known(names: Sequence[str]) -> str:
    """Return, as the end of a sentence, a document's names after the first; nothing for one name."""
    others = ", ".join(f"<bdi>{escape(name)}</bdi>" for name in names[1:])
    return f", also known as {others}" if others else ""


def render_error(message: object) -> str:
    """Return a message, or an error's, in red."""
    return f'<div class="failed" role="alert">{escape(str(message))}</div>'


def render_notice(error: Exception | None = None, words: str = "") -> str:
    """Return, for the field that they are about, an error or words in one sentence; "" for neither.

    Logs an unexpected error, and names the id under which the log has it.
    """
    if error is not None:
        words = str(error) if isinstance(error, RagError) else internal_error(error)
    if not words:
        return ""
    # Names such as bm25 and notes.md begin a sentence as they are.
    sentence = f"{words[:1].upper()}{words[1:]}" if words.partition(" ")[0].isalpha() else words
    return render_error(sentence if sentence[-1] in ".?!)…" else f"{sentence}.")


def internal_error(error: Exception) -> str:
    """Log an unexpected error; return what a person reads, with the id under which the log has it."""
    return _internal(report_unexpected(error))


def result_of(work: Callable[[], str]) -> str:
    """Do work; return the HTML that it returns, or its error in one sentence."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 (logged, and said on the page)
        return render_notice(error)


def error_of(work: Callable[[], object]) -> str:
    """Do work; return its error as HTML, "" for none."""

    def quiet() -> str:
        work()
        return ""

    return result_of(quiet)


def render_failure(error: Exception | None) -> str:
    """Return a failed task's error; of an error inside the application, the id under which the log has it."""
    if isinstance(error, RagError):
        return render_error(error)
    identity = None if error is None else reported_as(error)
    return render_error(_internal(identity) if identity else INTERNAL_ERROR)


def _internal(identity: str) -> str:
    return f"{INTERNAL_ERROR} (request {identity})"
