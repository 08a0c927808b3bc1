"""The actions of the Evaluate page, its form, and its state in one open page."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.errors import InvalidInput
from rag_app.evaluation.evaluations import EvaluationOptions
from rag_app.model_store.store import Presence
from rag_app.service.composition import Assistant
from ui.components.choices import check_may_name_files
from ui.evaluate.render import render_judged, render_list, render_unused

if TYPE_CHECKING:
    from rag_app.evaluation.evaluations import Finished
    from rag_app.evaluation.questions import QuestionList

JUDGED, LIST, FOLDER = "judged", "list", "folder"

# Bytes of an uploaded list, which is shown in a text field. `rag-app eval FILE` reads larger lists.
_LARGEST_LIST = 2 * 10**6
_HERE = (Presence.BUILT_IN, Presence.VERIFIED, Presence.UNRECORDED)


@dataclass(slots=True)
class EvaluatePageState:
    """What one open page shows: the result, and the list whose unusable lines the person has seen."""

    shown: str = ""
    seen: tuple[str, tuple[str, ...]] = ("", ())


@dataclass(frozen=True, slots=True)
class EvaluationForm:
    """The contents of the form, in the order of its fields."""

    source: str
    text: str
    folder: str
    collections: tuple[str, ...]
    strategies: tuple[str, ...]
    rerankers: tuple[str, ...]

    @classmethod
    def of(
        cls,
        source: str,
        text: str | None,
        folder: str | None,
        collections: list[str] | None,
        strategies: list[str] | None,
        rerankers: list[str] | None,
    ) -> "EvaluationForm":
        """Return the form; Gradio gives None for an empty field."""
        lists = (tuple(each or ()) for each in (collections, strategies, rerankers))
        return cls(source, text or "", (folder or "").strip(), *lists)


class EvaluateController:
    """The actions of the page. One object serves all sessions.

    Args:
        folder: Where the files for download are written.
    """

    def __init__(self, assistant: Assistant, folder: Path) -> None:
        self.assistant = assistant
        self.folder = folder
        self._exported: tuple[Finished, list[Path]] | None = None

    def strategies(self) -> list[str]:
        """Return the names of the usable strategies."""
        return [state.strategy.name for state in self.assistant.strategies() if state.available]

    def rerankers(self) -> list[str]:
        """Return the names of the rerankers on this machine. Raises ModelError for a damaged list."""
        states = self.assistant.models.states()
        return [one.entry.name for one in states if one.entry.role == "reranker" and one.presence in _HERE]

    def judged(self) -> str:
        """Return the number of judgements, as HTML."""
        judgements = self.assistant.judgements.all()
        questions = {one.question for one in judgements if one.grade > 0}
        return render_judged(len(questions), len(judgements))

    def read_list(self, form: EvaluationForm) -> "QuestionList":
        """Read the form's list. Raises InvalidInput where it is empty."""
        if not form.text.strip():
            raise InvalidInput("there is no list yet; paste one, or upload a file")
        return self.assistant.evaluations.read_list(form.text, form.collections)

    def start(self, form: EvaluationForm, state: EvaluatePageState) -> tuple[str, str]:
        """Begin an evaluation; return, as HTML, the list's usable questions, and a message.

        A list with unusable lines is evaluated once the person has seen them. Raises RagError.
        """
        if not form.strategies:
            raise InvalidInput("no strategy is chosen; choose two or more to compare")
        if form.source == FOLDER:
            self._check_folder(form.folder)
        if form.source == JUDGED and not any(one.grade > 0 for one in self.assistant.judgements.all()):
            raise InvalidInput(
                "no passage is judged as relevant yet; judge some under Chat or Compare, or choose "
                "Question list"
            )
        questions = self.read_list(form) if form.source == LIST else None
        usable = render_list(questions) if questions else ""
        if questions and questions.unusable and questions.questions:
            key = form.text, form.collections
            if state.seen != key:
                state.seen = key
                return usable, render_unused(questions)
        options = EvaluationOptions(
            dataset=form.folder if form.source == FOLDER else None,
            collections=() if form.source == FOLDER else form.collections,
            strategies=form.strategies,
            rerankers=form.rerankers,
        )
        self.assistant.evaluations.start(options, questions)
        return usable, ""

    def field_of(self, form: EvaluationForm) -> str:
        """Return the field that a refused form is refused for: "list", "folder", or "" for the whole form."""
        if not form.strategies:
            return ""
        if form.source == FOLDER:
            return "folder"
        return "list" if form.source == LIST else ""

    def _check_folder(self, folder: str) -> None:
        check_may_name_files(self.assistant, "a BEIR folder")
        if not folder:
            raise InvalidInput("no folder is named; give one with corpus.jsonl, queries.jsonl and qrels/")
        if not Path(folder).expanduser().is_dir():
            raise InvalidInput(
                f"there is no folder {folder} on the machine that serves this page; give the path of one"
            )

    def exports(self, finished: "Finished") -> list[Path]:
        """Return the result's files. They are written once, and an earlier result's files removed."""
        if self._exported is None or self._exported[0] is not finished:
            folder = Path(tempfile.mkdtemp(prefix="rag-app-result-", dir=self.folder))
            before = self._exported
            self._exported = finished, self.assistant.evaluations.export(finished, folder)
            if before:
                shutil.rmtree(before[1][0].parent, ignore_errors=True)
        return self._exported[1]

    def take_list(self, files: Sequence[tuple[Path, str]]) -> str:
        """Return the text of an uploaded list, or of queries.jsonl and its qrels, and delete the files.

        Raises InvalidInput for other files, more than two megabytes, or text that is not UTF-8.
        """
        try:
            if sum(file.stat().st_size for file, _ in files) > _LARGEST_LIST:
                raise InvalidInput(
                    f"the list has more than {_LARGEST_LIST // 10**6} MB; use rag-app eval FILE in a terminal"
                )
            if len(files) == 1:
                return files[0][0].read_text(encoding="utf-8-sig")
            queries = [file for file, name in files if name.endswith(".jsonl")]
            qrels = [file for file, name in files if not name.endswith(".jsonl")]
            if len(queries) != 1 or len(qrels) != 1:
                raise InvalidInput("upload one list, or queries.jsonl and one file of qrels")
            return self.assistant.evaluations.join_list(queries[0], qrels[0])
        except UnicodeDecodeError as error:
            raise InvalidInput(f"the list is not UTF-8 text: {error}; save it as UTF-8") from error
        finally:
            for file, _ in files:
                file.unlink(missing_ok=True)
                if not any(file.parent.iterdir()):
                    file.parent.rmdir()
