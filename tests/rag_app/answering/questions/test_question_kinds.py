"""Which questions are small talk or about the library itself, and that others are for the documents."""

from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.answering.answers import REPLY, Answer, AskOptions, PassagesFound
from rag_app.answering.questions.library_questions import PATTERNS
from rag_app.answering.questions.phrases import PHRASES
from rag_app.answering.questions.question_kinds import QuestionKind as Kind
from rag_app.answering.questions.question_kinds import is_small_talk, kind_of
from rag_app.answering.replies.library import CATALOGUE, OF_LIBRARY
from rag_app.answering.replies.small_talk import SMALL_TALK
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command

SMALL = [
    ("thanks", Kind.THANKS, "en"), ("Thank you very much!", Kind.THANKS, "en"), ("ok", Kind.OK, "en"),
    ("OK", Kind.OK, "en"), ("Ok, thanks 😀", Kind.THANKS, "en"), ("no", Kind.OK, "en"), ("👍", Kind.OK, "en"),
    ("🙏🏽", Kind.OK, "en"), ("Got it.", Kind.OK, "en"), ("Great, thanks a lot!", Kind.THANKS, "en"),
    ("hello", Kind.GREETING, "en"), ("Hi there!", Kind.GREETING, "en"),
    ("How are you?", Kind.WELLBEING, "en"),
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
    ("hellooo", Kind.GREETING, "en"), ("helo!", Kind.GREETING, "en"), ("hey 👋", Kind.GREETING, "en"),
    ("HELLO", Kind.GREETING, "en"), ("hi!!! 😀😀", Kind.GREETING, "en"), ("yo", Kind.GREETING, "en"),
    ("hi, how are you?", Kind.WELLBEING, "en"), ("What's up?", Kind.WELLBEING, "en"),
    ("how r u", Kind.WELLBEING, "en"), ("Are you there?", Kind.TEST, "en"), ("test", Kind.TEST, "en"),
    ("Testing, testing, 1 2 3", Kind.TEST, "en"), ("does this work?", Kind.TEST, "en"),
    ("ping", Kind.TEST, "en"), ("Who made you?", Kind.MAKER, "en"), ("who built you", Kind.MAKER, "en"),
    ("sorry", Kind.SORRY, "en"), ("oops, my bad", Kind.SORRY, "en"), ("good job!", Kind.PRAISE, "en"),
    ("Well done 👏", Kind.PRAISE, "en"), ("you're the best", Kind.PRAISE, "en"), ("lol", Kind.OK, "en"),
    ("hahaha 😂", Kind.OK, "en"), ("never mind", Kind.OK, "en"), ("Nevermind.", Kind.OK, "en"),
    ("hmm", Kind.OK, "en"), ("thanx", Kind.THANKS, "en"), ("thaaanks!!", Kind.THANKS, "en"),
    ("thankyou", Kind.THANKS, "en"), ("ty", Kind.THANKS, "en"), ("great job, thank you", Kind.THANKS, "en"),
    ("what is this?", Kind.WHO, "en"), ("are you ChatGPT?", Kind.WHO, "en"),
    ("what does this app do?", Kind.ABILITIES, "en"), ("good night!", Kind.GOODBYE, "en"),
    ("Wie geht's?", Kind.WELLBEING, "de"), ("Wer hat dich gemacht?", Kind.MAKER, "de"),
    ("Gut gemacht!", Kind.PRAISE, "de"), ("Tut mir leid", Kind.SORRY, "de"),
    ("Bist du da?", Kind.TEST, "de"), ("Ça va ?", Kind.WELLBEING, "fr"), ("Désolé", Kind.SORRY, "fr"),
    ("Qui t'a créé ?", Kind.MAKER, "fr"), ("¿Qué tal?", Kind.WELLBEING, "es"),
    ("Lo siento", Kind.SORRY, "es"), ("Buen trabajo", Kind.PRAISE, "es"),
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
    ("hi, what documents do you have?", Kind.LIST, "en"), ("Hello! What files are there?", Kind.LIST, "en"),
    ("How big is the library?", Kind.SIZE, "en"), ("how large is this collection", Kind.SIZE, "en"),
    ("How many pages are there in total?", Kind.PAGES, "en"),
    ("How many pages are there in all?", Kind.PAGES, "en"),
    ("how many pages do you have", Kind.PAGES, "en"),
    ("What is the newest file?", Kind.NEWEST, "en"), ("What is the oldest document?", Kind.OLDEST, "en"),
    ("Which document is the longest?", Kind.LONGEST, "en"), ("What is the largest file?", Kind.LONGEST, "en"),
    ("Wie groß ist die Bibliothek?", Kind.SIZE, "de"), ("Wie viele Seiten gibt es?", Kind.PAGES, "de"),
    ("Combien de pages y a-t-il en tout ?", Kind.PAGES, "fr"), ("¿Cuántas páginas hay?", Kind.PAGES, "es"),
]  # fmt: skip
# The kind, and what the question names; whether the documents have it decides.
OF_NAMED = [
    ("Which file mentions fluoride?", Kind.MENTIONS, "fluoride"),
    ("Which documents talk about the roof?", Kind.MENTIONS, "the roof"),
    ("which docs mention Siemens", Kind.MENTIONS, "Siemens"),
    ("Which document describes the roof?", Kind.MENTIONS, "the roof"),
    ("What documents are about solar power?", Kind.MENTIONS, "solar power"),
    ("In which document is the janitor mentioned?", Kind.MENTIONS, "the janitor"),
    ("In which files is fluoride mentioned?", Kind.MENTIONS, "fluoride"),
    ("Where is the janitor mentioned?", Kind.MENTIONS, "the janitor"),
    ("Is fluoride mentioned anywhere?", Kind.MENTIONS, "fluoride"),
    ("Do any documents mention a rebate?", Kind.MENTIONS, "a rebate"),
    ("List all documents that mention water", Kind.MENTIONS, "water"),
    ("Which reports mention the lift?", Kind.MENTIONS, "the lift"),
    ('Which documents contain the word "rebate"?', Kind.MENTIONS, "rebate"),
    ("Do you have anything about water?", Kind.ABOUT, "water"),
    ("hi, do you have anything about lifts?", Kind.ABOUT, "lifts"),
    ("Is there anything on roofs?", Kind.ABOUT, "roofs"),
    ("What do you have about roofs?", Kind.ABOUT, "roofs"),
    ("What documents do you have about pears?", Kind.ABOUT, "pears"),
    ("Do you know anything about tides?", Kind.ABOUT, "tides"),
    ("How many pages does roof-report.txt have?", Kind.PAGES, "roof-report.txt"),
    ("How many pages does the manual have?", Kind.PAGES, "the manual"),
    ("How many pages are in the lift contract?", Kind.PAGES, "the lift contract"),
    ("How long is the lift contract?", Kind.PAGES, "the lift contract"),
    ("Is there a document called roof report?", Kind.EXISTS, "roof report"),
    ("Is there a file named roof.pdf?", Kind.EXISTS, "roof.pdf"),
    ("Do you have roof-report.txt?", Kind.EXISTS, "roof-report.txt"),
    ("What language is the roof report in?", Kind.LANGUAGE, "the roof report"),
    ("In which language is roof-report.txt written?", Kind.LANGUAGE, "roof-report.txt"),
    ("Welche Dokumente erwähnen Fluorid?", Kind.MENTIONS, "Fluorid"),
    ("Wo wird der Hausmeister erwähnt?", Kind.MENTIONS, "der Hausmeister"),
    ("Hast du etwas über Birnen?", Kind.ABOUT, "Birnen"),
    ("Gibt es ein Dokument namens roof-report.txt?", Kind.EXISTS, "roof-report.txt"),
    ("Quels documents parlent de poires ?", Kind.MENTIONS, "poires"),
    ("Avez-vous quelque chose sur le toit ?", Kind.ABOUT, "le toit"),
    ("¿Qué documentos mencionan el tejado?", Kind.MENTIONS, "el tejado"),
    ("¿Hay algo sobre peras?", Kind.ABOUT, "peras"),
]
FOR_THE_DOCUMENTS = [
    "How many documents are required for a visa?", "What documents do I need to submit?",
    "What files does the installer write?", "Which documents are in the annex?",
    "Which documents do I have to sign?", "What documents do you have to bring to the interview?",
    "How many files does the backup keep?",
    "How many documents did the court review?", "Which documents are mentioned in the contract?",
    "Which files are deleted by the update?", "How many books are in the library?",
    "When was the library built?", "When was fluoride discovered?", "List the documents that a visa needs",
    "Show me the file format of the export", "What is the latest document on pricing?",
    "What is the newest model of the pump?",
    "Who are the tenants?", "Who are you allowed to call?",
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
    "How many pages does the application form need?", "How many pages may the essay fill?",
    "How many pages does it have?", "How many pages must the tenant sign?",
    "Which file does the daemon write?", "Which file contains the passwords?",
    "Which files does the update delete?", "Which documents are needed for the visa?",
    "Which document must be signed first?", "Which documents does the court review?",
    "Which document proves the identity of a buyer?", "Where are the documents kept?",
    "Where is the janitor?", "Who mentions the roof?", "When is the rebate mentioned in the speech?",
    "What did the witness say about the roof?", "What is the size of the pump?",
    "How big is the reactor?", "How large is the collection of stamps?", "How long does the contract run?",
    "How long may a guest stay?", "What is the latest version of the manual?",
    "What is the oldest tree in the orchard?", "What is the longest bridge?",
    "What language do they speak?", "Who wrote Hamlet?", "Is there a penalty for late payment?",
    "Is there a document that the tenant must sign?", "Is there a report due each year?",
    "Do documents have to be signed?", "Does the contract mention a fee?",
    "Does the report say who paid?", "What does the report say about the roof?",
    "Is the fee mentioned in the contract refundable?", "What information about the patient is kept?",
    "What is known about dark matter?", "test results of sample 4", "Test the pump how often?",
    "What is a test?", "testing procedure for lifts", "sorry is spelled how?", "Who made the roof?",
    "Who built the bridge?", "Who created ColBERT?", "Good job offers in Berlin",
    "ping timeout of the router", "exactly how many votes?", "correct dosage", "interesting findings",
    "Wie viele Seiten braucht der Antrag?", "Welche Dokumente sind im Anhang?", "Wer hat das Haus gebaut?",
    "Wie groß ist der Garten?", "Was steht über Birnen im Vertrag?", "Test der Pumpe",
    "Quels documents sont nécessaires ?", "Combien de pages faut-il remplir ?", "Qui a créé ColBERT ?",
    "Quelle est la taille du jardin ?", "Le test de la pompe", "¿Qué documentos hacen falta?",
    "¿Cuántas páginas hay que rellenar?", "¿Quién creó el parque?", "¿Qué tamaño tiene el jardín?",
    "prueba de la bomba", "Quali documenti servono per il visto?", "Quanti file scrive il programma?",
    "Chi ha costruito il ponte?", "Grazie a chi è nato?", "Come funziona la pompa?",
    "Welke documenten zijn nodig?", "Hoeveel bestanden schrijft het programma?", "Wie is de eigenaar?",
    "Hoe werkt de pomp?", "Dank aan wie?", "Que documentos são necessários?",
    "Quantos arquivos grava o programa?", "Quem construiu a ponte?", "Como funciona a bomba?",
    "Obrigado por quem?", "Hvilke dokumenter kræves?", "Hvor mange filer skriver programmet?",
    "Hvem ejer huset?", "Hvordan virker pumpen?", "Tak til hvem?", "Vilka dokument krävs?",
    "Hur många filer skriver programmet?", "Vem äger huset?", "Hur fungerar pumpen?", "Tack vare vem?",
    "Hvilke dokumenter kreves?", "Hvor mange filer lager programmet?", "Hvem eier huset?",
    "Takk til hvem?", "Hvordan virker pumpa?", "Какие документы нужны для визы?",
    "Сколько файлов пишет программа?", "Кто построил мост?", "Как работает насос?", "Спасибо кому?",
    "Hangi belgeler gerekli?", "Program kaç dosya yazar?", "Köprüyü kim yaptı?", "Pompa nasıl çalışır?",
    "Kime teşekkürler?",
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


@pytest.mark.parametrize(("question", "kind", "name"), OF_NAMED)
def test_what_a_question_about_the_library_names(question: str, kind: Kind, name: str) -> None:
    asked = kind_of(question)
    assert asked is not None
    assert (asked.kind, asked.name) == (kind, name)
    assert not is_small_talk(question)


def test_every_language_has_every_reply() -> None:
    small = {kind.value for kind in Kind if kind.is_small_talk}
    assert PHRASES.keys() == SMALL_TALK.keys() == OF_LIBRARY.keys() == PATTERNS.keys()
    assert SMALL_TALK["en"].keys() == small
    for language, replies in SMALL_TALK.items():
        assert PHRASES[language].keys() == {*replies.keys(), "filler"}
        assert replies.keys() >= {"thanks", "ok", "greeting", "goodbye", "who", "abilities"}
    usual = {"list", "count", "newest", "added"}
    for language, kinds in PATTERNS.items():
        assert kinds.keys() <= usual or CATALOGUE[language].keys() == CATALOGUE["en"].keys()


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


def test_documents_that_mention_something_are_cited(assistant: Assistant) -> None:
    answer = assistant.ask("Which file mentions fluoride?", AskOptions())
    assert answer.text == "“fluoride” is mentioned in 1 document:\n\n- fluoride.txt, page 1 [1]"
    assert [(one.marker, one.document, one.page) for one in answer.citations] == [(1, "fluoride.txt", 1)]
    assert answer.citations[0].quote == NOTES["fluoride.txt"]
    assert answer.nearest == (answer.evidence[0].hit,)
    two = assistant.ask("Welche Dokumente erwähnen the?", AskOptions())
    assert two.strategy != REPLY  # names nothing
    none = assistant.ask("Which documents mention penguins?", AskOptions())
    assert none.text == "None of the 3 documents here mentions “penguins”."
    assert not none.abstained
    assert assistant.ask("Do you have anything about penguins?", AskOptions()).strategy != REPLY
    german = assistant.ask("Welche Dokumente erwähnen fluoride?", AskOptions()).text
    assert german.startswith("„fluoride“ kommt in 1 Dokument vor:")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How many pages are there in all?", "There are 3 pages in 3 documents."),
        ("How big is the library?", "The library has 3 documents with 3 pages and 3 passages of text."),
        ("How many pages does the roof report have?", "roof-report.txt has 1 page."),
        ("How long is lift-contract.txt?", "lift-contract.txt has 1 page."),
        ("What language is the lift contract in?", "lift-contract.txt is in English."),
        ("Is there a document called budget.xlsx?", "No, there is no document called “budget.xlsx” here."),
        ("¿Cuántas páginas tiene fluoride.txt?", "fluoride.txt tiene 1 página."),
    ],
)
def test_questions_about_documents(assistant: Assistant, question: str, said: str) -> None:
    assert assistant.ask(question, AskOptions()).text == said


def test_a_question_about_a_document_may_follow_up(assistant: Assistant) -> None:
    first = assistant.ask("Is there a document called roof-report.txt?", AskOptions(conversation="new"))
    assert first.text.startswith("Yes: roof-report.txt, 1 page, added on 20")
    options = AskOptions(conversation=first.conversation_id)
    second = assistant.ask("How many pages does it have?", options)
    assert second.text == "roof-report.txt has 1 page."
    assert second.standalone_question == "How many pages does roof-report.txt have?"


@pytest.mark.parametrize(
    "question",
    [
        "How many pages does the visa form have?",
        "How long is the bridge?",
        "Do you have a dog?",
        "Is the lift known?",
    ],
)
def test_what_no_document_is_called_is_searched_for(assistant: Assistant, question: str) -> None:
    assert assistant.ask(question, AskOptions()).strategy != REPLY


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
