"""Summaries by an LLM: it summarises pieces of the documents, then the summaries, until one is left.

    chunks ─▶ pieces that fit the window ─▶ a partial summary of each ─▶ groups that fit ─▶ … ─▶ the summary

Each partial summary gets computed citations (`rag_app.answering.citations`), and keeps only the passages that
it cites. Every prompt numbers its sources from 1, so that numbers stay small for any number of passages.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from ingestion.errors import ModelError
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import (
    AnswerEvent,
    AnswerProgress,
    CitedAnswer,
    Evidence,
    EvidenceSentence,
    PromptContext,
)
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.answering.prompt_injection import flags
from rag_app.answering.prompts import sources
from rag_app.summarizing.prompts import FULL, SHORT, harmless, parts_messages, piece_messages
from retrievers.hits import Hit

# The most tokens of a piece: progress stays visible, and small models lose less.
_PIECE_TOKENS = 3000
# Room for the tokens of a chat template, and for tokens that join differently.
_SLACK = 16
# The largest share of a group for one partial summary, so that two always fit.
_PART = 0.45
_PART_TOKENS = 250
_MOST_FLAGS = 20
_MARKER = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")


@dataclass(frozen=True, slots=True)
class PartialSummary:
    """A summary of a part; its markers `[n]` name `evidence`."""

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class FinalPrompt:
    """The last prompt; the markers of its summary name `evidence`."""

    messages: list[BaseMessage]
    evidence: tuple[Evidence, ...]
    flags: tuple[str, ...]


class MapReduce:
    """Summarises with one model.

    Args:
        what: The name of the documents in the prompts.
        nonce: The nonce of the prompts' fences.
    """

    def __init__(self, answerer: ChatAnswerer, *, what: str, nonce: str, config: RunnableConfig) -> None:
        self._answerer = answerer
        self._what = what
        self._config = config
        self._nonce = nonce
        self._count = cache(answerer.count_tokens)
        self._flags: dict[str, None] = {}

    def read(
        self, chunks: Iterable[StoredChunk], total: int
    ) -> Generator[AnswerProgress, None, FinalPrompt | None]:
        """Yield how many of `total` passages have been read; return the last prompt.

        Closing the generator stops the model.

        Returns:
            None without passages.
        """
        parts: list[PartialSummary] = []
        pieces = self._pieces(chunks)
        piece = next(pieces, None)
        if piece is None:
            return None
        done = 0
        yield AnswerProgress("read", 0, total)
        following = next(pieces, None)
        if following is None:  # nothing to reduce
            yield AnswerProgress("read", total, total)
            prompt = piece_messages(piece, self._nonce, what=self._what, length=FULL)
            return FinalPrompt(prompt, tuple(piece), flags(piece)[:_MOST_FLAGS])
        for each in chain((piece, following), pieces):
            prompt = piece_messages(each, self._nonce, what=self._what, length=SHORT)
            parts.append((yield from self._part(prompt, each, AnswerProgress("read", done, total))))
            done += len(each)
            yield AnswerProgress("read", min(done, total), total)
        yield AnswerProgress("read", total, total)
        while len(groups := self._groups(parts)) > 1:
            merged: list[PartialSummary] = []
            for group in groups:
                if len(group) == 1:
                    merged.extend(group)
                    continue
                texts, evidence = renumbered(group)
                prompt = parts_messages(texts, self._nonce, what=self._what, length=SHORT)
                merged.append((yield from self._part(prompt, evidence, AnswerProgress("read", total, total))))
            parts = merged
        texts, evidence = renumbered(parts)
        prompt = parts_messages(texts, self._nonce, what=self._what, length=FULL)
        return FinalPrompt(prompt, tuple(evidence), tuple(self._flags))

    def write(self, last: FinalPrompt) -> Generator[str | AnswerEvent]:
        """Yield the summary as it comes. Closing the generator stops the model."""
        yield from self._answerer.write_prompt(last.messages, self._config)

    def cite(self, text: str, evidence: Sequence[Evidence]) -> CitedAnswer:
        """Return a summary with its citations computed."""
        return self._answerer.cite(text, PromptContext(tuple(evidence), 1.0))

    def _part(
        self, prompt: list[BaseMessage], evidence: Sequence[Evidence], waiting: AnswerProgress
    ) -> Generator[AnswerProgress, None, PartialSummary]:
        """Summarise a part; yield `waiting` at each word as a sign of life."""
        written: list[str] = []
        with closing(self._answerer.write_prompt(prompt, self._config)) as pieces:
            for piece in pieces:
                if isinstance(piece, str):
                    written.append(piece)
                if isinstance(piece, AnswerProgress) and piece.stage in ("queue", "load"):
                    yield piece
                else:
                    yield waiting
        for flag in flags(evidence):
            if len(self._flags) < _MOST_FLAGS:
                self._flags[flag] = None
        cited = self.cite("".join(written).strip(), evidence)
        text = self._shortened(cited.text)
        named = {int(number) for found in _MARKER.findall(text) for number in re.findall(r"\d+", found)}
        return PartialSummary(text, tuple(item for item in evidence if item.number in named))

    @cached_property
    def _room(self) -> int:
        """Tokens for the sources or parts of one prompt, beside its rules and the longest answer."""
        model = self._answerer.model
        rules = max(
            model.count_prompt_tokens(piece_messages((), self._nonce, what=self._what, length=SHORT)),
            model.count_prompt_tokens(parts_messages((), self._nonce, what=self._what, length=FULL)),
        )
        window = model.context_window
        room = window - min(model.max_tokens, window // 2) - rules - _SLACK
        if room < 1:
            raise ModelError(
                f"{self._answerer.name}: a context window of {window} tokens is too small for summaries; "
                "give the model a larger context"
            )
        return min(room, _PIECE_TOKENS)

    def _pieces(self, chunks: Iterable[StoredChunk]) -> Iterator[list[Evidence]]:
        """Yield chunks in reading order, as many as fit each time, without repeated text."""
        room = self._room
        piece: list[Evidence] = []
        used = 0
        for chunk in _unlike(chunks):
            item = _fitting(_evidence(len(piece) + 1, chunk), room, self._size)
            size = self._size(item)
            if piece and used + size > room:
                yield piece
                piece, used = [], 0
                item = replace(item, number=1)
            piece.append(item)
            used += size
        if piece:
            yield piece

    def _size(self, item: Evidence) -> int:
        return self._count(sources([item], self._nonce)) + 1

    def _groups(self, parts: Sequence[PartialSummary]) -> list[list[PartialSummary]]:
        """Return the parts in order, in groups that fit into one prompt, of at least two."""
        room = self._room
        groups: list[list[PartialSummary]] = []
        used = 0
        for part in parts:
            size = self._count(f"<part {self._nonce}>\n{part.text}\n</part {self._nonce}>\n") + 1
            if not groups or (used + size > room and len(groups[-1]) > 1):
                groups.append([])
                used = 0
            groups[-1].append(part)
            used += size
        return groups

    def _shortened(self, text: str) -> str:
        """Return the first sentences that fit into a group, without those that instruct a model."""
        most = min(_PART_TOKENS, int(_PART * self._room))
        kept: list[str] = []
        for span in sentence_spans(text):
            sentence = text[span.start : span.end]
            if harmless(sentence) and (not kept or self._count(" ".join([*kept, sentence])) <= most):
                kept.append(sentence)
        return _cut(" ".join(kept), most, self._count)


def renumbered(parts: Sequence[PartialSummary]) -> tuple[list[str], list[Evidence]]:
    """Return the texts of parts with common source numbers from 1, and the sources."""
    numbers: dict[str, int] = {}
    evidence: list[Evidence] = []
    texts: list[str] = []
    for part in parts:
        new: dict[int, int] = {}
        for item in part.evidence:
            key = item.hit.chunk.id
            if key not in numbers:
                numbers[key] = len(evidence) + 1
                evidence.append(replace(item, number=numbers[key], hit=replace(item.hit, rank=numbers[key])))
            new[item.number] = numbers[key]
        texts.append(_MARKER.sub(partial(_marker, new), part.text))
    return texts, evidence


def _marker(new: Mapping[int, int], match: re.Match[str]) -> str:
    known = [str(new[int(number)]) for number in re.findall(r"\d+", match[1]) if int(number) in new]
    return f"[{', '.join(known)}]" if known else ""


def _unlike(chunks: Iterable[StoredChunk]) -> Iterator[StoredChunk]:
    """Yield the chunks without repeated texts."""
    seen: set[int] = set()
    for chunk in chunks:
        key = hash(" ".join(chunk.text.split()).casefold())
        if key not in seen:
            seen.add(key)
            yield chunk


def _evidence(number: int, chunk: StoredChunk) -> Evidence:
    """Return a whole chunk as evidence."""
    sentences = tuple(
        EvidenceSentence(
            chunk.start + span.start, chunk.start + span.end, chunk.text[span.start : span.end], 1.0
        )
        for span in sentence_spans(chunk.text)
    )
    return Evidence(number, Hit(number, chunk, 1.0, {}), sentences)


def _fitting(item: Evidence, room: int, size: Callable[[Evidence], int]) -> Evidence:
    """Return evidence with the first sentences that fit into a small window, at least one."""
    while len(item.sentences) > 1 and size(item) > room:
        item = replace(item, sentences=item.sentences[: max(1, len(item.sentences) * 3 // 4)])
    return item


def _cut(text: str, most: int, count: Callable[[str], int]) -> str:
    """Return a text, cut to its first words where it is too long for a group."""
    words = text.split(" ")
    while len(words) > 1 and count(" ".join(words)) > most:
        words = words[: max(1, len(words) * 3 // 4)]
    return " ".join(words)
