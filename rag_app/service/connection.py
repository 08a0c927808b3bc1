"""How a library is reached: opened here, or through the process that serves it."""

from ingestion.errors import LibraryInUse
from rag_app.config.settings import Settings
from rag_app.service.client import RemoteService
from rag_app.service.composition import Assistant
from rag_app.service.local import LocalService
from rag_app.service.protocol import Service


def open_service(settings: Settings) -> Service:
    """Return the service of the library that the settings name.

    Raises:
        LibraryInUse: The process that has the library does not serve it.
        RagError: What `Library.open` raises.
    """
    try:
        return LocalService(Assistant.open(settings))
    except LibraryInUse:
        service = RemoteService.of(settings)
        if service is None:
            raise
    return service
