"""Limits on connections, so that nobody keeps others out by holding many of them, or by being slow.

They count before the guard, the token and the login. h11 alone reads requests, so that they are the same
wherever the application is installed.

- Connections in all and of one address are limited. A new one takes the place of the one that has waited
  longest without a request under way; where all are at work, its request gets 503 or 429.
- A request's head must be whole within some seconds, however slowly it trickles.
- A body must come at a least rate; waiting for the application does not count. An answer must be taken: a
  client that reads nothing for as long is cut off. An answer that is being made may take any time.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rag_app.config.networks import network_of
from rag_app.contract.errors import ErrorFields
from rag_app.server.errors import error_response

# Bytes of a head: a list of a thousand documents' names in a query is longer than most servers take.
LARGEST_HEAD = 256 * 1024
# Bytes a second: a tenth of what the slowest modems send.
LEAST_RATE = 500
_BUSY = 503
_TOO_MANY = 429
_TOO_SLOW = 408


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections may be open, and how slow they may be.

    Attributes:
        total: Connections in all.
        per_address: Connections of one address, or of one /64 network of IPv6.
        head_seconds: Time for a request's head.
        stall_seconds: Time after which a body below `LEAST_RATE`, or an answer that is not taken, is cut off.
    """

    total: int
    per_address: int
    head_seconds: float
    stall_seconds: float


class Connections:
    """The open connections of a server."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[LimitedProtocol, str] = {}  # with the network of the client
        self._surplus: set[LimitedProtocol] = set()

    def add(self, new: "LimitedProtocol") -> None:
        """Count a connection. One that waits makes room for it, if there is one."""
        network = network_of(new.client[0] if new.client else "")
        self._open[new] = network
        for some, most in (
            ([one for one, where in self._open.items() if where == network], self.limits.per_address),
            (list(self._open), self.limits.total),
        ):
            waiting = [one for one in some if one is not new and one.waits_since is not None]
            if len(some) <= most or new in self._surplus:
                continue
            if waiting:
                oldest = min(waiting, key=lambda one: one.waits_since or 0.0)
                self.remove(oldest)
                oldest.give_way()
            else:
                self._surplus.add(new)

    def remove(self, one: "LimitedProtocol") -> None:
        self._open.pop(one, None)
        self._surplus.discard(one)

    def refusal(self, one: "LimitedProtocol") -> tuple[int, str] | None:
        """Return status and message for a request on a connection for which there is no room."""
        if one not in self._surplus:
            return None
        network = self._open[one]
        if sum(where == network for where in self._open.values()) > self.limits.per_address:
            return _TOO_MANY, f"{self.limits.per_address} connections of this address are at work; try later"
        if len(self._open) > self.limits.total:
            return _BUSY, f"{self.limits.total} connections are at work; try again later"
        self._surplus.discard(one)  # another connection has ended meanwhile
        return None


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol with h11, within limits.

    Attributes:
        waits_since: When it began to wait for a request; None while one is under way.
    """

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self.conn = h11.Connection(h11.SERVER, LARGEST_HEAD)
        self.waits_since: float | None = None
        self._connections = connections
        self._limits = connections.limits
        self._usual_app = self.app
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        # Of the time since the last check for a stall:
        self._received = 0  # bytes
        self._was_paused = True  # whether the application, not the client, was slow; or there was no body
        self._took_some = True  # whether the client took some of the answer, or there was none
        self._unsent = 0  # bytes that were not taken at the last check

    # What uvicorn and the event loop call

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._follow()
        self._await_head()
        self._stall_timer = self.loop.call_later(self._limits.stall_seconds, self._check_stall)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.remove(self)
        for timer in (self._head_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self.waits_since is not None and self._head_timer is None:
            self._await_head()
        refusal = self._connections.refusal(self)
        self.app = self._usual_app if refusal is None else cast(Any, _answering(*refusal))
        super().data_received(data)
        self._was_paused |= self.flow.read_paused
        self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def resume_writing(self) -> None:
        self._took_some = True
        super().resume_writing()

    def _should_upgrade(self) -> bool:
        return False  # nothing here speaks WebSocket, and those connections would not be counted

    # Limits

    def give_way(self) -> None:
        """Close a connection that waits."""
        self.transport.close()

    @property
    def _takes_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY

    def _follow(self) -> None:
        """Note whether a request is under way: its head is whole, and its answer or body is not."""
        answers = self.cycle is not None and not self.cycle.response_complete
        if answers or self._takes_body or self.transport.get_write_buffer_size():
            self.waits_since = None
            if self._head_timer is not None and (answers or self._takes_body):
                self._head_timer.cancel()
                self._head_timer = None
        elif self.waits_since is None:
            self.waits_since = self.loop.time()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.head_seconds, self._end_head)

    def _end_head(self) -> None:
        self._head_timer = None
        self._cut_off(
            f"the request's head was not whole after {self._limits.head_seconds:g} s; send it again"
        )

    def _check_stall(self) -> None:
        """Cut the connection off if the client has stalled since the last check."""
        self._stall_timer = self.loop.call_later(self._limits.stall_seconds, self._check_stall)
        unsent = self.transport.get_write_buffer_size()
        # While writing is paused nothing is added to what is unsent: it can only become less.
        if not self._took_some and unsent >= self._unsent:
            self.transport.abort()
            return
        waits = self._takes_body and not self.cycle.waiting_for_100_continue
        if waits and not self._was_paused and self._received < LEAST_RATE * self._limits.stall_seconds:
            self._cut_off(f"the request's body came at less than {LEAST_RATE} bytes a second; send it again")
            return
        self._received = 0
        self._was_paused = not waits or self.flow.read_paused
        ended = self.transport.is_closing() or self.cycle is None or self.cycle.response_complete
        self._took_some = not unsent or not (self.flow.write_paused or ended)
        self._unsent = unsent
        self._follow()

    def _cut_off(self, message: str) -> None:
        """Close the connection; a client that has begun a request is told why, before any answer."""
        if self.transport.is_closing():
            return
        has_begun = self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]
        if has_begun or self.conn.our_state is h11.SEND_RESPONSE:
            fields = ErrorFields(type="Timeout", message=message)
            answer = error_response("", _TOO_SLOW, fields, {"Connection": "close"})
            response = h11.Response(status_code=_TOO_SLOW, headers=answer.raw_headers)
            for event in (response, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def limited_protocol(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """Return what uvicorn makes the connections of one server with: its setting `http`."""
    connections = Connections(limits)

    def protocol(**options: Any) -> LimitedProtocol:
        return LimitedProtocol(connections, **options)

    return cast(type[asyncio.Protocol], protocol)


def _answering(status: int, message: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = ErrorFields(type="TooManyConnections", message=message)
        headers = {"Connection": "close", "Retry-After": "5"}
        await error_response(scope["path"], status, fields, headers)(scope, receive, send)

    return app
