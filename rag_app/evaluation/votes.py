"""Which of several strategies people preferred for a question, seeing what each found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.errors import InvalidInput
from ingestion.timing import utc_now
from rag_app.history.database import State
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
    """What was preferred among `contenders`: their places in `preferred`; all of them where they are equally
    good, none where none is any good. `blind`: the names were hidden until the vote."""

    question: str
    contenders: tuple[Contender, ...]
    preferred: tuple[int, ...]
    blind: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How a contender fared against others: pairs won, lost, and even (both preferred, or neither)."""

    contender: Contender
    won: int
    lost: int
    even: int


class Votes:
    """The votes of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, vote: Vote) -> None:
        """Keep a vote, in place of a former one on the same contenders for the same question.

        Raises InvalidInput for fewer than two contenders, one that is there twice, or a place that is none.
        """
        if len(set(vote.contenders)) != len(vote.contenders) or len(vote.contenders) < 2:
            raise InvalidInput("a vote is between two strategies or more, each there once")
        if not all(0 <= place < len(vote.contenders) for place in vote.preferred):
            raise InvalidInput(
                f"the places preferred are {list(vote.preferred)}; there are {len(vote.contenders)}"
            )
        # In an order of their own, so that a vote counts once however the columns stood.
        order = sorted(range(len(vote.contenders)), key=lambda place: vote.contenders[place].name)
        contenders = [[vote.contenders[place].strategy, vote.contenders[place].reranker] for place in order]
        preferred = sorted(order.index(place) for place in set(vote.preferred))
        now = utc_now()
        with self._state.changing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?)",
                (
                    vote.question.strip(), json.dumps(contenders), json.dumps(preferred),
                    int(vote.blind), now,
                ),
            )  # fmt: skip

    def all(self) -> list[Vote]:
        """Return the votes, the latest last. Contenders stand by name."""
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
        """Forget all votes; return how many they were."""
        with self._state.changing() as connection:
            removed = connection.execute("DELETE FROM votes").rowcount
        self._state.forget()
        return removed


def tally(votes: Sequence[Vote]) -> list[Tally]:
    """Return each contender's pairs won, lost and even, the one that won the largest share first."""
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
