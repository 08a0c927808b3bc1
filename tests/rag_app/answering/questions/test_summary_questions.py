"""Which questions ask for a summary, and of what."""

from dataclasses import replace

import pytest

from ingestion.documents import Status
from ingestion.storage.catalogue.records import Document
from rag_app.answering.answers import AskOptions, Exchange
from rag_app.answering.questions.summary_questions import (
    SummaryTarget,
    documents_meant,
    subject_of,
    to_summarise,
)

AT_HAND = """
Summarise this document
Summarize this document.
summarise this
Please summarise the document
Can you summarize this PDF for me?
Could you please summarise these documents?
Summarise everything
Summarise this library in five sentences
summarize the attached file in 100 words
Sum up this report, please
tl;dr
TLDR
tl;dr of this document
Give me an overview of this library
give me a short summary
Give me a brief summary of this paper
Write a concise summary of the collection
Show me a quick overview of my documents
A summary of all documents
an overview of the library, please
What is this about?
What's this all about?
What is this document about?
What is this library about?
what are these documents about
What are all of these files about?
What is the collection about?
what's in this library?
What is in these documents?
What does this document cover?
What do these reports deal with?
What are the main points of this document?
List the key takeaways from this report
Tell me what this document is about
What is the document about?
I'd like you to summarise my documents
Hello, please summarise this document briefly
Fasse dieses Dokument zusammen
Fass das bitte zusammen
Kannst du mir dieses Dokument kurz zusammenfassen?
Gib mir einen Überblick über diese Bibliothek
Gib mir eine kurze Zusammenfassung der Dokumente
Worum geht es in diesem Dokument?
Worum geht's hier?
Wovon handeln diese Dokumente?
Résume ce document
Résumez-moi ce rapport, s'il vous plaît
Fais-moi un résumé de ce document
De quoi parle ce document ?
De quoi parlent ces documents ?
Resume este documento
Hazme un resumen de este documento, por favor
¿De qué trata este documento?
¿De qué tratan estos documentos?
""".strip().splitlines()

OTHERS = """
What is photosynthesis?
What is photosynthesis about?
Summarise the revenue recognition policy
Summarise this document's section on risk
What is the summary judgment standard?
What does this document say about tides?
What does the report cover in chapter three?
What is in the cellar?
What's in a name?
When was the Bramley apple tree planted?
Who wrote this document?
How long is this document?
Is this document about bridges?
What about the ferry?
What is the main point of entry to the harbour?
What are the key findings?
What was the company's revenue in 2020?
Give me the date of the repair
Give an overview of the tidal power industry in Europe
Which documents are about tides?
List the documents that mention the crane
What is the difference between a summary and an abstract?
outline the steps to replace the cable
resume writing tips
Resume the download
Overview of Python decorators
Explain the summary statistics in table 3
What is it made of?
What are they talking about when they mention the north wall?
Show me where this is described
Worum ging es beim Streit um den Kran?
Was steht auf Seite 3?
Fasse den Abschnitt über Birnen zusammen
Quel est le résumé des ventes de 2020 ?
¿Cuál es el resumen de ingresos?
Find the summary
Does this document have a summary?
Summary of changes in version 2
Translate this document
Compare these documents
What does everything cost?
""".strip().splitlines()


def document(name: str, *, title: str | None = None) -> Document:
    return Document(
        id=f"id-{name}", collection="default", collection_id=1, name=name, path=f"/files/{name}", title=title,
        sha256=name, bytes=1, status=Status.OK, error=None, pages=1, pages_failed=0, chunks=1, version=1,
        chunker=3, language="en", added="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


ORCHARD = document("orchard.md", title="Orchard notes")
HARBOUR = document("harbour_log.pdf")
REPORTS = [document("Acme annual report 2020.pdf"), document("Acme annual report 2021.pdf")]
BLOCK = document("BLOCK_2020_10K.pdf")
MARKET = document("european-market-study.pdf", title="The European market for tidal power")
SEVERAL = [ORCHARD, HARBOUR, *REPORTS, BLOCK, MARKET]


def meant(question: str, documents: list[Document] = SEVERAL) -> list[Document] | None:
    subject = subject_of(question)
    return None if subject is None else documents_meant(subject, documents)


def wants_summary(question: str) -> bool:
    """Whether a question asks for a summary without naming a document."""
    subject = subject_of(question)
    return subject is not None and subject.meant is not SummaryTarget.NAMED


@pytest.mark.parametrize("question", AT_HAND)
def test_what_is_at_hand_is_to_be_summarised(question: str) -> None:
    assert wants_summary(question)
    assert meant(question, [ORCHARD]) == [ORCHARD]


@pytest.mark.parametrize("question", OTHERS)
def test_other_questions_stay_questions(question: str) -> None:
    assert not wants_summary(question)
    assert meant(question) is None
    assert meant(question, [HARBOUR]) is None


@pytest.mark.parametrize(
    ("question", "documents"),
    [
        ("Summarise orchard.md", [ORCHARD]),
        ("summarise the orchard notes", [ORCHARD]),
        ("What are the orchard notes about?", [ORCHARD]),
        ("Give me a summary of harbour_log.pdf", [HARBOUR]),
        ("What is the harbour log about?", [HARBOUR]),
        ("What is the 2020 annual report about?", REPORTS[:1]),
        ("Can you summarise the Acme annual reports?", None),  # "reports" is no word of a name
        ("Summarise the Acme annual report", REPORTS),
        ("what is Block's 2020 10-K about?", [BLOCK]),
        ("tl;dr of the Block 10K", [BLOCK]),
        ("What is the European market about?", [MARKET]),
        ("What is the market about?", None),
        ("Fasse harbour_log.pdf zusammen", [HARBOUR]),
        ("De quoi parle orchard.md ?", [ORCHARD]),
        ("What is /files/harbour_log.pdf about?", [HARBOUR]),
    ],
)
def test_a_document_is_named_by_its_name_or_title(question: str, documents: list[Document] | None) -> None:
    assert not wants_summary(question)
    assert meant(question) == documents


def test_of_several_documents_this_means_none_and_this_document_all() -> None:
    assert meant("What is this about?") is None
    assert meant("Summarise this document") == SEVERAL
    assert meant("What is the book about?") is None  # a book that documents speak of
    assert meant("What are these documents about?") == SEVERAL
    assert meant("tl;dr", []) is None


def test_options_are_narrowed_to_what_is_named() -> None:
    options = AskOptions(top_k=3)
    narrowed = to_summarise("Summarise the harbour log", options, lambda: SEVERAL)
    assert narrowed == replace(options, filters=replace(options.filters, documents=(HARBOUR.id,)))
    assert to_summarise("What is this library about?", options, lambda: SEVERAL) is options

    def never() -> list[Document]:
        raise AssertionError("the documents are not looked at for such a question")

    assert to_summarise("When did the ferry sail?", options, never) is None


def test_in_a_conversation_this_may_be_what_was_said() -> None:
    options = AskOptions(history=(Exchange("When did the ferry sail?", "At noon."),))
    assert to_summarise("Summarise that", options, lambda: [ORCHARD]) is None
    assert to_summarise("Summarise this document", options, lambda: [ORCHARD]) is options
    edited = replace(options, standalone="Summarise this document")
    assert to_summarise("tl;dr", edited, lambda: [ORCHARD]) is edited


def test_what_is_meant_is_told_apart() -> None:
    kinds = {
        "Summarise this": SummaryTarget.IT,
        "Summarise this file": SummaryTarget.DOCUMENT,
        "Summarise these files": SummaryTarget.ALL,
        "Summarise the orchard notes": SummaryTarget.NAMED,
    }
    for question, kind in kinds.items():
        subject = subject_of(question)
        assert subject is not None
        assert subject.meant is kind
