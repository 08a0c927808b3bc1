"""Settings of the search for servers of language models on this machine."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

# Of Ollama, LM Studio, llama-server and vLLM.
USUAL_PORTS = (11434, 1234, 8080, 8000)
_MOST_PORTS = 16  # each is asked once a minute

_OFF = ("none", "off", "no", "false", "0")
_ON = ("on", "yes", "true", "1")


def _listed(ports: Any) -> Any:
    """Return ports from the forms in a variable and in the settings file: 11434,8081, none, true.

    Raises:
        ValueError: A part is no port, or there are too many.
    """
    if isinstance(ports, str) and ports.strip().lower() in (*_OFF, *_ON):
        ports = ports.strip().lower() in _ON
    if isinstance(ports, bool):
        return USUAL_PORTS if ports else ()
    if isinstance(ports, str):
        ports = re.split(r"[,\s]+", ports.strip())
    parts = ports if isinstance(ports, (list, tuple)) else [ports]
    numbers = []
    for part in parts:
        if not re.fullmatch(r"\d{1,5}", str(part), re.ASCII) or not 1 <= int(part) <= 65535:
            raise ValueError(f"{part!r} is no port; write ports like 11434,8080, or none")
        numbers.append(int(part))
    if len(numbers) > _MOST_PORTS:
        raise ValueError(f"{len(numbers)} ports are more than {_MOST_PORTS}; name those of model servers")
    return tuple(dict.fromkeys(numbers))


ServerPorts = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_listed)]


class ModelServerSettings(BaseModel):
    """Fields of the settings."""

    find_servers: ServerPorts = Field(
        USUAL_PORTS,
        description="ports of this machine that are asked for the models of Ollama, LM Studio, llama-server "
        "and vLLM; none: no port",
    )
