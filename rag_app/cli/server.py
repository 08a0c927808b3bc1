"""serve, open, mcp, token, doctor."""

import logging
import os
import shlex
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingestion.errors import InvalidInput, RagError
from rag_app.cli.common import EXIT_FAILED, Json, show
from rag_app.cli.terminal import lines
from rag_app.cli.terminal.browser import open_in_browser
from rag_app.config.logging import log_to_file, log_to_standard_error
from rag_app.contract.status import DoctorResponse, PageAddressResponse, TokenResponse

if TYPE_CHECKING:
    from rag_app.config.settings import Settings

_LARGEST_SECRET = 1_000_000  # bytes of a file with logins or a token

_logger = logging.getLogger(__name__)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; the next free one if taken.")] = None,
    api_token_file: Annotated[
        Path | None, typer.Option("--api-token-file", help="A file with the API's token, for other programs.")
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            "--auth",
            metavar="NAME:PASSWORD",
            help="Who may open the page. Other users of this machine see it in the list of processes; "
            "--auth-file and RAG_APP_AUTH keep it out of there.",
        ),
    ] = None,
    auth_file: Annotated[
        Path | None,
        typer.Option("--auth-file", help="A file that says who may open the page: lines NAME:PASSWORD."),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser; also if it is served already.")
    ] = False,
) -> None:
    """Serve the chat page and the API. Other commands reach the library through the API meanwhile.

    The printed address opens the page once, for this user; rag-app open prints another one.
    """
    if auth is not None and auth_file is not None:
        raise InvalidInput("--auth and --auth-file exclude each other; give one of them")
    settings = context.obj.settings(
        host=host,
        port=port,
        api_token=None if api_token_file is None else _token_in(api_token_file),
        auth=auth if auth_file is None else _text_in(auth_file, "logins"),
    )
    log_to_standard_error(settings.log_level or ("INFO" if context.obj.verbose else "WARNING"))
    _check_guarded(settings)
    running = _running_address(settings) if open_page else None
    if running is None:
        _serve(settings, open_page)
    else:
        typer.echo(f"serving {running}")
        _open(running, settings.data_dir)


def _serve(settings: "Settings", open_page: bool) -> None:
    """Serve until the process is told to end."""
    from rag_app.config.data_folder import writable_by_others
    from rag_app.config.folders import private_temporary_folder
    from rag_app.config.ports import free_port, is_loopback
    from rag_app.service.composition import Assistant

    pages = list(entry_points(group="rag_app.ui"))
    if not pages:
        raise RagError("the package's pages are not installed; run: pip install --force-reinstall rag-app")
    chosen = free_port(settings.host, settings.port)
    if settings.port and chosen != settings.port:
        typer.echo(f"port {settings.port} is in use; taking {chosen}", err=True)
    if not is_loopback(settings.host):
        typer.echo(
            f"{settings.host} can be reached from other machines: everyone with a login can read your "
            "documents there. The connection is not encrypted; use it in networks that you trust",
            err=True,
        )
    if exposed := writable_by_others(settings.data_dir):
        typer.echo(f"rag-app: warning: {exposed}", err=True)
    with Assistant.open(settings) as assistant:
        log_to_file(settings.data_dir, settings.log_level)
        given = ", ".join(sorted(settings.model_fields_set)) or "none"
        _logger.info("rag-app %s serves; settings given: %s", version("rag-app"), given)
        # A fault of the model shows with the first question, which waits for this or meets it again.
        threading.Thread(target=lambda: _quietly(assistant.warm_up), daemon=True).start()
        assistant.jobs.start()

        def say(address: str) -> None:
            typer.echo(f"serving {address}")
            if open_page:  # beside, since some browsers end only when their window is closed
                threading.Thread(target=_open, args=(address, settings.data_dir), daemon=True).start()

        with private_temporary_folder(settings.data_dir):  # before the page's imports, which read it
            pages[0].load()(assistant, host=settings.host, port=chosen, on_ready=say)
    _logger.info("stopped")


def open_(context: typer.Context, as_json: Json = False) -> None:
    """Open the page of the running server in the browser, and print its address. With --json, only print it.

    The address opens the page once, within fifteen minutes.
    """
    settings = context.obj.settings()
    address = _running_address(settings)
    if address is None:
        raise RagError("nothing serves this library now; begin with: rag-app serve --open")
    show(PageAddressResponse(address=address), as_json, lambda *_: typer.echo(address))
    if not as_json:
        _open(address, settings.data_dir)


def mcp(context: typer.Context) -> None:
    """Serve search and ask as tools over standard input and output, for programs that speak MCP.

    It has the library only while it answers, so that other commands can use it in between.
    """
    from rag_app.server.mcp.server import serve_stdio
    from rag_app.service.connection import open_service
    from rag_app.service.service_pool import ServicePool

    settings = context.obj.settings()
    serve_stdio(ServicePool(lambda: open_service(settings)))


def token(context: typer.Context, as_json: Json = False) -> None:
    """Print the API's address and token, as the variables that OpenAI's clients read.

    Run it as `eval "$(rag-app token)"`, or copy the lines.
    """
    from rag_app.config.ports import url_of
    from rag_app.service.client import RemoteService

    settings = context.obj.settings()
    serving = RemoteService.of(settings)
    lasting = settings.secret("api_token")
    if serving is None and lasting is None:
        raise RagError(
            "nothing serves this library now, and a token is made anew with each start; begin rag-app serve, "
            "or set RAG_APP_API_TOKEN to a token that lasts"
        )
    url = serving.url if serving is not None else url_of(settings.host, settings.port)
    if serving is None:
        typer.echo("nothing serves this library now; begin with: rag-app serve", err=True)
    response = TokenResponse(
        url=url,
        openai_base_url=f"{url}/v1",
        token=lasting or (serving.token if serving is not None else None),
        lasts=lasting is not None,
        serving=serving is not None,
    )
    variables = {"OPENAI_BASE_URL": response.openai_base_url, "OPENAI_API_KEY": response.token}
    said = "\n".join(f"export {name}={shlex.quote(str(value))}" for name, value in variables.items())
    show(response, as_json, lambda *_: typer.echo(said))


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check the installation, the library and its models, and say how to repair each fault."""
    from rag_app.cli.doctor import State, examine

    settings = context.obj.settings()
    checks = examine(settings)
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    found = DoctorResponse.of(data_dir=str(settings.data_dir), offline=offline, checks=checks)
    show(found, as_json, lines.print_checks)
    if any(check.state is State.ERROR for check in checks):
        raise typer.Exit(EXIT_FAILED)


def _running_address(settings: "Settings") -> str | None:
    """Return an address that opens the page of the process that serves the library; None where none does."""
    from rag_app.server.security.page_keys import page_address
    from rag_app.service.client import RemoteService

    serving = RemoteService.of(settings)
    if serving is None or not serving.token:
        return None
    return serving.url if serving.health().logins else page_address(serving.url, serving.token)


def _open(address: str, data_dir: Path) -> None:
    if not open_in_browser(address, data_dir):
        typer.echo("no browser can be opened from here; open the address in one on this machine", err=True)


def _check_guarded(settings: "Settings") -> None:
    """Raise InvalidInput where other machines could read the library without a token or a login."""
    if settings.is_private:
        return
    missing = []
    if settings.api_token is None:
        missing.append("a token for the API (set RAG_APP_API_TOKEN or give --api-token-file)")
    if settings.auth is None:
        missing.append("a login for the page (set RAG_APP_AUTH=NAME:PASSWORD or give --auth-file)")
    if missing:
        where = settings.public_url or settings.host
        raise InvalidInput(
            f"{where} can be reached from other machines, which needs {' and '.join(missing)}; "
            "or serve on 127.0.0.1"
        )


def _token_in(file: Path) -> str:
    """Return the first line of a file. Raises InvalidInput where it is empty."""
    token = next(iter(_text_in(file, "token").splitlines()), "").strip()
    if not token:
        raise InvalidInput(f"the file of the token {file} is empty; write a token into its first line")
    return token


def _text_in(file: Path, what: str) -> str:
    """Return a file's text. Raises InvalidInput where it cannot be read."""
    try:
        with file.expanduser().open("rb") as stream:  # also a pipe, as of a password manager
            read = stream.read(_LARGEST_SECRET + 1)
        if len(read) > _LARGEST_SECRET:
            raise InvalidInput(f"the file of the {what} {file} has more than {_LARGEST_SECRET} bytes")
        return read.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InvalidInput(f"the file of the {what} {file} cannot be read: {reason}; name another") from error


def _quietly(work: Callable[[], None]) -> None:
    with suppress(RagError):
        work()
