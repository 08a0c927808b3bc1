"""Evaluations of one library as tasks: what is asked of which data, what is under way, the latest result."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.errors import InvalidInput
from ingestion.timing import utc_now
from rag_app.contract.requests import TaskRequest
from rag_app.model_store import reranker_named
from rag_app.tasks import Control, Task, Tasks, TaskState
from retrievers.search import MAX_TOP_K
from retrievers.strategies import ALL, STRATEGIES, strategy_named

if TYPE_CHECKING:
    from ingestion.library import Library
    from rag_app.config.settings import Settings
    from rag_app.evaluation.corpus import Corpus
    from rag_app.evaluation.judgements import Judgements
    from rag_app.evaluation.questions import QuestionList, Unusable
    from rag_app.evaluation.runner import Evaluation

KIND = "eval"
# What a list is called that came without a file.
LIST_NAME = "your list"

Fields = dict[str, Any]
Work = Callable[[Control], Fields]


@dataclass(frozen=True, slots=True)
class Finished:
    """A result, what of a list was left out, and when it was done."""

    evaluation: "Evaluation"
    left_out: "tuple[Unusable, ...]"
    finished: str


class Evaluations:
    """Starts evaluations, one at a time with the library's other tasks, and keeps the latest result.

    Safe to use from several threads.
    """

    def __init__(
        self, library: "Library", settings: "Settings", tasks: Tasks, judgements: "Judgements"
    ) -> None:
        self._library = library
        self._settings = settings
        self._tasks = tasks
        self._judgements = judgements
        self._lock = threading.Lock()
        self._contenders: tuple[str, ...] = ()
        self._latest: Finished | None = None

    @property
    def latest(self) -> Finished | None:
        """The latest result of this process, whoever asked for it."""
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

    def read_list(self, text: str, collections: Sequence[str] = ()) -> "QuestionList":
        """Read a list of questions; see `rag_app.evaluation.questions`. Raises UnknownName."""
        from rag_app.evaluation.questions import read_list

        return read_list(text, self._library, self._collections(collections))

    @staticmethod
    def join_list(queries: Path, qrels: Path) -> str:
        """Return queries.jsonl and its qrels as one list of questions. Raises InvalidInput."""
        from rag_app.evaluation.questions import joined

        return joined(queries, qrels)

    @staticmethod
    def export(finished: Finished, folder: Path) -> list[Path]:
        """Write a result's files into a folder; return them. Raises InvalidInput where it is not writable."""
        from rag_app.evaluation.exports import write_exports

        return write_exports(finished.evaluation, folder)

    def start(self, request: TaskRequest, questions: "QuestionList | None" = None) -> Task:
        """Begin an evaluation: of a list that was read, else as the request says.

        Raises InvalidInput and its kind, ModelError, and TaskRunning while another task runs.
        """
        return self._tasks.start(KIND, self.work(request, questions))

    def cancel(self) -> None:
        """Stop the evaluation that runs, if one does."""
        task = self.task()
        if task is not None and task.state is TaskState.RUNNING:
            self._tasks.cancel(task.id)

    def work(self, request: TaskRequest, questions: "QuestionList | None" = None) -> Work:
        """Return the work that a request asks for. Raises what `start` raises, but for TaskRunning."""
        from rag_app.evaluation import report
        from rag_app.evaluation.corpus import Corpus, add_representation, open_corpus
        from rag_app.evaluation.datasets import read_dataset
        from rag_app.evaluation.judgements import judged_dataset
        from rag_app.evaluation.questions import read_list_file
        from rag_app.evaluation.runner import TOP_K, contender_of, evaluate

        library, settings = self._library, self._settings
        asked = [name for name in dict.fromkeys(request.strategies) if name != ALL]
        strategies = [strategy_named(name) for name in asked or [settings.strategy]]
        if ALL in request.strategies:
            strategies = [*STRATEGIES.values(), *(one for one in strategies if one.name not in STRATEGIES)]
        named = {strategy.name.partition("@")[2] for strategy in strategies} - {""}
        sources = {name: library.representation(name).record.source for name in sorted(named)}
        models = settings.models_folder
        rerankers = [None, *(reranker_named(name, models) for name in dict.fromkeys(request.rerankers))]
        top_k = TOP_K if request.top_k is None else request.top_k
        if not 1 <= top_k <= MAX_TOP_K:
            raise InvalidInput(f"top-k is {top_k}; choose a number from 1 to {MAX_TOP_K}")
        collections = self._collections(request.collections)
        path = Path(request.dataset).expanduser().absolute() if request.dataset else None
        name = LIST_NAME
        if path and path.is_file():
            questions, name = read_list_file(path, library, collections), path.name
        elif path and request.collections:
            raise InvalidInput("a data set is searched whole; leave --collection away")
        listed = questions.dataset(name, library, collections) if questions else None
        dataset = read_dataset(path) if path and not questions else None
        folder = Path(request.report).expanduser().absolute() if request.report else None
        if folder:
            report.check_writable(folder)

        def run(corpus: "Corpus", control: Control) -> Fields:
            for name, source in sources.items():
                add_representation(corpus.library, name, source, control.report, control.cancelled)
            contenders = [
                contender_of(corpus, one, other, top_k, settings.rerank_limits)
                for one in strategies
                for other in rerankers
            ]
            self._begin(tuple(one.name for one in contenders))
            done = evaluate(corpus, contenders, on_progress=control.report, cancelled=control.cancelled)
            if folder:
                report.write(done, folder)
            left_out = questions.unusable if questions else ()
            self._keep(Finished(done, left_out, utc_now()))
            return {
                **report.fields(done),
                "left_out": [asdict(one) for one in left_out],
                "report": str(folder) if folder else None,
            }

        def work(control: Control) -> Fields:
            self._begin(())
            if dataset is None:
                found, labels = listed or judged_dataset(self._judgements, library, collections)
                return run(Corpus(library, found, collections, labels), control)
            with open_corpus(
                dataset, library.folder / "evaluation", library.encoder, limits=settings.limits,
                on_progress=control.report, cancelled=control.cancelled,
            ) as corpus:  # fmt: skip
                return run(corpus, control)

        return work

    def _collections(self, named: Sequence[str]) -> tuple[str, ...]:
        return tuple(named) or (self._settings.collection,)

    def _begin(self, contenders: tuple[str, ...]) -> None:
        with self._lock:
            self._contenders = contenders

    def _keep(self, finished: Finished) -> None:
        with self._lock:
            self._latest = finished
