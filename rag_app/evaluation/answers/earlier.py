"""Compares answers with those of an earlier evaluation of the same questions, read from its JSON."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ingestion.errors import InvalidInput
from ingestion.regular_files import read_regular
from rag_app.evaluation.answers.asking import AnsweredQuestion
from rag_app.evaluation.answers.measuring import (
    ANY_GOLD,
    CONTAINED,
    EXACT,
    FIRST_GOLD,
    METRICS,
    REFUSED,
    AnswerResult,
)
from rag_app.evaluation.comparing import Comparison, compare

EARLIER = "before"
_LARGEST_FILE = 500_000_000
# The metrics that an answer has a field of; the others are about refusals.
_BY_NAME = (FIRST_GOLD, ANY_GOLD, CONTAINED, EXACT)

# By question id: the fields that `report.fields` writes for an answer.
EarlierAnswers = Mapping[str, Mapping[str, Any]]


def read_earlier(file: Path) -> EarlierAnswers:
    """Return the first system's answers from results.json, or from what `eval --answers --json` printed.

    Raises InvalidInput for any other file.
    """
    try:
        result = json.loads(read_regular(file, _LARGEST_FILE).decode())["results"][0]
        return {one["id"]: {name: one[name] for name in (REFUSED, *_BY_NAME)} for one in result["answers"]}
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error}; check that the file exists") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InvalidInput(
            f"{file} is no result of an evaluation of answers ({error!r}); name the results.json of a report"
        ) from error


def compared_with(earlier: EarlierAnswers, result: AnswerResult) -> tuple[Comparison, ...]:
    """Compare a result with earlier answers by the questions that both have.

    Raises InvalidInput where they share no question.
    """
    shared = [one for one in result.answers if one.question.id in earlier]
    if not shared:
        raise InvalidInput(
            "the earlier evaluation has none of these questions; name one of the same data set"
        )
    return tuple(_comparisons(earlier, result.name, shared))


def _comparisons(earlier: EarlierAnswers, name: str, shared: list[AnsweredQuestion]) -> Iterator[Comparison]:
    for metric, how in METRICS.items():
        some = [one for one in shared if how.compared and how.applies(one)]
        before = [earlier[one.question.id][metric if metric in _BY_NAME else REFUSED] for one in some]
        if some and None not in before:
            values = {
                EARLIER: np.array(before, dtype=float),
                name: np.array([float(how.value(one)) for one in some]),
            }
            yield from compare(metric, values, EARLIER)
