"""Evaluations and judgements."""

from pydantic import ConfigDict, Field

from rag_app.contract.schema import Fields, Response


class IntervalFields(Fields):
    low: float
    high: float


class ResultFields(Fields):
    """A strategy's results: beside these fields one for each metric, such as ndcg@10."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    @property
    def metrics(self) -> dict[str, float]:
        return self.__pydantic_extra__

    strategy: str
    reranker: str | None
    intervals: dict[str, IntervalFields] = Field(description="95% intervals by metric")
    latency_ms_p50: float
    latency_ms_p95: float
    bytes: int = Field(description="disk space of the stores that the strategy reads")
    lost: int = Field(description="questions without a relevant result among the first five")


class DifferenceFields(IntervalFields):
    """How much better strategy a is than b by a metric, with the 95% interval."""

    metric: str
    a: str
    b: str
    difference: float
    p: float
    p_adjusted: float = Field(description="for the number of comparisons (Holm)")


class RecommendationFields(Fields):
    """Which strategy to use, as far as the questions can tell."""

    metric: str
    questions: int
    best: str
    use: str | None
    tied: tuple[str, ...]
    worse: tuple[str, ...]
    needed: int | None = Field(description="how many questions would tell the tied ones apart")
    words: str


class UnusableFields(Fields):
    """A line of a list of questions that cannot be used."""

    line: int
    text: str
    reason: str


class EvaluationFields(Fields):
    """How well each strategy found the relevant pages or documents."""

    dataset: str
    unit: str
    queries: int
    unjudged: int
    chunks: int
    metrics: tuple[str, ...]
    compared_by: tuple[str, ...]
    reference: str | None
    results: tuple[ResultFields, ...]
    comparisons: tuple[DifferenceFields, ...]
    recommendation: RecommendationFields
    left_out: tuple[UnusableFields, ...]
    report: str | None = Field(description="the folder of the report")


class KindFields(Fields):
    """The figures of the questions of one kind."""

    kind: str
    questions: int
    means: dict[str, float]


class AnsweredQuestionFields(Fields):
    """A question, what was answered, and what should be."""

    id: str
    question: str
    kind: str
    after: str | None = Field(description="the id of the question that it follows")
    standalone_question: str | None
    gold: tuple[str, ...] = Field(description="answers of which each is right")
    wanted: tuple[str, ...] = Field(description="the pages or passages that answer; none: nothing answers")
    answer: str
    refused: bool
    cited: tuple[str, ...] = Field(description="the citations' pages or passages, in the order of reading")
    signal: float = Field(description="what decided whether the documents answer")
    first_citation_gold: bool
    any_citation_gold: bool
    gold_contained: bool | None = Field(description="null where there is no gold answer")
    exact_span: bool | None
    recall: float | None = Field(description="share of the gold answer's words and figures in the answer")
    unsupported_sentences: float = Field(description="share of its sentences that no source supports")
    words: int
    seconds: float


class AnswerResultFields(Fields):
    """A system's answers: beside these fields one for each metric, such as first_citation_gold."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    @property
    def metrics(self) -> dict[str, float]:
        return self.__pydantic_extra__

    name: str
    strategy: str
    reranker: str | None
    questions: int
    words_median: float
    seconds_median: float
    intervals: dict[str, IntervalFields] = Field(description="95% intervals by metric")
    kinds: tuple[KindFields, ...]
    answers: tuple[AnsweredQuestionFields, ...]


class AnswerEvaluationFields(Fields):
    """How good the answers are."""

    dataset: str
    unit: str
    llm: str
    reference: str
    metrics: dict[str, str] = Field(description="what each metric says")
    results: tuple[AnswerResultFields, ...]
    comparisons: tuple[DifferenceFields, ...]
    left_out: tuple[UnusableFields, ...]
    report: str | None = Field(description="the folder of the report")


class JudgementFields(Fields):
    """Whether a page answers a question: grade 0 is no."""

    question: str
    document: str
    sha256: str
    page: int
    grade: int


class JudgementsResponse(Response):
    questions: int
    judgements: tuple[JudgementFields, ...]


class JudgementsImportResponse(JudgementsResponse):
    imported: int


class JudgementsClearResponse(JudgementsResponse):
    removed: int


class JudgementsExportResponse(Response):
    folder: str
    questions: int
