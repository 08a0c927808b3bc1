"""Keys open the page once, and sessions last as long as their run."""

import pytest

from rag_app.server.security.page_keys import (
    KEY_SECONDS,
    KeyRefused,
    PageSessions,
    page_address,
    page_key,
)

TOKEN, OTHER = "this run's token", "another run's token"


def test_a_key_begins_one_session() -> None:
    sessions = PageSessions(TOKEN)
    key = page_key(TOKEN)
    session = sessions.begin(key)
    assert sessions.knows(session)
    assert sessions.knows(sessions.begin(page_key(TOKEN)))
    assert not sessions.knows(key)
    assert TOKEN not in key + session


def test_a_key_that_comes_twice_locks_out_whoever_used_it() -> None:
    sessions = PageSessions(TOKEN)
    key, mine = page_key(TOKEN), sessions.begin(page_key(TOKEN))
    stolen = sessions.begin(key)
    for _ in range(2):
        with pytest.raises(KeyRefused, match="used before"):
            sessions.begin(key)
    assert not sessions.knows(stolen)
    assert sessions.knows(mine)


def test_a_key_expires_and_its_session_does_not() -> None:
    now = 1_000_000.0
    sessions = PageSessions(TOKEN, lambda: now)
    late, used = page_key(TOKEN, lambda: now), page_key(TOKEN, lambda: now)
    session = sessions.begin(used)
    now += KEY_SECONDS + 1
    for key in (late, used):
        with pytest.raises(KeyRefused, match="expired"):
            sessions.begin(key)
    now += 1e6
    assert sessions.knows(session)


def changed(digits: str) -> list[str]:
    """Return texts that differ from hexadecimal digits in one place, and other texts like them."""
    flipped = [
        digits[:place] + ("0" if digit != "0" else "1") + digits[place + 1 :]
        for place, digit in enumerate(digits)
    ]
    return [*flipped, digits[:-2], digits[2:], digits + "00", "", "00", "no digits", "ÿ", "٣" * len(digits)]


def test_no_other_text_is_a_key_or_a_session() -> None:
    sessions = PageSessions(TOKEN)
    key = page_key(TOKEN)
    session = sessions.begin(key)
    for text in [*changed(page_key(TOKEN)), page_key(OTHER), session, TOKEN]:
        with pytest.raises(KeyRefused, match="no key of the server"):
            sessions.begin(text)
    for text in [*changed(session), key, TOKEN]:
        assert not sessions.knows(text)
    assert sessions.knows(session)


def test_a_session_ends_with_its_run() -> None:
    session = PageSessions(TOKEN).begin(page_key(TOKEN))
    assert not PageSessions(OTHER).knows(session)


def test_an_address_holds_a_key() -> None:
    address = page_address("http://127.0.0.1:7860", TOKEN)
    url, _, key = address.partition("/?key=")
    assert url == "http://127.0.0.1:7860"
    assert PageSessions(TOKEN).begin(key)
