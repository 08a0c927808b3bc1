"""What packing keeps of the evidence, beside whole chunks.

    RAG_EVAL_DATA=FOLDER python benchmarks/packing.py [--quick] [--sets a,b] [--strategies a] [--kept FOLDER]
                                                      [--json FILE]

packing/SET/STRATEGY/evidence  share of the gold evidence's words that are in what is packed of the gold
                               documents; peer: in the whole chunks
packing/SET/STRATEGY/tokens    wordpieces put before a model, mean over the questions; peer: whole chunks

Eight passages are found for a question. Gold evidence is the texts of evidence that a data set names, or,
where it names none, its first answer; its words are those that are no function words. Budgets do not bind.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from quality import set_arguments
from report import Result, compare, evaluation_data, publish

from ingestion.encoders import builtin_encoder
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.evidence.prompt_context import pack
from rag_app.config.environment import stay_offline
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import read_dataset
from retrievers.search import search
from retrievers.strategies import DEFAULT_STRATEGY, strategy_named

SETS = ("financebench-dev", "covidqa-dev")
TOP_K = 8
NO_LIMIT = 10**9
QUICK = 60


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one question: shares of its gold words, and tokens."""

    whole: float
    packed: float
    whole_tokens: int
    packed_tokens: int


def gold_texts(folder: Path) -> dict[str, list[str]]:
    """Return what the questions' evidence says, by their ids."""
    found: dict[str, list[str]] = {}
    for file in ("questions.jsonl", "queries.jsonl"):
        if (folder / file).is_file():
            for line in (folder / file).read_text("utf-8").splitlines():
                one = json.loads(line)
                answers = one.get("metadata", {}).get("answers", [])[:1]
                texts = [part["text"] for part in one.get("evidence", [])] or answers
                found[str(one.get("id", one.get("_id")))] = texts
            break
    return found


def content(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - stopwords_of("en")


def document(unit: str) -> str:
    """Return which document a page or passage is of: covidqa's passages are named ARTICLE-NUMBER."""
    return unit.partition("#page=")[0] if "#page=" in unit else unit.rpartition("-")[0] or unit


def kept(corpus: Corpus, texts: dict[str, list[str]], strategy: str) -> Iterator[Kept]:
    count = cache(lambda text: len(corpus.library.encoder.offsets(text)))
    for question in corpus.dataset.questions:
        words = set[str]().union(*map(content, texts[question.id]))
        if not words:
            continue
        documents = {document(unit) for unit in corpus.dataset.qrels[question.id]}
        found = search(corpus.library, question.text, strategy_named(strategy), corpus.scope(), top_k=TOP_K)
        packed = pack(corpus.library, found, budget=NO_LIMIT, count_tokens=count)
        whole = [hit.chunk for hit in found.hits]
        held = [chunk.text for chunk in whole if document(corpus.unit(chunk)) in documents]
        sentences = [
            sentence.text
            for item in packed.evidence
            if document(corpus.unit(item.hit.chunk)) in documents
            for sentence in item.sentences
        ]
        yield Kept(
            whole=len(words & content(" ".join(held))) / len(words),
            packed=len(words & content(" ".join(sentences))) / len(words),
            whole_tokens=sum(count(chunk.text) for chunk in whole),
            packed_tokens=sum(count(s.text) for item in packed.evidence for s in item.sentences),
        )


def results(label: str, found: Sequence[Kept]) -> list[Result]:
    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    evidence = mean([one.packed for one in found]), mean([one.whole for one in found])
    tokens = mean([one.packed_tokens for one in found]), mean([one.whole_tokens for one in found])
    return [
        compare(f"packing/{label}/evidence", "share", [evidence[0]], [evidence[1]], "whole chunks"),
        compare(f"packing/{label}/tokens", "wordpieces", [tokens[0]], [tokens[1]], "whole chunks"),
    ]


def main() -> None:
    parser = set_arguments(__doc__, (DEFAULT_STRATEGY,))
    parser.set_defaults(sets=",".join(SETS))
    options = parser.parse_args()
    data = evaluation_data()
    stay_offline()
    sets = ["xquad-en"] if options.quick else options.sets.split(",")
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            texts = gold_texts(data / name)
            with open_corpus(
                read_dataset(data / name), options.kept or Path(temporary), builtin_encoder()
            ) as corpus:
                for strategy in options.strategies.split(","):
                    every = kept(corpus, texts, strategy)
                    some = (
                        [one for one, _ in zip(every, range(QUICK), strict=False)] if options.quick else every
                    )
                    found += results(f"{name}/{strategy}", list(some))
    settings = {"sets": sets, "strategies": options.strategies, "top_k": TOP_K, "quick": options.quick}
    publish(found, settings, options.json)


if __name__ == "__main__":
    main()
