"""Conversations and receipts, on a real library and file."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.errors import DiskFull, InvalidInput, LibraryError, UnknownName
from rag_app.answering.answers import Answer, AskOptions, PassagesFound, QuestionRewritten
from rag_app.config.settings import load_settings
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.records import AnswerRecord
from rag_app.history.turns import TurnState
from rag_app.llm.usage import CallOptions, UsageTracker, call_config
from rag_app.service.composition import Assistant
from rag_app.service.local import LocalService
from tests.helpers.commands import Command
from tests.helpers.processes import fork_server
from tests.helpers.served_library import serving

pytestmark = pytest.mark.slow

APPLE = "When was the Bramley apple tree planted?"
EXTRACTIVE = AskOptions(llm="extractive", conversation="new")


@pytest.fixture
def conversations(tmp_path: Path) -> Conversations:
    return Conversations(StateDatabase(tmp_path / STATE_FILE))


@pytest.fixture
def assistant(own: Path) -> Iterator[Assistant]:
    """An assistant over a library of the test's own, and so over conversations of its own."""
    with Assistant.open(load_settings(data_dir=own)) as opened:
        yield opened


def record(text: str) -> AnswerRecord:
    return AnswerRecord(
        question="Why?",
        text=text,
        abstained=False,
        strategy="bm25",
        reranker=None,
        llm="extractive",
        citations=(),
        sentences=(),
        hits=(),
        flags=(),
        standalone_question=None,
        timings_ms={},
    )


def ask(assistant: Assistant, question: str, options: AskOptions) -> Answer:
    return assistant.ask(question, options)


def test_a_conversation_is_kept_listed_renamed_and_deleted(conversations: Conversations) -> None:
    first, second = conversations.create(), conversations.create("Harbour")
    assert first.nonce != second.nonce
    number = conversations.begin_turn(first.id, "When was\nthe tree planted?" + " really?" * 40)
    assert number == 1
    conversations.end_turn(first.id, 1, TurnState.ANSWERED, answer=record("In 1921."), receipt="r1")
    assert conversations.begin_turn(first.id, "Why?") == 2
    conversations.end_turn(first.id, 2, TurnState.FAILED, error="no room")
    listed = conversations.list()
    assert [one.id for one in listed] == [first.id, second.id]  # the one used last first
    assert listed[0].title.startswith("When was the tree planted? really?")
    assert len(listed[0].title) == 80
    assert [(t.number, t.state, t.error) for t in conversations.turns(first.id)] == [
        (1, "answered", None),
        (2, "failed", "no room"),
    ]
    assert [exchange.answer for exchange in conversations.history(first.id)] == ["In 1921."]
    assert conversations.rename(second.id, " The  pier ").title == "The pier"
    with pytest.raises(InvalidInput, match="1 to 200 characters"):
        conversations.rename(second.id, " ")
    conversations.delete(first.id)
    for use in (conversations.get, conversations.turns, conversations.delete, conversations.history):
        with pytest.raises(UnknownName, match="conversation"):
            use(first.id)


def test_whether_an_answer_helped_is_kept(conversations: Conversations) -> None:
    identity = conversations.create().id
    for question in ("first", "second"):
        conversations.begin_turn(identity, question)
    conversations.rate(identity, 2, helpful=False)
    assert [turn.helpful for turn in conversations.turns(identity)] == [None, False]
    conversations.rate(identity, 2, helpful=True)
    assert [turn.helpful for turn in conversations.turns(identity)] == [None, True]
    with pytest.raises(UnknownName):
        conversations.rate("gone", 1, helpful=True)


def test_a_question_has_several_answers_and_one_is_shown(conversations: Conversations) -> None:
    one = conversations.create()
    for number, text in ((1, "In 1921."), (2, "By Ada.")):
        conversations.begin_turn(one.id, f"question {number}")
        conversations.end_turn(one.id, number, TurnState.ANSWERED, answer=record(text), receipt=f"r{number}")
    assert conversations.begin_variant(one.id, 1) == 2
    assert conversations.progress(one.id) == (((2, 2), (1, 1)), 1)
    conversations.write_partial(one.id, 1, record("In spring"), variant=2)
    conversations.end_turn(one.id, 1, TurnState.STOPPED, variant=2, partial=record("In spring 19"))
    turns = conversations.turns(one.id)
    assert [(turn.number, turn.variant, turn.variants, turn.state) for turn in turns] == [
        (1, 2, 2, "stopped"),
        (2, 1, 1, "answered"),
    ]
    assert [exchange.answer for exchange in conversations.history(one.id)] == ["In spring 19", "By Ada."]
    assert conversations.history(one.id, before=1) == ()
    assert conversations.get(one.id).turns == 2
    conversations.rate(one.id, 1, helpful=False)
    # A follow-up question is read with the answer that is shown.
    conversations.show(one.id, 1, 1)
    assert [exchange.answer for exchange in conversations.history(one.id)] == ["In 1921.", "By Ada."]
    both = conversations.variants(one.id, 1)
    assert [(each.variant, each.receipt, each.helpful) for each in both] == [
        (1, "r1", None),
        (2, None, False),
    ]
    assert conversations.progress(one.id) == (((1, 2), (1, 1)), 0)
    # One that was being written when the application ended is told.
    assert conversations.begin_variant(one.id, 2) == 2
    conversations.interrupt()
    assert [each.state for each in conversations.variants(one.id, 2)] == ["answered", "interrupted"]
    for place in ((one.id, 1, 3), (one.id, 3, 1), ("gone", 1, 1)):
        with pytest.raises(UnknownName):
            conversations.show(*place)
    assert [turn.variant for turn in conversations.turns(one.id)] == [1, 2]
    for identity, number in ((one.id, 3), ("gone", 1)):
        with pytest.raises(UnknownName):
            conversations.begin_variant(identity, number)


def test_what_was_being_answered_when_the_application_ended_is_seen(conversations: Conversations) -> None:
    one = conversations.create()
    conversations.begin_turn(one.id, "Why?")
    conversations.interrupt()
    assert [turn.state for turn in conversations.turns(one.id)] == [TurnState.INTERRUPTED]


def test_what_is_written_of_an_answer_is_kept_until_the_answer_is(conversations: Conversations) -> None:
    one = conversations.create()
    for number, question in enumerate(("Why?", "How?", "When?", "Who?"), start=1):
        conversations.begin_turn(one.id, question)
        conversations.write_partial(one.id, number, record(f"Because {number}"))
    assert conversations.progress(one.id) == (((1, 1),) * 4, 4)
    assert conversations.history(one.id) == ()  # none of them has ended
    conversations.end_turn(one.id, 1, TurnState.ANSWERED, answer=record("Because it is so."))
    conversations.end_turn(one.id, 2, TurnState.STOPPED, partial=record("Because 2 and"))
    conversations.end_turn(one.id, 3, TurnState.FAILED, error="no room")
    conversations.interrupt()
    turns = conversations.turns(one.id)
    assert [turn.state for turn in turns] == ["answered", "stopped", "failed", "interrupted"]
    assert [turn.answer and turn.answer.text for turn in turns] == ["Because it is so.", None, None, None]
    written = [None, "Because 2 and", "Because 3", "Because 4"]
    assert [turn.partial and turn.partial.text for turn in turns] == written
    assert conversations.progress(one.id) == (((1, 1),) * 4, 0)
    # A follow-up question is read with what a person could read.
    texts = ["Because it is so.", *written[1:]]
    assert [exchange.answer for exchange in conversations.history(one.id)] == texts
    # An answer that goes on after its question has ended changes nothing.
    conversations.write_partial(one.id, 4, record("Because 4 and more"))
    assert conversations.turns(one.id)[3].partial == record("Because 4")


def test_threads_and_processes_share_the_file(tmp_path: Path) -> None:
    conversations = Conversations(StateDatabase(tmp_path / STATE_FILE))
    one = conversations.create()
    script = (
        "import sys; from pathlib import Path; from rag_app.history.conversations import Conversations; "
        "from rag_app.history.database import StateDatabase\n"
        "c = Conversations(StateDatabase(Path(sys.argv[1])))\n"
        "for n in range(20): c.begin_turn(sys.argv[2], f'process {n}')"
    )
    process = fork_server().start([tmp_path / STATE_FILE, one.id], code=script)
    threads = [
        threading.Thread(target=lambda: [conversations.begin_turn(one.id, "thread") for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.wait(60) == 0
    assert [turn.number for turn in conversations.turns(one.id)] == list(range(1, 61))


def test_a_damaged_file_is_named_and_loses_no_answer(own: Path) -> None:
    (own / STATE_FILE).write_bytes(b"no database at all, but long enough to be read as one" * 20)
    with pytest.raises(LibraryError, match=f"{STATE_FILE}.*move the file away"):
        Conversations(StateDatabase(own / STATE_FILE)).list()
    with Assistant.open(load_settings(data_dir=own)) as assistant:
        answer = ask(assistant, APPLE, AskOptions(llm="extractive"))
    assert "1921" in answer.text
    assert answer.receipt_id is None
    assert "could not be kept" in answer.flags[-1]


def test_no_word_of_a_deleted_conversation_is_left(assistant: Assistant, own: Path) -> None:
    answer = ask(assistant, "Zanzibar: " + APPLE, EXTRACTIVE)
    assert answer.conversation_id
    held = b"".join(file.read_bytes() for file in own.glob(f"{STATE_FILE}*"))
    assert b"Zanzibar" in held
    assistant.conversations.delete(answer.conversation_id)
    held = b"".join(file.read_bytes() for file in own.glob(f"{STATE_FILE}*"))
    assert b"Zanzibar" not in held
    assert b"1921" not in held
    assert assistant.receipts.list() == []


def test_a_follow_up_is_condensed_searched_for_and_kept(assistant: Assistant) -> None:
    first = ask(assistant, "Where does the Bramley apple tree stand?", EXTRACTIVE)
    options = replace(EXTRACTIVE, conversation=first.conversation_id)
    events = list(assistant.stream("Who planted it?", options))
    assert isinstance(events[0], QuestionRewritten)
    assert isinstance(events[1], PassagesFound)
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.question == "Who planted it?"
    assert answer.standalone_question == events[0].question == "Who planted the Bramley apple tree?"
    assert "Ada Finch" in answer.text
    assert "condense" in answer.timings_ms
    turns = assistant.conversations.turns(str(first.conversation_id))
    assert [turn.question for turn in turns] == [first.question, "Who planted it?"]
    assert turns[1].standalone == answer.standalone_question
    assert turns[1].receipt == answer.receipt_id
    # What a person says it means comes first.
    edited = ask(assistant, "And then?", replace(options, standalone="When does the Conference pear ripen?"))
    assert "October" in edited.text
    assert edited.standalone_question == "When does the Conference pear ripen?"


def test_a_question_that_stands_by_itself_stays_as_it_is(assistant: Assistant) -> None:
    first = ask(assistant, "When does the Conference pear ripen?", EXTRACTIVE)
    second = ask(assistant, APPLE, replace(EXTRACTIVE, conversation=first.conversation_id))
    assert second.standalone_question is None
    assert "1921" in second.text


def test_a_question_is_answered_once_more_as_it_was_understood_then(assistant: Assistant) -> None:
    first = ask(assistant, "Where does the Bramley apple tree stand?", EXTRACTIVE)
    options = replace(EXTRACTIVE, conversation=first.conversation_id)
    follow_up = ask(assistant, "Who planted it?", options)
    ask(assistant, "When does the Conference pear ripen?", options)
    again = replace(options, strategy="bm25", turn=2)
    running = assistant.answers.start("Who planted it?", again)
    assert running.wait_for_end(60)
    identity = str(first.conversation_id)
    turns = assistant.conversations.turns(identity)
    assert [(turn.variant, turn.variants) for turn in turns] == [(1, 1), (2, 2), (1, 1)]
    assert turns[1].answer
    assert (turns[1].answer.strategy, turns[1].state) == ("bm25", TurnState.ANSWERED)
    # Not after the pear: what stands behind the question plays no part.
    assert turns[1].standalone == follow_up.standalone_question == "Who planted the Bramley apple tree?"
    assert turns[1].receipt not in (None, follow_up.receipt_id)
    service = LocalService(assistant)
    shown = service.conversation(identity).turns[1]
    assert [one.variant for one in shown.all_variants] == [1, 2]
    assert [one.receipt_id for one in shown.all_variants] == [follow_up.receipt_id, turns[1].receipt]
    markdown = assistant.conversation_markdown(identity)
    assert markdown.index("### Answer 1 of 2\n") < markdown.index("### Answer 2 of 2, chosen\n")
    assert markdown.count("Who planted it?") == 1


def test_a_stopped_question_and_a_failed_one_are_kept_as_such(assistant: Assistant) -> None:
    with closing(assistant.stream(APPLE, EXTRACTIVE)) as events:
        next(events)
    (one,) = assistant.conversations.list()
    assert [turn.state for turn in assistant.conversations.turns(one.id)] == [TurnState.STOPPED]
    with pytest.raises(InvalidInput):
        ask(assistant, "?!", replace(EXTRACTIVE, conversation=one.id))
    failed = assistant.conversations.turns(one.id)[1]
    assert failed.state is TurnState.FAILED
    assert failed.error


def test_wrong_options_begin_no_conversation(assistant: Assistant) -> None:
    with pytest.raises(UnknownName):
        ask(assistant, APPLE, replace(EXTRACTIVE, strategy="nonsense"))
    with pytest.raises(UnknownName, match="conversation"):
        ask(assistant, APPLE, replace(EXTRACTIVE, conversation="nonsense"))
    assert assistant.conversations.list() == []


def test_receipts_can_be_switched_off(data: Path) -> None:
    with Assistant.open(load_settings(data_dir=data, keep_receipts=False)) as assistant:
        before = len(assistant.receipts.list())
        assert ask(assistant, APPLE, AskOptions(llm="extractive")).receipt_id is None
        assert len(assistant.receipts.list()) == before


@pytest.mark.parametrize("served", [False, True])
def test_commands_talk_replay_and_export(
    data: Path, run: Command, tmp_path: Path, served: bool, request: pytest.FixtureRequest
) -> None:
    if served:
        context = serving(data)
        context.__enter__()
        request.addfinalizer(lambda: context.__exit__(None, None, None))

    def command(*arguments: object) -> dict[str, object]:
        done = run("--data-dir", data, *arguments, "--json")
        assert done.code == 0, done.err
        return dict(json.loads(done.out))

    first = command(
        "ask", "Where does the Bramley apple tree stand?", "--conversation", "new", "--llm", "extractive"
    )
    identity = str(first["conversation_id"])
    second = command("ask", "Who planted it?", "--conversation", identity, "--llm", "extractive")
    assert second["standalone_question"] == "Who planted the Bramley apple tree?"
    assert identity in json.dumps(command("conversations"))
    for words, many in (("TREE finch", 1), ("zzz", 0)):
        assert len(command("conversations", "--search", words)["conversations"]) == many  # type: ignore[arg-type]
    none = run("--data-dir", data, "conversations", "list", "--search", "zzz").out
    assert "No conversation has these words" in none
    found = command("conversations", "show", identity)
    assert "nonce" not in found
    assert [turn["number"] for turn in found["turns"]] == [1, 2]  # type: ignore[attr-defined]
    again = command("replay", second["receipt_id"])
    assert (again["same"], again["differences"]) == (True, [])
    receipt = run("--data-dir", data, "receipts", second["receipt_id"])
    fields = json.loads(receipt.out)
    assert fields["evidence"][0]["spans"]
    assert fields["llm"]["name"] == "extractive"
    assert set(fields["llm"].values()) == {"extractive", None}
    exported = run("--data-dir", data, "conversations", "export", identity, "--to", tmp_path / "talk.md")
    assert exported.code == 0, exported.err
    text = (tmp_path / "talk.md").read_text("utf-8")
    assert "Who planted it?" in text
    assert "Ada Finch" in text
    page = run("--data-dir", data, "conversations", "export", identity, "--format", "html").out
    assert page.startswith("<!doctype html>")
    assert "Ada Finch" in page
    assert command("conversations", "rename", identity, "Trees")
    assert "Trees" in run("--data-dir", data, "conversations").out
    assert run("--data-dir", data, "conversations", "delete", identity).code == 2  # nobody can be asked
    assert command("conversations", "delete", identity, "--yes")
    assert run("--data-dir", data, "conversations", "show", identity).code == 2
    assert run("--data-dir", data, "replay", second["receipt_id"]).code == 2


def test_replay_packs_as_much_as_was_packed_then(data: Path) -> None:
    options = AskOptions(llm="extractive")
    with Assistant.open(load_settings(data_dir=data, evidence_tokens=50)) as assistant:
        first = ask(assistant, APPLE, options)
    with Assistant.open(load_settings(data_dir=data, evidence_tokens=5000)) as assistant:
        assert LocalService(assistant).replay(str(first.receipt_id)).same
        assert ask(assistant, APPLE, options).evidence != first.evidence


@pytest.mark.soak
def test_an_answer_that_changes_is_told_by_replay(stock: Path, tmp_path: Path, run: Command) -> None:
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs" / "orchard.md"
    document.write_bytes((stock / "orchard.md").read_bytes())
    base = ("--data-dir", tmp_path / "data")
    assert run(*base, "ingest", document).code == 0
    answer = json.loads(run(*base, "ask", APPLE, "--llm", "extractive", "--json").out)
    assert run(*base, "replay", answer["receipt_id"]).code == 0
    document.write_text(document.read_text("utf-8").replace("1921", "1922"), "utf-8")
    assert run(*base, "ingest", document).code == 0
    again = run(*base, "replay", answer["receipt_id"])
    assert again.code == 1
    assert "the prompt held different evidence" in again.out
    assert "1922" in again.out


def test_a_model_condenses_and_replay_repeats_its_words(assistant: Assistant, gguf: Path) -> None:
    options = replace(EXTRACTIVE, llm=str(gguf))
    first = ask(assistant, "Where does the Bramley apple tree stand?", options)
    second = ask(assistant, "Who planted it?", replace(options, conversation=first.conversation_id))
    assert second.standalone_question == "Who planted the Bramley apple tree?"  # it wrote nonsense
    receipt = assistant.receipts.get(str(second.receipt_id))
    generator = receipt.record.generator
    assert generator.sha256 is not None
    assert len(generator.sha256) == 64
    assert generator.sampling is not None
    assert generator.sampling.temperature == 0.0
    # The conversation's fences stay, and evidence that was there before comes first.
    assert receipt.record.nonce == assistant.conversations.get(str(first.conversation_id)).nonce
    again = LocalService(assistant).replay(str(second.receipt_id))
    assert (again.same, again.differences) == (True, ())
    # What this call alone was made with is repeated too.
    call = CallOptions(max_tokens=3, temperature=1.0, seed=7, thinking=True)
    short = assistant.ask(APPLE, replace(options, conversation=None), call_config(UsageTracker(), call))
    kept = assistant.receipts.get(str(short.receipt_id)).record.generator
    assert kept.sampling is not None
    assert (kept.max_tokens, kept.thinking, kept.sampling.seed) == (3, True, 7)
    assert LocalService(assistant).replay(str(short.receipt_id)).same


@pytest.mark.parametrize("method", ["create", "begin_turn", "end_turn"])
def test_a_history_that_cannot_be_written_takes_no_answer_away(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DiskFull("No space left on the disk of /data")

    monkeypatch.setattr(Conversations, method, full)
    answer = ask(assistant, APPLE, EXTRACTIVE)
    assert "1921" in answer.text
    assert any("could not be kept" in flag for flag in answer.flags), answer.flags


def test_a_full_disk_is_told_with_what_to_do(
    conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    conversations.create()
    monkeypatch.setattr("rag_app.history.database.sqlite3.connect", full)
    with pytest.raises(DiskFull, match=r"cannot be written: No space left .* or free 20 MB"):
        conversations.create()
