"""Votes: which strategies people preferred for a question, after seeing the results of each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.errors import InvalidInput
from ingestion.storage.timing import utc_now
from rag_app.history.database import StateDatabase
from retrievers.comparison import column_name


@dataclass(frozen=True, slots=True)
class Contender:
    """A strategy, with a reranker or without."""

    strategy: str
    reranker: str | None = None

    @property
    def name(self) -> str:
        return column_name(self.strategy, self.reranker)


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote between strategies.

    Attributes:
        preferred: places in `contenders`; all of them where they are equally good, none where all are bad.
        blind: the names were hidden until the vote.
    """

    question: str
    contenders: tuple[Contender, ...]
    preferred: tuple[int, ...]
    blind: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """A contender's pairs against others: won, lost, and even (both preferred, or neither)."""

    contender: Contender
    won: int
    lost: int
    even: int


class Votes:
    """The votes of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state

    def add(self, vote: Vote) -> None:
        """Store a vote. It replaces an earlier vote on the same contenders for the same question.

        Raises:
            InvalidInput: There are fewer than two contenders, a contender occurs twice, or a place is wrong.
        """
        if len(set(vote.contenders)) != len(vote.contenders) or len(vote.contenders) < 2:
            raise InvalidInput("a vote needs two or more different strategies")
        if not all(0 <= place < len(vote.contenders) for place in vote.preferred):
            raise InvalidInput(
                f"the preferred places are {list(vote.preferred)}; give 0 to {len(vote.contenders) - 1}"
            )
        # Sorted by name, so that the order of the columns makes no difference.
        order = sorted(range(len(vote.contenders)), key=lambda place: vote.contenders[place].name)
        contenders = [[vote.contenders[place].strategy, vote.contenders[place].reranker] for place in order]
        preferred = sorted(order.index(place) for place in set(vote.preferred))
        now = utc_now()
        with self._state.changing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?)",
                (
                    vote.question.strip(),
                    json.dumps(contenders),
                    json.dumps(preferred),
                    int(vote.blind),
                    now,
                ),
            )

    def all(self) -> list[Vote]:
        """Return the votes, the latest last, with their contenders sorted by name."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT question, contenders, preferred, blind FROM votes ORDER BY voted, question, "
                "contenders"
            ).fetchall()
        return [
            Vote(
                question,
                tuple(Contender(*one) for one in json.loads(contenders)),
                tuple(json.loads(preferred)),
                bool(blind),
            )
            for question, contenders, preferred, blind in rows
        ]

    def tally(self) -> list[Tally]:
        """Return how each contender fared in all votes, the best first."""
        return tally(self.all())

    def remove(self) -> int:
        """Delete all votes; return their number."""
        with self._state.changing() as connection:
            removed = connection.execute("DELETE FROM votes").rowcount
        self._state.forget()
        return removed


def tally(votes: Sequence[Vote]) -> list[Tally]:
    """Return each contender's pairs won, lost and even, the largest share of wins first."""
    counts: dict[Contender, list[int]] = {}
    for vote in votes:
        for place, one in enumerate(vote.contenders):
            score = counts.setdefault(one, [0, 0, 0])
            for other in range(len(vote.contenders)):
                if other != place:
                    mine, theirs = place in vote.preferred, other in vote.preferred
                    score[2 if mine == theirs else 0 if mine else 1] += 1
    found = [Tally(contender, *score) for contender, score in counts.items()]
    return sorted(found, key=lambda one: (-_share(one), one.contender.name))


def _share(one: Tally) -> float:
    return (one.won + one.even / 2) / (one.won + one.lost + one.even)
