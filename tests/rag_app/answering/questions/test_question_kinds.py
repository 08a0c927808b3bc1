"""Which questions are small talk or about the library itself, and that others are for the documents."""

from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.answering.answers import Answer, AskOptions, PassagesFound
from rag_app.answering.questions.phrases import PHRASES
from rag_app.answering.questions.question_kinds import QuestionKind as Kind
from rag_app.answering.questions.question_kinds import is_small_talk, kind_of
from rag_app.answering.replies import OF_LIBRARY, SMALL_TALK
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command

SMALL = [
    ("thanks", Kind.THANKS, "en"), ("Thank you very much!", Kind.THANKS, "en"), ("ok", Kind.OK, "en"),
    ("OK", Kind.OK, "en"), ("Ok, thanks 😀", Kind.THANKS, "en"), ("no", Kind.OK, "en"), ("👍", Kind.OK, "en"),
    ("🙏🏽", Kind.OK, "en"), ("Got it.", Kind.OK, "en"), ("Great, thanks a lot!", Kind.THANKS, "en"),
    ("hello", Kind.GREETING, "en"), ("Hi there!", Kind.GREETING, "en"), ("How are you?", Kind.GREETING, "en"),
    ("Good morning everyone", Kind.GREETING, "en"), ("goodbye", Kind.GOODBYE, "en"),
    ("Bye, see you tomorrow!", Kind.GOODBYE, "en"), ("Who are you?", Kind.WHO, "en"),
    ("Hello! Who are you?", Kind.WHO, "en"), ("What’s your name?", Kind.WHO, "en"),
    ("what can you do", Kind.ABILITIES, "en"), ("Help", Kind.ABILITIES, "en"),
    ("What can I ask you?", Kind.ABILITIES, "en"), ("Danke!", Kind.THANKS, "de"),
    ("Vielen Dank für die Hilfe", Kind.THANKS, "de"), ("Wer bist du?", Kind.WHO, "de"),
    ("Was kannst du?", Kind.ABILITIES, "de"), ("Guten Morgen", Kind.GREETING, "de"),
    ("Auf Wiedersehen", Kind.GOODBYE, "de"), ("Merci beaucoup", Kind.THANKS, "fr"),
    ("D'accord", Kind.OK, "fr"), ("Qui êtes-vous ?", Kind.WHO, "fr"), ("Bonjour", Kind.GREETING, "fr"),
    ("¿Qué puedes hacer?", Kind.ABILITIES, "es"), ("Muchas gracias", Kind.THANKS, "es"),
    ("Adiós", Kind.GOODBYE, "es"), ("Grazie mille", Kind.THANKS, "it"), ("Chi sei?", Kind.WHO, "it"),
    ("Dank je wel", Kind.THANKS, "nl"), ("Wie ben jij?", Kind.WHO, "nl"), ("Obrigada", Kind.THANKS, "pt"),
    ("Tak for hjælpen", Kind.THANKS, "da"), ("Tack så mycket", Kind.THANKS, "sv"),
    ("Tusen takk", Kind.THANKS, "no"), ("Спасибо!", Kind.THANKS, "ru"), ("Кто ты?", Kind.WHO, "ru"),
    ("Teşekkürler", Kind.THANKS, "tr"),
]  # fmt: skip
OF_THE_LIBRARY = [
    ("What documents do you have?", Kind.LIST, "en"), ("what files do you have", Kind.LIST, "en"),
    ("Which files are in the library?", Kind.LIST, "en"), ("List all documents", Kind.LIST, "en"),
    ("Can you list all the documents, please?", Kind.LIST, "en"), ("Show me my files", Kind.LIST, "en"),
    ("Which documents have been uploaded?", Kind.LIST, "en"), ("What documents are there?", Kind.LIST, "en"),
    ("Which PDFs did I upload?", Kind.LIST, "en"), ("What documents can you search?", Kind.LIST, "en"),
    ("Give me a list of all documents in this collection", Kind.LIST, "en"),
    ("What are the names of the documents?", Kind.LIST, "en"),
    ("How many documents are there?", Kind.COUNT, "en"), ("How many files do you have?", Kind.COUNT, "en"),
    ("How many documents are in the library?", Kind.COUNT, "en"),
    ("how many documents have been indexed so far", Kind.COUNT, "en"),
    ("What is the newest document?", Kind.NEWEST, "en"),
    ("Which document was added last?", Kind.NEWEST, "en"),
    ("When was roof-report.txt added?", Kind.ADDED, "en"),
    ("When did I upload the roof report?", Kind.ADDED, "en"),
    ("Welche Dokumente hast du?", Kind.LIST, "de"), ("Wie viele Dokumente gibt es?", Kind.COUNT, "de"),
    ("Zeige mir alle Dateien", Kind.LIST, "de"),
    ("Wann wurde roof-report.txt hinzugefügt?", Kind.ADDED, "de"),
    ("Quels documents avez-vous ?", Kind.LIST, "fr"), ("Combien de documents y a-t-il ?", Kind.COUNT, "fr"),
    ("¿Qué documentos tienes?", Kind.LIST, "es"), ("¿Cuántos documentos hay?", Kind.COUNT, "es"),
    ("Quali documenti hai?", Kind.LIST, "it"), ("Quanti file ci sono?", Kind.COUNT, "it"),
    ("Welke documenten heb je?", Kind.LIST, "nl"), ("Quantos documentos há?", Kind.COUNT, "pt"),
    ("Hvilke dokumenter har du?", Kind.LIST, "da"), ("Vilka dokument finns?", Kind.LIST, "sv"),
    ("Какие документы есть?", Kind.LIST, "ru"), ("Hangi belgeler var?", Kind.LIST, "tr"),
]  # fmt: skip
FOR_THE_DOCUMENTS = [
    "How many documents are required for a visa?", "What documents do I need to submit?",
    "What files does the installer write?", "Which documents are in the annex?",
    "Which documents do I have to sign?", "What documents do you have to bring to the interview?",
    "What documents do you have about pears?", "How many files does the backup keep?",
    "How many documents did the court review?", "Which documents are mentioned in the contract?",
    "Which files are deleted by the update?", "How many books are in the library?",
    "When was the library built?", "When was fluoride discovered?", "List the documents that a visa needs",
    "Show me the file format of the export", "What is the latest document on pricing?",
    "What is the newest model of the pump?", "How many pages does the manual have?",
    "Which document describes the roof?", "Who are the tenants?", "Who are you allowed to call?",
    "What can you do with a visa?", "What do you do when the alarm rings?", "Help is given by whom?",
    "Who gives help on Mondays?", "Thanks to what is the price lower?", "Where does one say good morning?",
    "Hello and welcome is written where?", "Goodbye to Berlin: who wrote it?", "What does OK mean?",
    "Is it OK to park in the yard?", "thank you letter template", "hello world program in C",
    "Who is WHO?", "IT", "US", "WHO", "NO", "Perfect?", "Why?", "?", "…", "What is your refund policy?",
    "How are you insured against fire?", "Are you open on Sundays?", "How do you work with asbestos?",
    "Welche Dokumente brauche ich für ein Visum?", "Wie viele Dateien schreibt das Programm?",
    "Quels documents faut-il fournir ?", "¿Qué documentos necesito?", "Danke wofür?", "Wer bist du, Mond?",
    "Hi, where do I find the contract?", "Thanks. When does the contract end?", "Cool storage of pears",
    "No smoking", "Good night shift allowance", "What is the number of documents in the deposition?",
    "ok " * 40, "hello " * 500,
]  # fmt: skip


@pytest.mark.parametrize(("question", "kind", "language"), [*SMALL, *OF_THE_LIBRARY])
def test_what_is_asked_of_the_application_itself(question: str, kind: Kind, language: str) -> None:
    asked = kind_of(question)
    assert asked is not None
    assert (asked.kind, asked.language) == (kind, language)
    assert is_small_talk(question) == kind.is_small_talk


@pytest.mark.parametrize("question", FOR_THE_DOCUMENTS)
def test_what_is_asked_of_the_documents(question: str) -> None:
    assert kind_of(question) is None


def test_every_language_has_every_reply() -> None:
    small = {kind.value for kind in Kind if kind.is_small_talk}
    assert PHRASES.keys() == SMALL_TALK.keys() == OF_LIBRARY.keys()
    for language, replies in SMALL_TALK.items():
        assert replies.keys() == small
        assert PHRASES[language].keys() == {*small, "filler"}


NOTES = {
    "roof-report.txt": "The roof was inspected in May. Hello and welcome. Thanks to a rebate it was cheap.",
    "lift-contract.txt": "The lift is serviced twice a year. Help is given by the janitor on Mondays.",
    "fluoride.txt": "Fluoride was added to the water in 1962.",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Assistant:
    folder = tmp_path_factory.mktemp("notes")
    for name, text in NOTES.items():
        (folder / name).write_text(text, "utf-8")
    library = Library.open(folder / "data", encoder)
    assert {result.status for result in ingest(library, [folder / name for name in NOTES])} == {"ok"}
    return Assistant(Settings(data_dir=folder / "data"), library)


@pytest.mark.parametrize(
    "question", ["thanks", "ok", "hello", "goodbye", "who are you?", "what can you do?", "👍", "Danke"]
)
def test_small_talk_quotes_no_document(assistant: Assistant, question: str) -> None:
    *before, answer = assistant.stream(question, AskOptions())
    assert isinstance(before[0], PassagesFound)
    assert before[0].result.hits == ()
    assert isinstance(answer, Answer)
    assert not answer.abstained
    assert answer.citations == answer.evidence == answer.nearest == ()
    assert answer.text
    assert not any(text in answer.text for text in NOTES.values())


def test_questions_about_the_library(assistant: Assistant) -> None:
    listed = assistant.ask("What documents do you have?", AskOptions())
    assert listed.text == "There are 3 documents:\n\n- fluoride.txt\n- lift-contract.txt\n- roof-report.txt"
    assert listed.citations == ()
    assert assistant.ask("Wie viele Dokumente gibt es?", AskOptions()).text == "Es gibt 3 Dokumente."
    assert assistant.ask("How many PDFs are there?", AskOptions()).text == "There are 0 documents (PDF)."
    (day,) = {one.added[:10] for one in assistant.documents()}
    added = assistant.ask("When was the roof report added?", AskOptions()).text
    assert added.startswith("roof-report.txt was added on 20")
    assert abs(int(added[-3:-1]) - int(day[-2:])) in (0, 1, *range(27, 31))  # in local time
    assert "1962" in assistant.ask("When was fluoride added?", AskOptions()).text
    assert (
        "newest document is fluoride.txt" in assistant.ask("What is the newest document?", AskOptions()).text
    )


def test_long_lists_are_bounded(tmp_path: Path, encoder: Encoder) -> None:
    for number in range(53):
        (tmp_path / f"note-{number:02}.txt").write_text(f"Note {number}.", "utf-8")
    with Library.open(tmp_path / "data", encoder) as library:
        list(ingest(library, sorted(tmp_path.glob("*.txt"))))
        said = (
            Assistant(Settings(data_dir=tmp_path / "data"), library).ask("List all files", AskOptions()).text
        )
    assert said.startswith("There are 53 documents:\n\n- note-00.txt\n")
    assert said.count("\n- ") == 50
    assert said.endswith("… and 3 more. The library's page and `rag-app documents` list all of them.")


def test_the_command_line_says_it_too(data: Path, run: Command) -> None:
    told = run("--data-dir", data, "ask", "Thanks!", "--json")
    assert told.code == 0
    assert told.json["answer"].startswith("You're welcome.")
    assert told.json["citations"] == told.json["nearest"] == []
    shown = run("--data-dir", data, "ask", "Which files are in the library?", "--collection", "harbour")
    assert "There is 1 document:\n\n- harbour.pdf" in shown.out
    assert "Nothing found" not in shown.out
