"""Questions of the evaluation sets with the evidence that is packed for them, for what is fitted to it.

The sets: articles 37 to 48 of xquad-en and the second half of covidqa-dev, each question as it is and with
its gold document taken out of what is found; filings-dev and mixed-dev, with the questions that nothing
answers; a follow-up question as it is understood.
"""

import argparse
import json
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from answers import TOP_K
from report import evaluation_data

from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from rag_app.answering.answers import Exchange, PromptContext
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.questions.query_rewriting import carried_over
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import read_dataset
from retrievers.exact import Named
from retrievers.reader import BuiltinReader
from retrievers.reader.reading import Reader
from retrievers.search import SearchResult, search
from retrievers.strategies import DEFAULT_STRATEGY, strategy_named

SETS = ("xquad-en", "covidqa-dev", "mixed-dev", "filings-dev")
DEPTH = 100  # enough that TOP_K passages are left without the gold document's
HELD_OUT_ARTICLES = 12  # of xquad-en, the last ones: a reader is trained on no question about them
QUICK = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its evidence.

    Attributes:
        gold: Of each piece of evidence: whether it is of a passage or page that answers.
        answers: Gold answers; for a set of documents, sentences that people wrote.
    """

    set: str
    question: str
    is_answerable: bool
    packed: PromptContext
    named: tuple[Named, ...]
    gold: tuple[bool, ...]
    answers: tuple[str, ...]
    has_passages: bool


def asked(options: argparse.Namespace) -> list[Asked]:
    """Return the questions of the sets that the options name, from the file that keeps them if it exists."""
    if options.evidence and options.evidence.exists():
        found: list[Asked] = pickle.loads(options.evidence.read_bytes())
        return found
    reader = None if options.no_reader else BuiltinReader()
    with tempfile.TemporaryDirectory() as temporary:
        every = QUICK if options.quick else options.every
        few = QUICK if options.quick else 1
        found = list(
            _gathered(options.sets.split(","), options.kept or Path(temporary), (every, few), reader)
        )
    if options.evidence:
        options.evidence.write_bytes(pickle.dumps(found))
    return found


def evidence_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is gathered."""
    parser.set_defaults(sets=",".join(SETS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth question of passages")
    parser.add_argument("--evidence", type=Path, metavar="FILE", help="keep the evidence there, and read it")
    parser.add_argument("--no-reader", action="store_true", help="fit what is used without a reader")


def _gathered(
    sets: Sequence[str], kept: Path, every: tuple[int, int], reader: Reader | None
) -> Iterator[Asked]:
    """Yield every Nth question: of sets of passages, and of sets of documents."""
    for name in sets:
        folder = evaluation_data() / name
        dataset = read_dataset(folder)
        with open_corpus(dataset, kept, builtin_encoder()) as corpus:
            if dataset.documents is None:
                yield from _of_passages(corpus, reader, every[0])
            else:
                yield from _of_documents(corpus, folder / "questions.jsonl", reader, every[1])


def _evidence(library: Library, result: SearchResult, reader: Reader | None) -> PromptContext:
    return pack(
        library,
        result,
        budget=None,
        count_tokens=lambda text: len(library.encoder.offsets(text)),
        reader=reader,
    )


def _of_passages(corpus: Corpus, reader: Reader | None, every: int) -> Iterator[Asked]:
    """Yield each question of a BEIR set twice: as it is, and without its gold document."""
    dataset, library = corpus.dataset, corpus.library
    articles = {one.id: one.title or one.id.rpartition("-")[0] for one in dataset.passages}
    held_out = set(list(dict.fromkeys(articles.values()))[-HELD_OUT_ARTICLES:])
    chosen = [one for one in dataset.questions if articles[next(iter(dataset.qrels[one.id]))] in held_out]
    if dataset.name != "xquad-en":
        chosen = list(dataset.questions[len(dataset.questions) // 2 :])
    for question in chosen[::every]:
        units = {unit for unit, grade in dataset.qrels[question.id].items() if grade > 0}
        gold = {articles[unit] for unit in units}
        strategy = strategy_named(DEFAULT_STRATEGY)
        found = search(library, question.text, strategy, corpus.scope(), top_k=DEPTH)
        left = [hit for hit in found.hits if articles[corpus.unit(hit.chunk)] not in gold][:TOP_K]
        for is_answerable, hits in ((True, found.hits[:TOP_K]), (False, tuple(left))):
            packed = _evidence(library, replace(found, hits=hits), reader)
            if packed.evidence:
                yield Asked(
                    dataset.name,
                    question.text,
                    is_answerable,
                    packed,
                    tuple(found.named),
                    tuple(is_answerable and corpus.unit(one.hit.chunk) in units for one in packed.evidence),
                    question.answers if is_answerable else (),
                    has_passages=True,
                )


def _of_documents(corpus: Corpus, questions: Path, reader: Reader | None, every: int) -> Iterator[Asked]:
    """Yield the questions of a folder of documents; a follow-up with the words of the question before."""
    lines = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    texts = {line["id"]: line["question"] for line in lines}
    for line in lines[::every]:
        before = [Exchange(texts[line["after"]], "")] if line.get("after") else []
        question = carried_over(line["question"], before)
        found = search(
            corpus.library, question, strategy_named(DEFAULT_STRATEGY), corpus.scope(), top_k=TOP_K
        )
        packed = _evidence(corpus.library, found, reader)
        pages = {(one["document"], one["page"]) for one in line["evidence"]}
        if packed.evidence:
            yield Asked(
                corpus.dataset.name,
                question,
                line["answer"] is not None,
                packed,
                tuple(found.named),
                tuple((one.hit.chunk.document, one.hit.chunk.page) in pages for one in packed.evidence),
                (line["answer"],) if line["answer"] else (),
                has_passages=False,
            )
