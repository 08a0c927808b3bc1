"""Evaluations of one library as tasks: what is asked of which data, what is under way, the latest result."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ingestion.encoders import ComputeDevice, load_encoder
from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.storage.timing import utc_now
from rag_app.answering.answers import AskOptions
from rag_app.config.settings import Settings
from rag_app.evaluation import report
from rag_app.evaluation.answers.earlier import read_earlier
from rag_app.evaluation.answers.evaluating import AnswerPlan, OpenAsk, evaluate_answers
from rag_app.evaluation.answers.report import REPORT_FILE as ANSWERS_FILE
from rag_app.evaluation.corpus import Corpus, add_representation, open_corpus
from rag_app.evaluation.datasets import Dataset, read_dataset
from rag_app.evaluation.exports import write_exports
from rag_app.evaluation.judgements import Judgements, judged_dataset
from rag_app.evaluation.questions import QuestionList, Unusable, joined, read_list, read_list_file
from rag_app.evaluation.runner import TOP_K, Evaluation, evaluate, system_of
from rag_app.model_store import reranker_named
from rag_app.tasks import Control, Task, Tasks, TaskState
from retrievers.reranking import Reranker
from retrievers.search import MAX_TOP_K
from retrievers.strategies import ALL, STRATEGIES, Strategy, strategy_named

KIND = "eval"
# The name of a list that came without a file.
LIST_NAME = "your list"

Fields = dict[str, Any]
Work = Callable[[Control], Fields]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """What is evaluated, on which data.

    Attributes:
        dataset: a data set's folder, or a file with a list of questions; None: the judgements.
        collections: the collections that a list or the judgements are about; none: the settings' collection.
        strategies: names, "all" for every strategy; none: the settings' strategy.
        rerankers: each strategy is evaluated without a reranker and with each of these.
        top_k: passages found for a question; None: as many as recall@100 needs, or as an answer reads.
        report: the folder that a report is written to; None: no report.
        answers: the answers are evaluated instead of the passages found.
        llm: what writes the answers, as in AskOptions; None: the settings' language model.
        without_gold: each question with an answer is asked again, with its gold article taken out.
        before: results.json of an earlier evaluation of answers to compare with.
    """

    dataset: str | None = None
    collections: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    rerankers: tuple[str, ...] = ()
    top_k: int | None = None
    report: str | None = None
    answers: bool = False
    llm: str | None = None
    without_gold: bool = False
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A result, the lines of its list that could not be used, and when it was done."""

    evaluation: Evaluation
    left_out: tuple[Unusable, ...]
    finished: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """Checked options. Without `dataset` and `listed`, the judgements are the data.

    `sources` are the models of added representations, by the representation's name.
    """

    strategies: Sequence[Strategy]
    sources: Mapping[str, str]
    rerankers: Sequence[Reranker | None]
    top_k: int
    collections: tuple[str, ...]
    dataset: Dataset | None
    listed: tuple[Dataset, dict[str, str]] | None
    left_out: tuple[Unusable, ...]
    report: Path | None
    answers: AnswerPlan | None


class Evaluations:
    """Starts evaluations, one at a time with the library's other tasks, and keeps the latest result.

    Safe to use from several threads.

    Args:
        open_ask: Opens the way that a person's questions take, for evaluations of answers.
    """

    def __init__(
        self, library: Library, settings: Settings, tasks: Tasks, judgements: Judgements, open_ask: OpenAsk
    ) -> None:
        self._library = library
        self._settings = settings
        self._compute = ComputeDevice(settings.device)
        self._tasks = tasks
        self._judgements = judgements
        self._open_ask = open_ask
        self._lock = threading.Lock()
        self._contenders: tuple[str, ...] = ()
        self._latest: Finished | None = None

    @property
    def latest(self) -> Finished | None:
        """The latest result of this process, from any session."""
        with self._lock:
            return self._latest

    @property
    def contenders(self) -> tuple[str, ...]:
        """The names that the evaluation under way goes through, in order; empty until it has begun to ask."""
        with self._lock:
            return self._contenders

    def task(self) -> Task | None:
        """Return the evaluation that runs, or the one that ran last."""
        return next((task for task in reversed(self._tasks.all()) if task.kind == KIND), None)

    def read_list(self, text: str, collections: Sequence[str] = ()) -> QuestionList:
        """Read a list of questions; see `rag_app.evaluation.questions`. Raises UnknownName."""
        return read_list(text, self._library, self._collections(collections))

    @staticmethod
    def join_list(queries: Path, qrels: Path) -> str:
        """Return queries.jsonl and its qrels as one list of questions. Raises InvalidInput."""
        return joined(queries, qrels)

    @staticmethod
    def export(finished: Finished, folder: Path) -> list[Path]:
        """Write a result's files into a folder; return them. Raises InvalidInput where it is not writable."""
        return write_exports(finished.evaluation, folder)

    def start(self, options: EvaluationOptions, questions: QuestionList | None = None) -> Task:
        """Begin an evaluation. `questions` replace the options' data set.

        Raises:
            InvalidInput: The options, or the files that they name, cannot be used.
            ModelError: A reranker is missing.
            TaskRunning: Another task runs.
        """
        return self._tasks.start(KIND, self.work(options, questions))

    def cancel(self) -> None:
        """Stop the evaluation that runs, if one does."""
        task = self.task()
        if task is not None and task.state is TaskState.RUNNING:
            self._tasks.cancel(task.id)

    def work(self, options: EvaluationOptions, questions: QuestionList | None = None) -> Work:
        """Return the work of an evaluation. Raises what `start` raises, except TaskRunning."""
        return partial(self._work, self._planned(options, questions))

    def _planned(self, options: EvaluationOptions, questions: QuestionList | None) -> _Plan:
        library, settings = self._library, self._settings
        asked = [name for name in dict.fromkeys(options.strategies) if name != ALL]
        strategies = [strategy_named(name) for name in asked or [settings.strategy]]
        if ALL in options.strategies:
            strategies = [*STRATEGIES.values(), *(one for one in strategies if one.name not in STRATEGIES)]
        added = {strategy.name.partition("@")[2] for strategy in strategies} - {""}
        models = settings.models_folder
        top_k = TOP_K if options.top_k is None else options.top_k
        if not 1 <= top_k <= MAX_TOP_K:
            raise InvalidInput(f"top-k is {top_k}; choose a number from 1 to {MAX_TOP_K}")
        collections = self._collections(options.collections)
        path = Path(options.dataset).expanduser().absolute() if options.dataset else None
        name = LIST_NAME
        if path and path.exists() and not path.is_dir():
            questions, name = read_list_file(path, library, collections), path.name
        elif path and options.collections:
            raise InvalidInput("a data set is searched as a whole; leave out --collection")
        folder = Path(options.report).expanduser().absolute() if options.report else None
        if folder:
            report.check_writable(folder, ANSWERS_FILE if options.answers else report.REPORT_FILE)
        rerankers = [
            None,
            *(reranker_named(name, models, self._compute) for name in dict.fromkeys(options.rerankers)),
        ]
        dataset = read_dataset(path) if path and not questions else None
        answers = self._answer_plan(options, strategies, folder, dataset)
        return _Plan(
            strategies=strategies,
            sources={name: library.representation(name).record.source for name in sorted(added)},
            rerankers=rerankers,
            top_k=top_k,
            collections=collections,
            dataset=dataset,
            listed=questions.dataset(name, library, collections) if questions else None,
            left_out=questions.unusable if questions else (),
            report=folder,
            answers=answers,
        )

    def _answer_plan(
        self,
        options: EvaluationOptions,
        strategies: Sequence[Strategy],
        folder: Path | None,
        dataset: Dataset | None,
    ) -> AnswerPlan | None:
        if not options.answers:
            wrong = [name for name in ("llm", "without_gold", "before") if getattr(options, name)]
            if wrong:
                raise InvalidInput(f"{', '.join(wrong)} is about answers; add --answers")
            return None
        if options.without_gold and (dataset is None or dataset.unit != "passage"):
            raise InvalidInput("only a BEIR folder has articles to take out; leave out --without-gold")
        usual = self._settings
        systems = [
            AskOptions(
                strategy=strategy.name,
                reranker=reranker,
                top_k=usual.top_k if options.top_k is None else options.top_k,
                collections=() if dataset else self._collections(options.collections),
                llm=options.llm or usual.llm,
            )
            for strategy in strategies
            for reranker in (None, *dict.fromkeys(options.rerankers))
        ]
        earlier = read_earlier(Path(options.before).expanduser()) if options.before else None
        return AnswerPlan(systems, options.without_gold, earlier, folder)

    def _work(self, plan: _Plan, control: Control) -> Fields:
        self._begin(())
        library = self._library
        if plan.dataset is None:
            found, labels = plan.listed or judged_dataset(self._judgements, library, plan.collections)
            return self._run(plan, Corpus(library, found, plan.collections, labels), control)
        with open_corpus(
            plan.dataset,
            library.folder / "evaluation",
            library.encoder,
            limits=self._settings.limits,
            load=partial(load_encoder, compute=self._compute),
            by_article=plan.answers is not None and plan.answers.without_gold,
            on_progress=control.report,
            cancelled=control.cancelled,
        ) as corpus:
            return self._run(plan, corpus, control)

    def _run(self, plan: _Plan, corpus: Corpus, control: Control) -> Fields:
        for name, source in plan.sources.items():
            add_representation(corpus.library, name, source, control.report, control.cancelled)
        if plan.answers:
            return evaluate_answers(corpus, plan.answers, self._open_ask, control, plan.left_out)
        contenders = [
            system_of(corpus, strategy, reranker, plan.top_k, self._settings.rerank_limits)
            for strategy in plan.strategies
            for reranker in plan.rerankers
        ]
        self._begin(tuple(one.name for one in contenders))
        done = evaluate(corpus, contenders, on_progress=control.report, cancelled=control.cancelled)
        if plan.report:
            report.write(done, plan.report)
        self._keep(Finished(done, plan.left_out, utc_now()))
        return {
            **report.fields(done),
            "left_out": [asdict(one) for one in plan.left_out],
            "report": str(plan.report) if plan.report else None,
        }

    def _collections(self, named: Sequence[str]) -> tuple[str, ...]:
        return tuple(named) or (self._settings.collection,)

    def _begin(self, contenders: tuple[str, ...]) -> None:
        with self._lock:
            self._contenders = contenders

    def _keep(self, finished: Finished) -> None:
        with self._lock:
            self._latest = finished
