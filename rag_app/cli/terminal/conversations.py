"""Conversations and receipts, as people read them in a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from rag_app.cli.terminal.lines import line, shown, table_of

Fields = Mapping[str, Any]

_SECONDS = 19  # characters of a time as far as its seconds


def print_conversations(console: Console, fields: Fields) -> None:
    if not fields["conversations"]:
        console.print("No conversations. rag-app ask QUESTION --conversation new begins one.")
        return
    rows = table_of("id", "title", "questions", "last used")
    for one in fields["conversations"]:
        rows.add_row(one["conversation_id"], shown(one["title"]), str(one["turns"]), _time(one["updated"]))
    console.print(rows)


def print_conversation(console: Console, fields: Fields) -> None:
    line(console, f"[bold]{shown(fields['title'])}[/] [dim]{_time(fields['created'])}[/]")
    for turn in fields["turns"]:
        console.print()
        line(console, f"[bold]{turn['number']}. {shown(turn['question'])}[/]")
        if turn["standalone_question"] != turn["question"]:
            line(console, f"   [dim]understood as: {shown(turn['standalone_question'])}[/]")
        if turn["answer"]:
            line(console, shown(turn["answer"]["answer"]))
            for citation in turn["answer"]["citations"]:
                where = f"{citation['document']}, page {citation['page']}"
                line(console, f"   [dim]\\[{citation['marker']}] {shown(where)}[/]")
        else:
            reason = f": {turn['error']}" if turn["error"] else ""
            line(console, f"   [yellow]{shown(turn['state'] + reason)}[/]")


def print_receipts(console: Console, fields: Fields) -> None:
    if not fields["receipts"]:
        console.print("No receipts. Every answer has one, unless the setting keep_receipts is off.")
        return
    rows = table_of("id", "question", "strategy", "llm", "time")
    for one in fields["receipts"]:
        made = one["strategy"], shown(one["llm"]), _time(one["created"])
        rows.add_row(one["receipt_id"], shown(one["question"]), *made)
    console.print(rows)


def print_replay(console: Console, fields: Fields) -> None:
    if fields["same"]:
        console.print("The same passages, prompt and answer.")
        return
    console.print("Not the same:")
    for difference in fields["differences"]:
        line(console, f"  {shown(difference)}")
    if fields["before"] != fields["after"]:
        line(console, f"[dim]before:[/] {shown(fields['before'])}")
        line(console, f"[dim]now:[/] {shown(fields['after'])}")


def _time(moment: str) -> str:
    return moment[:_SECONDS].replace("T", " ")
