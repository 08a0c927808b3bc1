"""What the MCP tools return: parts of the contract, with the descriptions that a model reads."""

from typing import Annotated

from pydantic import AfterValidator, Field

from ingestion.text.invisible import with_marked_tags
from rag_app.contract.answers import AnswerFields
from rag_app.contract.schema import Fields, source

# Text of a document, without the tags that a model reads and a person does not see.
DocumentText = Annotated[str, AfterValidator(with_marked_tags)]
# A field of a document; null where it is empty.
FieldText = Annotated[str | None, AfterValidator(lambda text: with_marked_tags(text) if text else None)]


class Passage(Fields):
    """A passage of a document, as it stands on its page."""

    rank: int
    document: str = Field(description="the document's name")
    document_id: str
    page: int = Field(description="from 1")
    heading: DocumentText | None
    text: DocumentText
    score: float


class Found(Fields):
    """Passages, best first."""

    strategy: str
    exact: bool = Field(description="whether no better passage can be missing")
    passages: list[Passage]
    warnings: list[str] = Field(description="what is damaged, and how to repair it")


class Cited(Fields):
    """A quotation that the answer rests on: exactly characters `start` to `end` of the page's text."""

    marker: int = Field(description="the n of [n] in the answer")
    document: str
    document_id: str
    page: int
    start: int
    end: int
    quote: DocumentText
    lines: str | None = Field(description="of source code: the lines of the file")


class Sentence(Fields):
    """A sentence of the answer, and whether the documents support it."""

    text: DocumentText
    verdict: str | None = Field(description="supported, weak or unsupported; null: not judged")
    markers: list[int]


class Answered(Fields):
    """An answer from the documents alone. Without one it says so and why (`abstained`); `citations` are then
    the closest passages, which do not answer, and `nearest` has all that were found."""

    answer: DocumentText
    abstained: bool
    outcome: str = Field(
        description="answered; related: passages are about the question, and none answers it; nothing: none "
        "is about it"
    )
    citations: list[Cited]
    sentences: list[Sentence]
    nearest: list[Passage] = Field(description="the nearest passages, where there is no answer")
    flags: list[str] = Field(
        description="what to be careful about, such as a document that gives instructions"
    )
    strategy: str
    llm: str

    @classmethod
    def of_answer(cls, answer: AnswerFields) -> "Answered":
        return cls.of(answer if answer.abstained else answer.model_copy(update={"nearest": ()}))


class Listed(Fields):
    """A document of the library."""

    document_id: str
    name: str
    label: str = Field(description="how search and ask name it: with folders where others have its name")
    names: list[str] = Field(description="its own and those of other files with the same bytes")
    collection: str
    title: FieldText = source("fields", "title", "value")
    organisation: FieldText = source("fields", "organisation", "value")
    period: FieldText = source("fields", "period", "value")
    type: FieldText = source("fields", "type", "value")
    pages: int
    language: str
    added: str = Field(description="UTC, ISO 8601")


class Documents(Fields):
    documents: list[Listed]
    more: int = Field(description="how many documents there are beyond those listed")


class PageText(Fields):
    """The text of one page."""

    document_id: str
    page: int
    label: str | None = Field(description="the page's number as printed, where the document says it")
    text: DocumentText


class Column(Fields):
    """A column of a table."""

    head: DocumentText
    period: DocumentText = Field(description="the date or time that its values are for")


class Row(Fields):
    """A row of a table."""

    label: DocumentText
    section: list[DocumentText] = Field(description="the labels that it stands under, outermost first")
    values: list[DocumentText | None] = Field(description="one a column; null: nothing")


class PageTable(Fields):
    """A table, as it stands on its page."""

    number: int = Field(description="among the tables of the page, from 1")
    title: DocumentText
    unit: str = Field(description="the scale of its amounts: thousand, million, billion, or empty")
    exempt: DocumentText = Field(description="what the unit is not for")
    currency: str
    label_head: DocumentText = Field(description="the head of the rows' labels")
    columns: list[Column]
    rows: list[Row]
    continues: bool = Field(description="whether it goes on with the table before it")


class PageTables(Fields):
    """The tables of one page."""

    document_id: str
    tables: list[PageTable]
    warnings: list[str] = Field(description="what may be missing, and how to get it")
