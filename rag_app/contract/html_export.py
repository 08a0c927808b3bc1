"""A conversation as one web page that loads nothing, runs nothing, and can be printed."""

import html
import re

from rag_app.answering.prompt_injection import without_hidden
from rag_app.contract.answers import AnswerFields
from rag_app.contract.conversations import ConversationResponse, TurnFields, VariantFields

# What an exported page may load and run, whatever is in it: nothing but its own style sheet.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --text: #0f172a; --quiet: #475569; --line: #cbd5e1; --page: #ffffff;
  --quote: #f1f5f9; --link: #0f766e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e2e8f0; --quiet: #94a3b8; --line: #334155; --page: #0b1120;
    --quote: #1e293b; --link: #5eead4; }
}
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 0.75rem; } h3 { font-size: 1rem; }
a { color: var(--link); }
.answer { white-space: pre-wrap; }
.quiet { color: var(--quiet); font-size: 0.875rem; }
ol.sources { padding: 0; list-style: none; font-size: 0.9375rem; }
ol.sources li { margin: 0 0 0.75rem; break-inside: avoid; }
blockquote { margin: 0.25rem 0 0; padding: 0.5rem 0.75rem; border-left: 3px solid var(--line);
  background: var(--quote); }
li:target blockquote { border-color: var(--link); }
@media print {
  :root { --text: #000; --quiet: #444; --line: #999; --page: #fff; --quote: #fff; --link: #000; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  a { text-decoration: none; }
  h2, h3 { break-after: avoid; }
}
"""
_MARKER = re.compile(r"\[(\d{1,4})\]")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_MINUTES = 16  # characters of a time as far as its minutes


def as_html(conversation: ConversationResponse) -> str:
    """Return a conversation as a document of HTML, with all its text escaped."""
    title = _escaped(conversation.title) or "Conversation"
    turns = "".join(map(_turn, conversation.turns))
    return (
        '<!doctype html>\n<html lang="mul">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(CONTENT_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1 dir="auto">{title}</h1>\n<p class="quiet">{_time(conversation.created)}</p>\n'
        f"{turns}</body>\n</html>\n"
    )


def _turn(turn: TurnFields) -> str:
    parts = [f'<h2 dir="auto">{turn.number}. {_escaped(turn.question)}</h2>']
    if turn.standalone_question != turn.question:
        understood = _escaped(turn.standalone_question)
        parts.append(f'<p class="quiet" dir="auto">Understood as: {understood}</p>')
    variants = turn.all_variants
    for one in variants:
        if len(variants) > 1:
            chosen = ", chosen" if one is turn else ""
            parts.append(f"<h3>Answer {one.variant} of {len(variants)}{chosen}</h3>")
        parts += _variant(turn.number, one)
    return "<section>\n" + "\n".join(parts) + "\n</section>\n"


def _variant(number: int, one: VariantFields) -> list[str]:
    parts = []
    if (written := one.answer or one.partial) and written.answer:
        parts = _answer(written, f"source-{number}-{one.variant}")
    if not one.answer:
        reason = f"{one.state}: {one.error}" if one.error else one.state
        parts.append(f'<p class="quiet">{_escaped(reason)}</p>')
    return parts


def _answer(answer: AnswerFields, prefix: str) -> list[str]:
    # The text of a refusal has its passages.
    numbers = set() if answer.abstained else {str(one.marker) for one in answer.citations}

    def linked(marker: re.Match[str]) -> str:
        return f'<a href="#{prefix}-{marker[1]}">{marker[0]}</a>' if marker[1] in numbers else marker[0]

    text = _BOLD.sub(r"<strong>\1</strong>", _escaped(answer.answer.strip()))
    parts = [f'<div class="answer" dir="auto">{_MARKER.sub(linked, text)}</div>']
    if numbers:
        parts.append("<h3>Sources</h3>")
        parts.append(f'<ol class="sources">\n{_sources(answer, prefix)}\n</ol>')
    made = [answer.strategy, answer.reranker or "no reranker", answer.llm]
    parts.append(f'<p class="quiet">{_escaped(", ".join(made))}</p>')
    return parts


def _sources(answer: AnswerFields, prefix: str) -> str:
    rows = []
    named: set[int] = set()
    for one in answer.citations:
        # A source that is cited twice has two rows, and one place that its markers lead to.
        identity = "" if one.marker in named else f' id="{prefix}-{one.marker}"'
        named.add(one.marker)
        rows.append(
            f"<li{identity}>[{one.marker}] <bdi>{_escaped(one.place)}</bdi>"
            f'<blockquote dir="auto">{_escaped(" ".join(one.quote.split()))}</blockquote></li>'
        )
    return "\n".join(rows)


def _escaped(text: str) -> str:
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", without_hidden(text)), quote=True)


def _time(moment: str) -> str:
    return f"{_escaped(moment[:_MINUTES].replace('T', ' '))} UTC" if moment else ""
