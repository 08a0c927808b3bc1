"""The keys that open the page, and the sessions that they begin.

A key is in the address that the command prints. It is good for one browser, for some minutes, since an
address is seen by others: in the list of processes, in a terminal's history. The browser gets a session for
it, which a cookie carries.

Keys and sessions are signed with the token of the run. So every program of this user can make a key, because
it can read the token; no other user can; and none outlives the run.
"""

import hmac
import secrets
import time
from collections.abc import Callable

from ingestion.errors import RagError

# The name of the key in an address's query.
KEY = "key"
# Seconds that a key is good for.
KEY_SECONDS = 15 * 60

_NONCE_BYTES = 8
_SECOND_BYTES = 4
_SIGNATURE_BYTES = 16


class KeyRefused(RagError):
    """A key does not open the page; the message says why."""


def page_key(token: str, clock: Callable[[], float] = time.time) -> str:
    """Return a new key to the page of the run that has the token."""
    expires = int(clock()) + KEY_SECONDS
    content = expires.to_bytes(_SECOND_BYTES, "big") + secrets.token_bytes(_NONCE_BYTES)
    return (content + _signature(token, b"key", content)).hex()


def page_address(url: str, token: str) -> str:
    """Return the address that opens the page at `url` once."""
    return f"{url}/?{KEY}={page_key(token)}"


class PageSessions:
    """The sessions of one run. They end with it.

    Only keys that a program of this user has made take room here.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token = token
        self._clock = clock
        self._used: dict[bytes, int] = {}  # the key's nonce, and when the key expires
        self._ended: set[bytes] = set()

    def begin(self, key: str) -> str:
        """Return the session that a key begins.

        A key that comes a second time was seen by another person: the first session is ended, and the
        second request is told so.

        Raises:
            KeyRefused: The key is none of this run, has expired, or was used before.
        """
        nonce, expires = self._read(key)
        now = self._clock()
        self._used = {one: until for one, until in self._used.items() if until >= now}
        if expires < now:
            raise KeyRefused("this key has expired")
        if nonce in self._used:
            self._ended.add(nonce)
            raise KeyRefused(
                "this key was used before; the browser that used it is locked out now. If that was not you, "
                "another person on this machine saw the address"
            )
        self._used[nonce] = expires
        return (nonce + _signature(self._token, b"session", nonce)).hex()

    def knows(self, session: str) -> bool:
        """Return whether a session was begun in this run, and has not been ended."""
        content = _bytes(session)
        nonce, signature = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
        signed = hmac.compare_digest(signature, _signature(self._token, b"session", nonce))
        return signed and nonce not in self._ended

    def _read(self, key: str) -> tuple[bytes, int]:
        """Return a key's nonce, and the second in which it expires."""
        given = _bytes(key)
        content, signature = given[:-_SIGNATURE_BYTES], given[-_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(self._token, b"key", content)):
            raise KeyRefused("this is no key of the server as it runs now")
        return content[_SECOND_BYTES:], int.from_bytes(content[:_SECOND_BYTES], "big")


def _signature(token: str, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(token.encode(), purpose + b":" + content, "sha256")[:_SIGNATURE_BYTES]


def _bytes(text: str) -> bytes:
    """Return what hexadecimal digits stand for; nothing where the text is no such digits."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
