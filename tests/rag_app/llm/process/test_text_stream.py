"""Bytes to text: characters cut between tokens, and stop sequences."""

import pytest

from rag_app.llm.process.text_stream import TextStream


def run(pieces: list[bytes], stops: list[str]) -> tuple[list[str], str]:
    stream = TextStream(stops)
    return [stream.feed(piece) for piece in pieces], stream.finish()


@pytest.mark.parametrize(
    ("pieces", "stops", "shown", "rest"),
    [
        ([b"a", b"b"], [], ["a", "b"], ""),
        ([b"\xe6\x97", b"\xa5", b"!"], [], ["", "日", "!"], ""),
        ([b"a\xe6\x97"], [], ["a"], "\ufffd"),
        ([b"one END two", b" three"], ["END"], ["one ", ""], ""),
        ([b"one E", b"N", b"D"], ["END"], ["one ", "", ""], ""),
        ([b"one E", b"N", b"O"], ["END"], ["one ", "", "ENO"], ""),
        ([b"one EN"], ["END"], ["one "], "EN"),
        ([b"b then a"], ["a", "b"], [""], ""),
        ([b"aab"], ["ab"], ["a"], ""),
        ([b"x"], [""], ["x"], ""),
    ],
)
def test_text_is_shown_as_soon_as_it_is_certain(
    pieces: list[bytes], stops: list[str], shown: list[str], rest: str
) -> None:
    assert run(pieces, stops) == (shown, rest)


def test_only_a_complete_stop_sequence_stops() -> None:
    stream = TextStream(["END"])
    stream.feed(b"EN")
    assert not stream.stopped
    stream.feed(b"D")
    assert stream.stopped
