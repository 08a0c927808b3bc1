"""Conversations and receipts, as people read them in a terminal."""

from rich.console import Console

from rag_app.cli.terminal.lines import line, shown, table_of
from rag_app.contract.conversations import (
    ConversationResponse,
    ConversationsResponse,
    ReceiptsResponse,
    ReplayResponse,
)

_SECONDS = 19  # characters of a time as far as its seconds


def print_conversations(console: Console, found: ConversationsResponse) -> None:
    if not found.conversations:
        console.print("No conversations. rag-app ask QUESTION --conversation new begins one.")
        return
    rows = table_of("id", "title", "questions", "last used")
    for one in found.conversations:
        rows.add_row(one.conversation_id, shown(one.title), str(one.turns), _time(one.updated))
    console.print(rows)


def print_found(console: Console, found: ConversationsResponse) -> None:
    """Print the results of a search, each with the text that has its words."""
    if not found.conversations:
        console.print("No conversation has these words. rag-app conversations list shows all.")
        return
    rows = table_of("id", "title", "found in", "last used")
    for one in found.conversations:
        where = shown(one.match.text) if one.match and one.match.text else "the title"
        rows.add_row(one.conversation_id, shown(one.title), where, _time(one.updated))
    console.print(rows)


def print_conversation(console: Console, found: ConversationResponse) -> None:
    line(console, f"[bold]{shown(found.title)}[/] [dim]{_time(found.created)}[/]")
    for turn in found.turns:
        console.print()
        line(console, f"[bold]{turn.number}. {shown(turn.question)}[/]")
        if turn.standalone_question != turn.question:
            line(console, f"   [dim]understood as: {shown(turn.standalone_question)}[/]")
        if (written := turn.answer or turn.partial) and written.answer:
            line(console, shown(written.answer))
            # The text of a refusal names its passages.
            for citation in () if written.abstained else written.citations:
                line(console, f"   [dim]\\[{citation.marker}] {shown(citation.place)}[/]")
        if not turn.answer:
            reason = f": {turn.error}" if turn.error else ""
            line(console, f"   [yellow]{shown(turn.state + reason)}[/]")
        if others := len(turn.other_variants):
            which = f"answer {turn.variant} of {others + 1}; conversations export has all"
            line(console, f"   [dim]{which}[/]")


def print_receipts(console: Console, found: ReceiptsResponse) -> None:
    if not found.receipts:
        console.print("No receipts. Every answer has one, unless the setting keep_receipts is off.")
        return
    rows = table_of("id", "question", "strategy", "llm", "time")
    for one in found.receipts:
        made = one.strategy, shown(one.llm), _time(one.created)
        rows.add_row(one.receipt_id, shown(one.question), *made)
    console.print(rows)


def print_replay(console: Console, found: ReplayResponse) -> None:
    if found.same:
        console.print("The same passages, prompt and answer.")
        return
    console.print("Not the same:")
    for difference in found.differences:
        line(console, f"  {shown(difference)}")
    if found.before != found.after:
        line(console, f"[dim]before:[/] {shown(found.before)}")
        line(console, f"[dim]now:[/] {shown(found.after)}")


def _time(moment: str) -> str:
    return moment[:_SECONDS].replace("T", " ")
