"""What the tools of the MCP server return: their schemas are what a model is told."""

from typing import Any

from pydantic import BaseModel, Field

Fields = dict[str, Any]


class Passage(BaseModel):
    """A passage of a document, as it stands on its page."""

    rank: int
    document: str = Field(description="the document's name")
    document_id: str
    page: int = Field(description="from 1")
    heading: str | None
    text: str
    score: float

    @classmethod
    def of(cls, hit: Fields) -> "Passage":
        return cls(**{name: hit[name] for name in cls.model_fields})


class Found(BaseModel):
    """Passages, best first."""

    strategy: str
    exact: bool = Field(description="whether no better passage can be missing")
    passages: list[Passage]
    warnings: list[str] = Field(description="what is damaged, and how to mend it")


class Cited(BaseModel):
    """A quotation that the answer rests on: exactly characters `start` to `end` of the page's text."""

    marker: int = Field(description="the n of [n] in the answer")
    document: str
    document_id: str
    page: int
    start: int
    end: int
    quote: str


class Sentence(BaseModel):
    """A sentence of the answer, and whether the documents support it."""

    text: str
    verdict: str | None = Field(description="supported, weak or unsupported; null: not judged")
    markers: list[int]


class Answered(BaseModel):
    """An answer from the documents alone. Without one it says so (`abstained`); see `nearest` then."""

    answer: str
    abstained: bool
    citations: list[Cited]
    sentences: list[Sentence]
    nearest: list[Passage] = Field(description="the nearest passages, where there is no answer")
    flags: list[str] = Field(
        description="what to be careful about, such as a document that gives instructions"
    )
    strategy: str
    llm: str

    @classmethod
    def of(cls, answer: Fields) -> "Answered":
        nearest = answer["nearest"] if answer["abstained"] else []
        return cls(
            answer=answer["answer"],
            abstained=answer["abstained"],
            citations=[
                Cited(**{name: one[name] for name in Cited.model_fields}) for one in answer["citations"]
            ],
            sentences=[
                Sentence(**{name: one[name] for name in Sentence.model_fields}) for one in answer["sentences"]
            ],
            nearest=[Passage.of(hit) for hit in nearest],
            flags=answer["flags"],
            strategy=answer["strategy"],
            llm=answer["llm"],
        )


class Listed(BaseModel):
    """A document of the library."""

    document_id: str
    name: str
    label: str = Field(description="how search and ask name it: with folders where others have its name")
    names: list[str] = Field(description="its own and those of other files with the same bytes")
    collection: str
    title: str | None
    pages: int
    language: str
    added: str = Field(description="UTC, ISO 8601")

    @classmethod
    def of(cls, document: Fields) -> "Listed":
        return cls(**{name: document[name] for name in cls.model_fields})


class Documents(BaseModel):
    documents: list[Listed]
    more: int = Field(description="how many documents there are beyond those listed")


class PageText(BaseModel):
    """The text of one page."""

    document_id: str
    page: int
    label: str | None = Field(description="the page's number as printed, where the document says it")
    text: str
