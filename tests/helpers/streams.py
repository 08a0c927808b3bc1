"""Streams of a model or chain as what they are: generators that can be left."""

from collections.abc import Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def generator(stream: Iterator[Item]) -> Generator[Item]:
    """Return the stream, which LangChain declares to be an iterator, as the generator that it is."""
    assert isinstance(stream, Generator)
    return stream
