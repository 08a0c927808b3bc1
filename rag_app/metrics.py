"""Figures of a running server for Prometheus: how often, how long, how many.

Labels are names of this code alone: outcomes, strategies, stages, statuses and kinds of errors. No text of a
question or document, no name and no id is ever a label.
"""

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Seconds: a search takes some hundredths of one, a language model on a processor takes minutes.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_TOTAL = "total"  # the stage of `Answer.timings_ms` that holds the sum of the others


class Metrics:
    """The figures of one application. Safe to use from several threads."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._questions = Counter(
            "rag_app_questions",
            "Questions, by how they ended and by the strategy that found the passages.",
            ("outcome", "strategy"),
            registry=registry,
        )
        self._answer_seconds = Histogram(
            "rag_app_answer_seconds", "Seconds of whole answers.", buckets=_BUCKETS, registry=registry
        )
        self._stage_seconds = Histogram(
            "rag_app_stage_seconds",
            "Seconds of the stages of answers.",
            ("stage",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._documents = Counter(
            "rag_app_documents_ingested",
            "Files that ingestion came to the end of, by status.",
            ("status",),
            registry=registry,
        )
        self._errors = Counter(
            "rag_app_errors",
            "Errors that requests to the API ended with, by code.",
            ("code",),
            registry=registry,
        )
        self._queues = Gauge(
            "rag_app_queue_length",
            "What waits or is in work: questions, and files of ingestion.",
            ("queue",),
            registry=registry,
        )
        self._queues.labels("questions").set(0)
        build = Info("rag_app_build", "The version of the application and of Python.", registry=registry)
        build.info({"version": version("rag-app"), "python": platform.python_version()})
        ProcessCollector(registry=registry)

    def began(self) -> None:
        """Note that a question is taken; `ended` follows."""
        self._queues.labels("questions").inc()

    def ended(self, outcome: str, strategy: str) -> None:
        """Note how a question ended.

        Args:
            outcome: The answer's outcome, or "stopped" or "failed".
            strategy: The name of a strategy, "reply", "summary", or "" where none was chosen.
        """
        self._queues.labels("questions").dec()
        self._questions.labels(outcome, strategy).inc()

    def timed(self, milliseconds: Mapping[str, float]) -> None:
        """Note the times of an answer's stages."""
        for stage, value in milliseconds.items():
            if stage == _TOTAL:
                self._answer_seconds.observe(value / 1000)
            else:
                self._stage_seconds.labels(stage).observe(value / 1000)

    def ingested(self, status: str) -> None:
        """Note the end of a file's ingestion."""
        self._documents.labels(status).inc()

    def failed(self, code: str) -> None:
        """Note an error: the name of its kind."""
        self._errors.labels(code).inc()

    def watch(self, queue: str, length: Callable[[], int]) -> None:
        """Have a queue's length read when the figures are asked for."""
        self._queues.labels(queue).set_function(length)

    def text(self) -> bytes:
        """Return the figures in Prometheus' text form, whose type is `CONTENT_TYPE`."""
        return generate_latest(self._registry)
