"""Verbs: how each method of the service is called over HTTP. The server's routes and the client read them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from rag_app.contract.requests import Request
from rag_app.contract.schema import Response

Method = TypeVar("Method", bound=Callable[..., Any])

_ATTRIBUTE = "__verb__"


@dataclass(frozen=True, slots=True)
class Verb:
    """A method of the service, and its route.

    Attributes:
        method: of HTTP. The request of GET and DELETE is sent as the query, that of others as the body.
        path: below /api/v1; `{name}` is the method's parameter of that name. Other plain parameters are
            sent as the query, unless they are None.
        parameters: the method's, without self.
        response: the document that is returned, or that a stream of events ends with.
    """

    name: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    parameters: tuple[inspect.Parameter, ...]
    response: type[Response]
    streams: bool

    @property
    def sends_body(self) -> bool:
        return self.method in ("POST", "PATCH")

    def url(self, arguments: Mapping[str, Any]) -> str:
        """Return path and query for a call with these arguments."""
        parts = {
            name: quote(str(value), safe="", errors="backslashreplace") for name, value in arguments.items()
        }
        query: dict[str, Any] = {}
        for name, value in arguments.items():
            if isinstance(value, Request):
                query.update({} if self.sends_body else value.fields(absolute=True))
            elif value is not None and f"{{{name}}}" not in self.path:
                query[name] = value
        words = urlencode(query, doseq=True, errors="backslashreplace")
        return self.path.format(**parts) + (f"?{words}" if words else "")

    def body(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the JSON that is sent; None where there is none."""
        if not self.sends_body:
            return None
        requests = [value for value in arguments.values() if isinstance(value, Request)]
        return requests[0].fields(absolute=True) if requests else {}


def verb(
    method: str, path: str, *, tag: str, streams: type[Response] | None = None
) -> Callable[[Method], Method]:
    """Declare the route of a method, whose docstring describes it.

    Args:
        method, path: See `Verb`.
        tag: The group of routes in the API's description.
        streams: The document that the method's events end with.
    """

    def declared(function: Method) -> Method:
        signature = inspect.signature(function)
        summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
        setattr(
            function,
            _ATTRIBUTE,
            Verb(
                name=function.__name__,
                method=method,
                path=path,
                tag=tag,
                summary=summary.rstrip("."),
                description=description.strip(),
                parameters=tuple(signature.parameters.values())[1:],
                response=streams or signature.return_annotation,
                streams=streams is not None,
            ),
        )
        return function

    return declared


def verbs_of(service: type) -> list[Verb]:
    """Return the verbs that a class declares, in its order."""
    return [getattr(one, _ATTRIBUTE) for one in vars(service).values() if hasattr(one, _ATTRIBUTE)]
